/** Finds policies that decide in no namespace. */
import { formatTime } from '../../operator/policy/expiry.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { type Finding, policiesText } from './finding.ts';
import { namespaceClasses } from './namespaces.ts';
import { type Beside, NAMESPACE_NAME, periodsOf } from './one-mode.ts';

/**
 * @returns undefined if the policy decides in some namespace at some time before it expires
 * @throws TooMany if the selectors tell too many namespaces apart
 */
export function decidesNowhere(beside: Beside): Finding | undefined {
  const { policy } = beside;
  const deciders = new Set<string>();
  for (const others of periodsOf(beside)) {
    const inPeriod = decidersWhereSelected({ ...beside, others });
    if (inPeriod.some((deciding) => deciding.includes(policy))) return undefined;
    for (const { name } of inPeriod.flat()) deciders.add(name);
  }
  const others = [...deciders].sort();
  return {
    kind: 'decides-nowhere',
    policy: policy.name,
    others,
    rules: [],
    message: `this policy decides nowhere: ${others.length > 0 ? outranked(policy, others) : selectsNothing(beside)}`,
  };
}

export function expiredFinding({ name, expires }: Pick<ResolvedPolicy, 'name' | 'expires'>): Finding {
  return {
    kind: 'decides-nowhere',
    policy: name,
    others: [],
    rules: [],
    message: `this policy decides nowhere: it expired at ${formatTime(expires)} and counts as deleted; delete it, or set a later time in expires`,
  };
}

/** The deciding policies of each class of namespaces that the policy selects. */
function decidersWhereSelected({ policy, others, isExcluded }: Beside): (readonly ResolvedPolicy[])[] {
  // Alone, the policy decides wherever it is selected.
  const classes = namespaceClasses([policy, ...others], [policy], isExcluded);
  return classes.filter((one) => one.new.length > 0).map(({ old }) => old);
}

function outranked({ priority }: ResolvedPolicy, others: readonly string[]): string {
  const decide = others.length === 1 ? 'which has a higher priority, decides' : 'which have a higher priority, decide';
  return `${policiesText(others)}, ${decide} in every namespace that it selects; delete this policy, or raise its priority of ${priority}`;
}

function selectsNothing({ policy }: Beside): string {
  const selects = (isExcluded: (name: string) => boolean) =>
    decidersWhereSelected({ policy, others: [], isExcluded }).length > 0;
  const change = 'change the selector, or delete this policy';
  if (!selects(() => false)) return `the conditions of its namespaceSelector contradict each other; ${change}`;
  if (!selects((name) => !NAMESPACE_NAME.test(name))) {
    return `its namespaceSelector asks for a name that no namespace can have; ${change}`;
  }
  return `no policy reaches the namespaces that it selects, because they are excluded; ${change}`;
}
