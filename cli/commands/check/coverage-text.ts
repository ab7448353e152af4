/** Describes the objects that a check did not judge: one line for each reason. */
import { counted, firstOf } from '../../../operator/report/text.ts';
import { skippedLines } from '../../input/other-documents.ts';
import type { NotJudged, Summary } from './result.ts';

const NAMED = 20;

/** Empty when every object that may make pods was judged. */
export function coverageLines({ excluded, excludedNamespaces, notJudged, notKubernetes }: Summary): string[] {
  const makePods = notJudged.filter(({ makesPods }) => makesPods);
  const unknown = notJudged.filter(({ makesPods }) => !makesPods);
  return [
    ...(excluded > 0
      ? [`no policy reaches ${firstOf(excludedNamespaces, NAMED)}: ${counted(excluded, 'workload')} there`]
      : []),
    ...(makePods.length > 0 ? [`not judged, and their operators make pods: ${kindsText(makePods)}`] : []),
    ...(unknown.length > 0 ? [`not judged, no pod template found: ${kindsText(unknown)}`] : []),
    ...skippedLines(notKubernetes),
  ];
}

/** `Prometheus.monitoring.coreos.com 3, Widget.example.com 1` */
function kindsText(kinds: readonly NotJudged[]): string {
  return firstOf(
    kinds.map(({ kind, count }) => `${kind} ${count}`),
    NAMED,
  );
}
