/** Describes the objects that a check did not judge: one line for each reason. */
import { notJudgedLines } from '../../../analysis/check/not-judged.ts';
import type { Summary } from '../../../analysis/check/result.ts';
import { skippedLines } from '../../../analysis/manifests/other-documents.ts';
import { counted, firstOf } from '../../../operator/text/wording.ts';

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
