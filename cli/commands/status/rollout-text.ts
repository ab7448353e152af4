/** Prints how far the incomplete rollouts are, what blocks them, and since when. */
import { bounded } from '../../../operator/text/printable.ts';
import { counted } from '../../../operator/text/wording.ts';
import { tableText } from '../../output/table.ts';
import type { Terminal } from '../../output/terminal.ts';
import { paragraph } from '../../output/wrap.ts';
import type { PolicyView, RolloutView } from './view.ts';

const HEAD = ['POLICY', 'BLOCKED IN', 'SINCE', 'VIOLATING', 'WORST'];

/**
 * The number of enforced namespaces and of all namespaces of the policy, such as `458/500`. For a policy without a
 * rollout, the text is `-`.
 */
export function enforcedCell({ rollout }: PolicyView): string {
  return rollout?.progress ?? '-';
}

/**
 * The lines about the rollouts that are not complete. The text is empty if every rollout is complete.
 *
 * @param namespace the only namespace to name. If `namespace` is undefined, all namespaces are named
 */
export function rolloutText(policies: readonly PolicyView[], terminal: Terminal, namespace?: string): string {
  const pending = policies.flatMap(({ name, rollout }) => (rollout && isPending(rollout) ? [{ name, rollout }] : []));
  if (pending.length === 0) return '';
  const lines = pending.map(({ name, rollout }) => paragraph(`${name}: ${progressText(rollout)}`, terminal));
  const rows = pending.flatMap(({ name, rollout }) => blockedRows(name, rollout, namespace));
  return [...lines, rows.length === 0 ? '' : tableText(HEAD, rows, { terminal, optional: ['VIOLATING'] })].join('');
}

export function isPending({ soaking = 0, blocked = 0 }: Pick<RolloutView, 'soaking' | 'blocked'>): boolean {
  return soaking + blocked > 0;
}

/**
 * The progress of a rollout as text: `rolled out to 458 of 500 namespaces; 38 soak (24h without a violation), 4 are
 * blocked; next is shop, not before …`.
 */
function progressText({ enforced = 0, soaking = 0, blocked = 0, soak, paused, next }: RolloutView): string {
  const parts = [
    `rolled out to ${enforced} of ${counted(enforced + soaking + blocked, 'namespace')}`,
    [
      ...(soaking > 0 ? [`${soaking} ${soaking === 1 ? 'soaks' : 'soak'} (${soak} without a violation)`] : []),
      ...(blocked > 0 ? [`${blocked} ${blocked === 1 ? 'is' : 'are'} blocked`] : []),
    ].join(', '),
    ...(paused ? ['paused'] : []),
    ...(next && !paused ? [`next is ${next.namespace}, not before ${next.time}`] : []),
  ];
  return parts.join('; ');
}

/** The status of a policy lists only the first blocked namespaces of its rollout. */
function blockedRows(policy: string, { blocked = 0, blockedNamespaces = [] }: RolloutView, only?: string): string[][] {
  const named = blockedNamespaces.filter(({ name }) => only === undefined || name === only);
  const rest = only === undefined ? blocked - named.length : 0;
  return [
    ...named.map(({ name, since, violating, worst = 'a pod that is gone' }) => [
      policy,
      name,
      String(since),
      String(violating),
      bounded(worst, 1024),
    ]),
    ...(rest > 0 ? [[policy, `${rest} more`, '', '', '']] : []),
  ];
}
