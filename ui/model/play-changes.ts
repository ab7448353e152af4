/** Makes sentences about the changes that edited policies would make in a cluster. */
import { counted } from '../../operator/text/wording.ts';
import type { ReevaluateAnswer } from '../worker/reevaluate.ts';

type Summary = ReevaluateAnswer['summary'];

/** The numbers of changes in words, such as `12 workloads: 1 newly refused, 11 unchanged.` */
export function changesText(summary: Summary): string {
  const { workloads, newlyRefused, perhapsRefused, newlyAdmitted, reportedOtherwise, unchanged } = summary;
  if (unchanged === workloads) return `Nothing changes for the ${counted(workloads, 'workload')} of the cluster.`;
  const parts = [
    [newlyRefused, 'newly refused'],
    [perhapsRefused, 'perhaps refused (it depends on who creates the pods, or the pods are refused today)'],
    [newlyAdmitted, 'newly admitted'],
    [reportedOtherwise, 'with other warnings or audit annotations'],
    [unchanged, 'unchanged'],
  ] as const;
  const told = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return `${counted(workloads, 'workload')}: ${told.join(', ')}.`;
}

/**
 * The namespaces of the policies in words, such as `ping selects 4 namespaces. In 3 of them, nothing that runs violates
 * it.`
 */
export function selectionText(candidates: readonly string[], summary: Summary): string {
  const { candidateNamespaces, safeToEnforce } = summary;
  const [selects, it] = candidates.length > 1 ? ['select', 'them'] : ['selects', 'it'];
  const names = candidates.join(', ');
  if (candidateNamespaces === 0) return `${names} ${selects} no namespace of the cluster.`;
  const selected = `${names} ${selects} ${counted(candidateNamespaces, 'namespace')}.`;
  if (safeToEnforce === candidateNamespaces) return `${selected} Nothing that runs there violates ${it}.`;
  if (safeToEnforce === 0) return `${selected} Something that runs violates ${it} in each of them.`;
  return `${selected} In ${safeToEnforce} of them, nothing that runs violates ${it}.`;
}
