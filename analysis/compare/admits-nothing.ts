/**
 * Finds policies that admit no pod, or that admit only pods for Windows. The finding names the rules that cause the
 * finding.
 */
import type { ResolvedPolicy, RuleChecks } from '../../operator/policy/resolve.ts';
import { FOR_WINDOWS } from '../../operator/rules/cel.ts';
import type { Check } from '../../operator/rules/rule.ts';
import type { Questions } from './compare.ts';
import { type Finding, listed } from './finding.ts';
import { isProved } from './redundancy.ts';
import { areSame, everywhere } from './same-sets.ts';
import { PLAIN_PODS } from './sample-pods.ts';

/**
 * The search leaves out pods for Windows, because most rules exempt pods for Windows.
 *
 * @returns undefined if API servers and the policy accept some pod that is not for Windows
 * @throws TooMany or NotDecided if the question is not decided
 */
export function admitsNothing(policy: ResolvedPolicy, questions: Questions): Finding | undefined {
  const others = notForWindows(policy);
  if (!isEmpty(others, questions)) return undefined;
  const isEmptyForAll = isEmpty(policy, questions);
  const all = [...new Set([...policy.checks, ...policy.filledChecks].map(({ rule }) => rule))];
  const examined = isEmptyForAll ? policy : others;
  const isEmptyWith = (rules: readonly string[]) => isProved(() => isEmpty(onlyWith(rules, examined), questions));
  const rules = contradicting(all, isEmptyWith);
  return {
    kind: isEmptyForAll ? 'admits-nothing' : 'admits-only-windows',
    policy: policy.name,
    others: [],
    rules,
    message: messageFor(rules, isEmptyForAll ? 'no pod' : 'no pod but those for Windows'),
  };
}

function messageFor(rules: readonly string[], none: string): string {
  return rules.length === 1
    ? `this policy admits ${none}, because of its rule ${rules[0]}; change the rule, or delete this policy`
    : `this policy admits ${none}, because its rules ${listed(rules)} contradict each other; change one of them, or delete this policy`;
}

/** An ID for the condition that a pod is not for Windows. No rule has this ID. */
const NOT_WINDOWS = 'not for Windows';

function notForWindows(policy: ResolvedPolicy): ResolvedPolicy {
  const check: Check = { over: 'pod', violates: FOR_WINDOWS, message: '""', path: '' };
  const added = { rule: NOT_WINDOWS, checks: [check] };
  return { ...policy, checks: [...policy.checks, added], filledChecks: [...policy.filledChecks, added] };
}

/**
 * Compares the policy with a copy that nobody may use. The result is true if the policy admits no more pods than the
 * copy.
 */
function isEmpty(policy: ResolvedPolicy, questions: Questions): boolean {
  if (PLAIN_PODS.some((pod) => questions.admits(policy, pod))) return false;
  const usable = everywhere(policy);
  const unusable: ResolvedPolicy = { ...usable, usableBy: 'Bindings' };
  const isExcluded = () => false;
  return areSame({ policies: [usable], isExcluded }, { policies: [unusable], isExcluded }, questions);
}

function onlyWith(rules: readonly string[], policy: ResolvedPolicy): ResolvedPolicy {
  const kept = (checks: readonly RuleChecks[]) =>
    checks.filter(({ rule }) => rule === NOT_WINDOWS || rules.includes(rule));
  return { ...policy, checks: kept(policy.checks), filledChecks: kept(policy.filledChecks) };
}

/**
 * Finds a list of items that meets the condition `holds`. The list has as few items as possible. The condition must
 * hold for all items together. If the condition holds for list A, it must also hold for every list that contains A. The
 * algorithm is QuickXplain: U. Junker, AAAI 2004.
 *
 * @param always items that are part of every list
 */
function contradicting(
  items: readonly string[],
  holds: (items: readonly string[]) => boolean,
  always: readonly string[] = [],
  isNew = false,
): readonly string[] {
  if (isNew && holds(always)) return [];
  if (items.length <= 1) return items;
  const [first, second] = [items.slice(0, items.length / 2), items.slice(items.length / 2)];
  const ofSecond = contradicting(second, holds, [...always, ...first], true);
  const ofFirst = contradicting(first, holds, [...always, ...ofSecond], ofSecond.length > 0);
  return [...ofFirst, ...ofSecond];
}
