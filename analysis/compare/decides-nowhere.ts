/** Finds policies that decide in no namespace. */
import { formatTime } from '../../operator/policy/expiry.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import type { TimeLimit } from './budget.ts';
import { type Finding, policiesText } from './finding.ts';
import { namespaceClasses } from './namespaces.ts';
import { type Beside, NAMESPACE_NAME, periodsOf } from './one-mode.ts';

/**
 * @param parts the parts of the policy. A policy with a rollout has a second part. The second part decides while the
 *   rollout is pending
 * @returns undefined if the policy decides in some namespace before it expires
 * @throws TooMany if the selectors distinguish too many classes of namespaces
 * @throws TooLate
 */
export function decidesNowhere(beside: Beside, parts: readonly Beside[], time: TimeLimit): Finding | undefined {
  const { policy } = beside;
  if (!isNowhere(beside, time)) return undefined;
  // The guard of the label for admin access does not depend on the priorities of policies.
  if (policy.adminAccessLabel === 'Guarded' && !isNowhere({ ...beside, others: [] }, time)) return undefined;
  // Finds a small group of other policies that together decide in all namespaces of the policy.
  const lowestFirst = beside.others.toSorted((a, b) => a.priority - b.priority);
  const others = lowestFirst.reduce<readonly ResolvedPolicy[]>((left, other) => {
    const fewer = left.filter((one) => one !== other);
    return isNowhere({ ...beside, others: fewer }, time) ? fewer : left;
  }, beside.others);
  const names = others.map(({ name }) => name).sort();
  const isPendingOnly = parts.some((part) => part.policy.pendingFor !== undefined && !isNowhere(part, time));
  const reason = names.length > 0 ? outranked(policy, names) : selectsNothing(beside, time);
  return {
    kind: 'decides-nowhere',
    policy: policy.name,
    others: names,
    rules: [],
    message: `${isPendingOnly ? 'this policy will be enforced nowhere' : 'this policy decides nowhere'}: ${reason}`,
  };
}

export function expiredFinding({ name, expires }: Pick<ResolvedPolicy, 'name' | 'expires'>): Finding {
  return {
    kind: 'decides-nowhere',
    policy: name,
    others: [],
    rules: [],
    message: `this policy decides nowhere: it expired at ${formatTime(expires)} and counts as deleted; delete the policy, or set a later time in expires`,
  };
}

/** Whether the policy decides in no namespace at any time before it expires. */
function isNowhere(beside: Beside, time: TimeLimit): boolean {
  const { policy, isExcluded } = beside;
  return periodsOf(beside).every((others) => {
    const classes = namespaceClasses([policy, ...others], [], isExcluded, time);
    return !classes.some(({ old }) => old.includes(policy));
  });
}

function outranked({ priority }: ResolvedPolicy, others: readonly string[]): string {
  const decide = others.length === 1 ? 'which has a higher priority, decides' : 'which have a higher priority, decide';
  return `${policiesText(others)}, ${decide} in every namespace that it selects; delete this policy, or raise its priority of ${priority}`;
}

function selectsNothing({ policy }: Beside, time: TimeLimit): string {
  const selects = (isExcluded: (name: string) => boolean) => !isNowhere({ policy, others: [], isExcluded }, time);
  const change = 'change the selector, or delete this policy';
  if (!selects(() => false)) return `the conditions of its namespaceSelector contradict each other; ${change}`;
  if (!selects((name) => !NAMESPACE_NAME.test(name))) {
    return `its namespaceSelector asks for a name that no namespace can have; ${change}`;
  }
  return `no policy reaches the namespaces that it selects, because they are excluded; ${change}`;
}
