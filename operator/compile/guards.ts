/**
 * Enforce policies → their guards. One guard is enough for most clusters. If its text or cost would exceed the API
 * server's limits, there are several, and a change to a namespace has to pass all of them.
 *
 * Splitting does not change any answer. Whether a policy decides in a namespace depends only on its siblings, and a
 * policy that decides beside it is also a sibling: it has the same priority and an overlapping selector. So a guard
 * that contains the siblings of its policies gives the same answer for these as one guard for all policies
 * (test/compile/guards.test.ts).
 */
import { idOf, type Memo, perObject } from '../policy/memo.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { type AdmissionSet, admissionSet, guardName } from './admission-set.ts';
import { COST_BUDGET, TEXT_BUDGET } from './budget.ts';
import { AUTHORIZER_CHECK } from './decision-forms.ts';
import { guardPolicy, guardsByVariables, selectedCel } from './guard.ts';
import { labelsByPolicy } from './guard-label.ts';
import { scopeKey } from './guard-scope.ts';
import type { AdmissionOptions } from './match.ts';
import { EXPRESSION_BUDGET } from './pod-cel.ts';

export interface Guard {
  readonly admission: AdmissionSet;
  /** The IDs of the policies that it guards. */
  readonly policies: readonly string[];
}

interface Group {
  readonly policies: readonly ResolvedPolicy[];
  /** These and their siblings. */
  readonly candidates: ReadonlySet<ResolvedPolicy>;
}

/**
 * One check for all policies, then one for each policy that a change weakens; two checks' cost is left for the
 * selectors.
 */
const GUARDED = Math.floor(COST_BUDGET / AUTHORIZER_CHECK) - 3;
/** Without variables, each policy needs both checks, and each validation contains the selectors of all policies. */
const GUARDED_WITHOUT_VARIABLES = Math.floor(COST_BUDGET / (2 * AUTHORIZER_CHECK)) - 1;
/**
 * A guard's text without the selectors, in characters: fixed, its match conditions, for each policy that it contains,
 * for each that it guards.
 */
const TEXT = { guard: 8_000, conditions: 5_000, candidate: 600, guarded: 1_200 };

/** The number of policies that require the same label from which on they share guards of their own. */
const OWN_GUARD = 8;

/** @param siblings by policy; the order of the policies is that of the guards */
export function guardsOf(
  siblings: ReadonlyMap<ResolvedPolicy, readonly ResolvedPolicy[]>,
  options: AdmissionOptions,
  memo: Memo<Guard>,
): Guard[] {
  const enforcing = [...siblings.keys()].filter(({ mode }) => mode === 'Enforce');
  const wanted = labelsByPolicy(enforcing);
  return groupsOf(enforcing, siblings).map(({ policies, candidates }, index) => {
    const name = guardName(index);
    const carried = [...candidates].filter((candidate) => !policies.includes(candidate));
    const key = JSON.stringify([
      name,
      policies.map(idOf),
      carried.map(idOf),
      options.operatorNamespace,
      options.excludedNamespaces,
    ]);
    return memo.get(key, () => {
      const draft = guardPolicy({ name, policies, carried, wanted, binds: index === 0 }, options);
      return {
        admission: admissionSet(name, 'capabilitypolicy.guard', policies, [draft]),
        policies: policies.map(({ id }) => id),
      };
    });
  });
}

/**
 * An Enforce policy is in force only together with the guard of its namespaces and the first guard, which checks
 * bindings.
 */
export function guardsNeededBy(policy: string, guards: readonly Guard[]): Guard[] {
  const own = guardsByPolicy(guards).get(policy);
  return own ? [...new Set([own, ...guards.slice(0, 1)])] : [];
}

const guardsByPolicy = perObject(
  (guards: readonly Guard[]) => new Map(guards.flatMap((guard) => guard.policies.map((policy) => [policy, guard]))),
);

/** Tells what the policies of a guard have in common. */
type ScopeFor = (policy: ResolvedPolicy) => string | undefined;

/** In the given order, each as large as possible. */
function groupsOf(
  policies: readonly ResolvedPolicy[],
  siblings: ReadonlyMap<ResolvedPolicy, readonly ResolvedPolicy[]>,
): Group[] {
  const fits = fitting(policies);
  const groups = grouped(policies, siblings, fits, () => undefined);
  return groups.length === 1 ? groups : grouped(policies, siblings, fits, scopesOf(policies));
}

/** The label that a policy requires, so that a guard skips namespaces without it; undefined where few policies require it. */
function scopesOf(policies: readonly ResolvedPolicy[]): ScopeFor {
  const byLabel = Map.groupBy(policies, scopeKey);
  return (policy) => {
    const label = scopeKey(policy);
    return (byLabel.get(label)?.length ?? 0) < OWN_GUARD ? undefined : label;
  };
}

function grouped(
  policies: readonly ResolvedPolicy[],
  siblings: ReadonlyMap<ResolvedPolicy, readonly ResolvedPolicy[]>,
  fits: (group: Group) => boolean,
  scopeFor: ScopeFor,
): Group[] {
  const groups: Group[] = [];
  /** The position of the last group of each scope. */
  const last = new Map<string | undefined, number>();
  for (const policy of policies) {
    const own = [policy, ...(siblings.get(policy) ?? [])];
    const scope = scopeFor(policy);
    const index = last.get(scope) ?? -1;
    const group = groups[index];
    const wider = group && { policies: [...group.policies, policy], candidates: group.candidates.union(new Set(own)) };
    if (wider && fits(wider)) groups[index] = wider;
    else last.set(scope, groups.push({ policies: [policy], candidates: new Set(own) }) - 1);
  }
  return groups;
}

/** Whether an API server takes the guard of a group. */
function fitting(policies: readonly ResolvedPolicy[]): (group: Group) => boolean {
  const lengths = new Map(policies.map((policy) => [policy, JSON.stringify(selectedCel(policy.selector)).length]));
  return ({ policies, candidates }) => {
    const selectors = [...candidates].reduce((sum, candidate) => sum + (lengths.get(candidate) ?? 0), 0);
    const known = TEXT.guard + selectors + TEXT.candidate * candidates.size;
    if (guardsByVariables(policies)) {
      return policies.length <= GUARDED && TEXT.conditions + known + TEXT.guarded * policies.length <= TEXT_BUDGET;
    }
    const fitsEach = known <= EXPRESSION_BUDGET && TEXT.conditions + known * policies.length <= TEXT_BUDGET;
    return policies.length <= GUARDED_WITHOUT_VARIABLES && fitsEach;
  };
}
