/**
 * Finds out which grants of a policy a pod or template needs. Somebody can remove all grants that no workload needs.
 * After this, no workload violates the policy in more ways than before.
 */

import { TooExpensive } from '../../engine/cel/costs.ts';
import type { PodContent } from '../model/objects.ts';
import { containerEntries } from '../policy/containers.ts';
import { perObject } from '../policy/memo.ts';
import { checksOfRules, type ResolvedPolicy, type Valued } from '../policy/resolve.ts';
import { runToEnd, shared } from '../policy/run-to-end.ts';
import { RULES } from '../rules/index.ts';
import { ByForm } from './by-content.ts';
import { grantsOf, keyOf, withoutGrants } from './grants.ts';
import type { Evaluator, Violation } from './violations.ts';

const NONE: ReadonlySet<string> = new Set();

/**
 * Returns the keys of the policy's grants that a pod needs. Somebody can remove all other grants together. After this,
 * the pod does not violate the policy in more ways than before.
 *
 * @param filled whether the pod is evaluated in the form that it has after defaulting
 */
export function neededGrants(
  content: PodContent,
  policy: ResolvedPolicy,
  filled: boolean,
  evaluator: Evaluator,
): ReadonlySet<string> {
  return runToEnd(findingNeededGrants(content, policy, filled, evaluator));
}

/** Does what neededGrants() does, in steps. */
export function* findingNeededGrants(
  content: PodContent,
  policy: ResolvedPolicy,
  filled: boolean,
  evaluator: Evaluator,
): Generator<void, ReadonlySet<string>> {
  const keys = allKeys(policy);
  if (keys.length === 0) return NONE;
  const asked = { content, policy, filled, evaluator };
  try {
    // Most pods need no grant. Some policies differ only in their grants. These policies share this result in the
    // evaluator's cache.
    if (violationsOf(asked, withoutAll(policy).after).length === 0) return NONE;
    if (!Object.isFrozen(content.spec)) return yield* findingNeedsAnew(asked, keys);
    const known = knownNeeds(evaluator)(policy).of(filled);
    const before = known.get(content);
    const found = before ?? shared(() => findingNeedsAnew(asked, keys));
    if (!before) known.set(content, found);
    return yield* found();
  } catch (error) {
    if (error instanceof TooExpensive) return new Set(keys);
    throw error;
  }
}

const allKeys = perObject((policy: ResolvedPolicy): readonly string[] => grantsOf(policy).map(keyOf));
const withoutAll = perObject((policy: ResolvedPolicy) => changedChecks(policy)(allKeys(policy).join('\n')));

const knownNeeds = perObject((_: Evaluator) =>
  perObject((_: ResolvedPolicy) => new ByForm<() => Generator<void, ReadonlySet<string>>>()),
);

interface Asked {
  readonly content: PodContent;
  readonly policy: ResolvedPolicy;
  readonly filled: boolean;
  readonly evaluator: Evaluator;
}

function* findingNeedsAnew(asked: Asked, keys: readonly string[]): Generator<void, ReadonlySet<string>> {
  if (!isWorse(asked, keys)) return NONE;
  const needed = new Set<string>();
  for (const key of keys) {
    yield;
    if (isWorse(asked, [key])) needed.add(key);
  }
  yield;
  const others = keys.filter((key) => !needed.has(key));
  // Any one of several grants may be enough for a pod. If one of several grants is enough, the function returns all of
  // these grants as needed.
  return isWorse(asked, others) ? new Set(keys) : needed;
}

/** Whether the pod violates the policy in more ways after the policy loses the grants. */
function isWorse(asked: Asked, keys: readonly string[]): boolean {
  if (keys.length === 0) return false;
  const { before, after } = changedChecks(asked.policy)(keys.join('\n'));
  const then = violationsOf(asked, after);
  if (then.length === 0) return false;
  const now = new Set(violationsOf(asked, before).map(withoutAdvice));
  return then.some((one) => !now.has(withoutAdvice(one)));
}

function violationsOf({ content, policy, filled, evaluator }: Asked, checks: PolicyChecks): readonly Violation[] {
  const asIs = evaluator.violations(content, checks);
  return !filled || !policy.defaulting || asIs.length === 0 ? asIs : evaluator.violations(content, checks, true);
}

/**
 * Returns the violation without the end of its message. The end has the accepted values in parentheses, and the entry
 * of `spec.containers`. The end of a message changes with the grants.
 */
function withoutAdvice({ rule, container, path, message }: Violation): string {
  const said = message.replace(/, by spec\.containers\[\d+\]$/, '').replace(/ \([^(]*\)$/, '');
  return JSON.stringify([rule, container, path, said]);
}

type PolicyChecks = Pick<ResolvedPolicy, 'checks' | 'filledChecks'>;

/**
 * The loss of grants changes the values of some rules. The result has the checks of the rules with changed values. One
 * list has the checks before the policy loses the grants. The other list has the checks after the policy loses the
 * grants.
 */
const changedChecks = perObject((policy: ResolvedPolicy) => {
  const known = new Map<string, { readonly before: PolicyChecks; readonly after: PolicyChecks }>();
  return (keys: string) => {
    const found = known.get(keys) ?? changedChecksAnew(policy, new Set(keys.split('\n')));
    known.set(keys, found);
    return found;
  };
});

function changedChecksAnew(policy: ResolvedPolicy, keys: ReadonlySet<string>) {
  const { standard, spec, defaulting } = policy;
  const reduced = withoutGrants(spec, keys);
  const values = Object.fromEntries(RULES.map((rule) => [rule.id, rule.value(reduced.overrides ?? {}, standard)]));
  const after: Valued = { values, containers: containerEntries(reduced, standard, values), standard };
  const text = ({ values: all, containers }: Valued, id: string) =>
    JSON.stringify([all[id], containers.map(({ selects, values: own }) => [selects, own[id]])]);
  const rules = RULES.filter(({ id }) => text(policy, id) !== text(after, id));
  const checks = (valued: Valued): PolicyChecks => {
    const asIs = checksOfRules(rules, valued, false);
    return { checks: asIs, filledChecks: defaulting ? checksOfRules(rules, valued, true) : asIs };
  };
  return { before: checks(policy), after: checks(after) };
}
