/** Names the workloads whose pods nobody knows, in the namespaces where a rollout is pending. */
import { workloadText } from '../../../operator/evaluate/workloads.ts';
import { counted, firstOf } from '../../../operator/text/wording.ts';
import type { Terminal } from '../../output/terminal.ts';
import { paragraph } from '../../output/wrap.ts';
import type { PolicyView } from './view.ts';

/** The number of workloads and of mutators that a line names. */
const NAMED = 5;

export function unknownPodsText(policies: readonly PolicyView[], terminal: Terminal): string {
  const lines = policies.flatMap(({ name, unknownPods }) => {
    if (!unknownPods) return [];
    const { workloads, mutators } = unknownPods;
    const have = workloads.length === 1 ? 'has' : 'have';
    const without = `${counted(workloads.length, 'workload')} in pending namespaces ${have} no pods (${firstOf(workloads.map(workloadText), NAMED)})`;
    return `${name}: ${without}, and ${firstOf(mutators, NAMED)} may change future pods; cappol check --cluster --dry-run=server asks the API server`;
  });
  return lines.map((line) => paragraph(line, terminal)).join('');
}
