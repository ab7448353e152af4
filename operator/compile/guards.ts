/**
 * Enforce policies → their guards. One guard is enough for most clusters; where its text or its cost would be more than the
 * API server takes, there are several, and a change of a namespace has to pass all of them.
 *
 * Splitting changes no answer. Whether a policy decides in a namespace depends on its siblings alone, and a policy that
 * joins it there is a sibling too: of the same priority, with a selector that meets its own. So a guard that carries the
 * siblings of the policies that it guards says of these what one guard for all policies would say
 * (test/compile/guards.test.ts).
 */
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

/** One check for all policies, then one for each that a change takes something from; two are left for the selectors. */
const GUARDED = Math.floor(COST_BUDGET / AUTHORIZER_CHECK) - 3;
/** Without variables both checks are made for each policy, and each validation holds the selectors of all. */
const GUARDED_WITHOUT_VARIABLES = Math.floor(COST_BUDGET / (2 * AUTHORIZER_CHECK)) - 1;
/** What a guard says beside the selectors, in characters: by itself, of each policy that it knows, of each that it guards. */
const TEXT = { guard: 8_000, party: 600, guarded: 1_200 };

/** @param siblings of each policy */
export function guardsOf(
  siblings: ReadonlyMap<ResolvedPolicy, readonly ResolvedPolicy[]>,
  options: AdmissionOptions,
): Guard[] {
  const enforcing = [...siblings.keys()].filter(({ mode }) => mode === 'Enforce');
  const wanted = wantedLabels(enforcing);
  return groupsOf(enforcing, siblings).map(({ policies, parties }, index) => {
    const name = guardName(index);
    const carried = [...parties].filter((party) => !policies.includes(party));
    const draft = guardPolicy({ name, policies, carried, wanted, binds: index === 0 }, options);
    return {
      admission: admissionSet(name, 'capabilitypolicy.guard', policies, [draft]),
      policies: policies.map((policy) => policy.name),
    };
  });
}

/** In the given order, each as large as it may be. */
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
