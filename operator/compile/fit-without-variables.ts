/**
 * The limits for API servers without variables (standards/server-features.ts). Without variables, a whole decision is
 * one expression. The API server limits the length and the cost of an expression (docs/decisions/0016).
 */
import { influencedBy, influencing } from '../policy/deciding.ts';
import type { Parts } from '../policy/parts.ts';
import type { Refusal, ResolvedPolicy } from '../policy/resolve.ts';
import { isSameSelector } from '../policy/selector.ts';
import { SelectorIndex } from '../policy/selector-index.ts';
import { offeredSince } from '../standards/server-features.ts';
import { type Candidate, type Limit, namesIn } from './fit.ts';
import { fitIntoExpression } from './fit-into-expression.ts';
import { namesOf } from './partition.ts';
import { costInUnits } from './pod-cel.ts';
import { MOST } from './programs.ts';
import { rowText } from './table.ts';

/**
 * The cost of two authorizer checks. One check is for the pod's service account. The other check is for the pod's
 * creator (k8s.io/apiserver/pkg/cel/library/cost.go).
 */
const USE_COST = 2 * 350_000;
/**
 * The maximum cost of the checks in an expression. The rest of the expression also has a cost, so the maximum is below
 * the API server's limit (PerCallLimit in k8s.io/apiserver/pkg/apis/cel/config.go).
 */
const EXPRESSION_COST = 950_000;
/**
 * The maximum cost of all match conditions of an admission policy together (RuntimeCELCostBudgetMatchConditions in
 * k8s.io/apiserver/pkg/apis/cel/config.go).
 */
const MATCH_CONDITIONS_COST = 2_500_000;

export class FitWithoutVariables implements Limit {
  readonly #index: SelectorIndex<ResolvedPolicy>;
  readonly #candidates: readonly ResolvedPolicy[];
  #kept: readonly ResolvedPolicy[] = [];

  constructor(candidates: readonly Candidate[]) {
    this.#candidates = candidates.flatMap(({ versions, later }) => [...versions.flat(), ...later]);
    this.#index = new SelectorIndex(this.#candidates);
  }

  keep(parts: Parts): void {
    this.#kept = [...this.#kept, ...parts];
  }

  refusalOf(parts: Parts): Refusal | undefined {
    const all = [...this.#kept, ...parts];
    for (const policy of parts) {
      const known = this.#index.overlapping(policy.selector).filter((one) => all.includes(one));
      for (const one of [policy, ...influencedBy(policy, known)]) {
        const together = [one, ...influencing(one, one === policy ? known : all)];
        const problem = problemOf(together);
        if (problem) return tooMany(together, problem);
      }
    }
    const tooLong = parts.map((policy) => this.#tooLongWith(policy, all)).find((some) => some !== undefined);
    return tooLong && tooMany(tooLong, 'text');
  }

  /**
   * The policies that must share a program with the given policy. The result is undefined if this program is short
   * enough.
   */
  #tooLongWith(policy: ResolvedPolicy, all: readonly ResolvedPolicy[]): readonly ResolvedPolicy[] | undefined {
    const ofMode = (some: readonly ResolvedPolicy[]) => some.filter(({ mode }) => mode === policy.mode);
    const named = ofMode(all).filter((one) => namesOf(one) !== undefined);
    // If a policy does not select namespaces by name, every program contains the policy.
    const general = ofMode(all).filter((one) => namesOf(one) === undefined);
    const length = general.reduce((total, one) => total + rowText(one).length, 0);
    if (length > MOST.withoutVariables) return general;
    // In most clusters, all candidates together fit into one expression.
    if (fitIntoExpression(ofMode(this.#candidates))) return undefined;
    const names = namesOf(policy) ?? [...new Set(named.flatMap((one) => namesOf(one) ?? []))];
    const inNamespace = (name: string) => [...general, ...named.filter((one) => namesOf(one)?.includes(name))];
    return [general, ...names.map(inNamespace)].find((some) => !fitIntoExpression(some));
  }
}

function problemOf(together: readonly ResolvedPolicy[]): 'cost' | undefined {
  const checks = together.reduce((total, policy) => total + costInUnits(policy.checks), 0);
  const asking = together.filter(({ usableBy }) => usableBy !== 'Everyone').length;
  const expression = checks + (asking > 0 ? USE_COST : 0);
  // A match condition cannot read the namespace. For match conditions, all policies must therefore decide in the same
  // namespaces.
  if (asking > 1 && !areAlike(together)) return 'cost';
  if (expression > EXPRESSION_COST) return 'cost';
  return asking > 1 && asking * expression > MATCH_CONDITIONS_COST ? 'cost' : undefined;
}

/** Whether the policies have the same selector and priority. */
function areAlike([first, ...others]: readonly ResolvedPolicy[]): boolean {
  return others.every(
    (other) => first && other.priority === first.priority && isSameSelector(other.selector, first.selector),
  );
}

function tooMany(policies: readonly ResolvedPolicy[], problem: 'cost' | 'text'): Refusal {
  const since = offeredSince('admissionVariables');
  const problemAndFix =
    problem === 'cost'
      ? `an API server below ${since} can check only few policies with usableBy Subjects or Bindings in one namespace, and only if all of them have the same namespaceSelector and priority. Write usableBy: Everyone for policies that everybody may use, narrow`
      : `together they are longer than an API server below ${since} accepts. Narrow`;
  const message = `too many policies may decide in the same namespace: ${problemAndFix} namespaceSelector so that fewer policies share a namespace, or upgrade every API server to ${since}. The policies are ${namesIn(policies)}`;
  return { reason: 'TooExpensive', message };
}
