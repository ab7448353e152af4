/** Describes the objects that a check did not judge: one line for each reason. */
import { counted, firstOf } from '../../../operator/text/wording.ts';
import { skippedLines } from '../../input/other-documents.ts';
import { notJudgedLines } from './not-judged.ts';
import type { Summary } from './result.ts';

const NAMED = 20;

/** Empty when every object that may make pods was judged. */
export function coverageLines({ excluded, excludedNamespaces, notJudged, notKubernetes }: Summary): string[] {
  return [
    ...(excluded > 0
      ? [`no policy reaches ${firstOf(excludedNamespaces, NAMED)}: ${counted(excluded, 'workload')} there`]
      : []),
    ...notJudgedLines(notJudged),
    ...skippedLines(notKubernetes),
  ];
}
