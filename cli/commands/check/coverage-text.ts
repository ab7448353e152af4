/** Describes the objects that a check did not evaluate. Each reason has its own line. */
import { notEvaluatedLines } from '../../../analysis/check/not-evaluated.ts';
import type { Summary } from '../../../analysis/check/result.ts';
import { skippedLines } from '../../../analysis/manifests/other-documents.ts';
import { counted, firstOf } from '../../../operator/text/wording.ts';

const NAMED = 20;

/** Returns no lines if every object that may make pods was checked. */
export function coverageLines({ excluded, excludedNamespaces, notEvaluated, notKubernetes }: Summary): string[] {
  return [
    ...(excluded > 0
      ? [`no policy reaches ${firstOf(excludedNamespaces, NAMED)}: ${counted(excluded, 'workload')} there`]
      : []),
    ...notEvaluatedLines(notEvaluated),
    ...skippedLines(notKubernetes),
  ];
}
