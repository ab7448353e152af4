/**
 * Enforce policies → their guards. One guard is enough for most clusters. If its text or cost would exceed the API
 * server's limits, there are several, and a change to a namespace has to pass all of them.
 *
 * Splitting does not change any answer. Whether a policy decides in a namespace depends only on its siblings, and a
 * policy that decides beside it is also a sibling: it has the same priority and an overlapping selector. So a guard
 * that contains the siblings of its policies gives the same answer for these as one guard for all policies
 * (test/compile/guards.test.ts).
 */
import { idOf, type Memo } from '../policy/memo.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { type AdmissionSet, admissionSet, guardName } from './admission-set.ts';
import { COST_BUDGET, TEXT_BUDGET } from './budget.ts';
import { AUTHORIZER_CHECK } from './decision-forms.ts';
import { guardPolicy, guardsByVariables, selectedCel } from './guard.ts';
import { wantedLabels } from './guard-label.ts';
import type { AdmissionOptions } from './match.ts';
import { EXPRESSION_BUDGET } from './pod-cel.ts';

export interface Guard {
  readonly admission: AdmissionSet;
  /** The policies that it guards, by name. */
  readonly policies: readonly string[];
}

interface Group {
  readonly policies: readonly ResolvedPolicy[];
  /** These and their siblings. */
  readonly parties: ReadonlySet<ResolvedPolicy>;
}

/**
 * One check for all policies, then one for each policy that a change weakens; two checks' cost is left for the
 * selectors.
 */
const GUARDED = Math.floor(COST_BUDGET / AUTHORIZER_CHECK) - 3;
/** Without variables, each policy needs both checks, and each validation contains the selectors of all policies. */
const GUARDED_WITHOUT_VARIABLES = Math.floor(COST_BUDGET / (2 * AUTHORIZER_CHECK)) - 1;
/**
 * A guard's text without the selectors, in characters: fixed, for each policy that it contains, for each that it
 * guards.
 */
const TEXT = { guard: 8_000, party: 600, guarded: 1_200 };

/** @param siblings by policy; the order of the policies is that of the guards */
export function guardsOf(
  siblings: ReadonlyMap<ResolvedPolicy, readonly ResolvedPolicy[]>,
  options: AdmissionOptions,
  memo: Memo<Guard>,
): Guard[] {
  const enforcing = [...siblings.keys()].filter(({ mode }) => mode === 'Enforce');
  const wanted = wantedLabels(enforcing);
  return groupsOf(enforcing, siblings).map(({ policies, parties }, index) => {
    const name = guardName(index);
    const carried = [...parties].filter((party) => !policies.includes(party));
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
        policies: policies.map((policy) => policy.name),
      };
    });
  });
}

/** Keeps the given order, and makes each guard as large as possible. */
function groupsOf(
  policies: readonly ResolvedPolicy[],
  siblings: ReadonlyMap<ResolvedPolicy, readonly ResolvedPolicy[]>,
): Group[] {
  const lengths = new Map(policies.map((policy) => [policy, JSON.stringify(selectedCel(policy.selector)).length]));
  const fits = ({ policies, parties }: Group) => {
    const selectors = [...parties].reduce((sum, party) => sum + (lengths.get(party) ?? 0), 0);
    const known = TEXT.guard + selectors + TEXT.party * parties.size;
    if (guardsByVariables(policies)) {
      return policies.length <= GUARDED && known + TEXT.guarded * policies.length <= TEXT_BUDGET;
    }
    const fitsEach = known <= EXPRESSION_BUDGET && known * policies.length <= TEXT_BUDGET;
    return policies.length <= GUARDED_WITHOUT_VARIABLES && fitsEach;
  };
  const groups: Group[] = [];
  for (const policy of policies) {
    const own = [policy, ...(siblings.get(policy) ?? [])];
    const last = groups.at(-1);
    const wider = last && { policies: [...last.policies, policy], parties: last.parties.union(new Set(own)) };
    if (wider && fits(wider)) groups[groups.length - 1] = wider;
    else groups.push({ policies: [policy], parties: new Set(own) });
  }
  return groups;
}
