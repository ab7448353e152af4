/** Lists the names of namespaces and workloads in the summaries of a whole cluster. */
import type { WorkloadName } from '../../../operator/evaluate/workloads.ts';
import { bounded } from '../../../operator/text/printable.ts';
import { firstOf } from '../../../operator/text/wording.ts';
import type { Terminal } from '../../output/terminal.ts';
import { paragraph } from '../../output/wrap.ts';

const MOST_WORKLOADS = 3;

/** The first workloads, and the number of further workloads: `net/Pod ping, web/Deployment one and 3 more`. */
export function workloadsText(workloads: readonly WorkloadName[]): string {
  return firstOf(
    workloads.map(({ namespace, kind, name }) => bounded(`${namespace}/${kind} ${name}`, 320)),
    MOST_WORKLOADS,
  );
}

/**
 * @param leftOut the names of the namespaces that no policy reaches. If no namespace is left out, the function returns
 * an empty text
 */
export function leftOutText(leftOut: readonly string[], terminal: Terminal): string {
  if (leftOut.length === 0) return '';
  const names = leftOut.map((one) => bounded(one, 64)).join(', ');
  return paragraph(
    `Namespaces that are left out, since no policy would reach them (--excluded-namespaces): ${names}`,
    terminal,
  );
}
