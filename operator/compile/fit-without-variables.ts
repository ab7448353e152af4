/**
 * Which policies fit together where API servers have no variables (standards/server-features.ts): a whole decision is one
 * expression, with one limit for its length and its cost. Policies that do not fit are refused before anything is rendered:
 * new or changed policies, the newest first (docs/decisions/0016).
 */
import { influencedBy, influencing } from '../policy/deciding.ts';
import type { Parts } from '../policy/parts.ts';
import type { Refusal, ResolvedPolicy } from '../policy/resolve.ts';
import { isSameSelector } from '../policy/selector.ts';
import { SelectorIndex } from '../policy/selector-index.ts';
import { offeredSince } from '../standards/server-features.ts';
import { namesOf as namespacesOf } from './partition.ts';
import { costInParts } from './pod-cel.ts';
import { MOST } from './programs.ts';
import { textOfRow } from './table.ts';

/** k8s.io/apiserver/pkg/cel/library/cost.go: the service account and the creator are asked about. */
const USE_COST = 2 * 350_000;
/** k8s.io/apiserver/pkg/apis/cel/config.go PerCallLimit, less what the decision's own text costs. */
const EXPRESSION_COST = 950_000;
/** RuntimeCELCostBudgetMatchConditions in the same file: the limit for all match conditions of an admission policy. */
const MATCH_CONDITIONS_COST = 2_500_000;
/** A condition's message has room for this many names. */
const NAMED = 14;

interface Fitting {
  readonly policies: readonly ResolvedPolicy[];
  /** By name. */
  readonly refusals: ReadonlyMap<string, Refusal>;
}

export interface Candidate {
  /** The possible versions of a policy, the preferred one first. If that one does not fit, it is refused and the next one stays. */
  readonly versions: readonly Parts[];
  /** The preferred version as it will be once its namespaces are labelled; they are not, if this does not fit. */
  readonly later: Parts;
}

/** @param candidates policies in force first, which stay when a new one does not fit */
export function fitWithoutVariables(candidates: readonly Candidate[]): Fitting {
  const index = new SelectorIndex(candidates.flatMap(({ versions, later }) => [...versions.flat(), ...later]));
  let kept: readonly ResolvedPolicy[] = [];
  const refusals = new Map<string, Refusal>();
  for (const { versions, later } of candidates) {
    for (const [i, parts] of versions.entries()) {
      const refusal = refusalOf(parts, kept, index) ?? (i === 0 ? refusalOf(later, kept, index) : undefined);
      if (!refusal) {
        kept = [...kept, ...parts];
        break;
      }
      if (i === 0) refusals.set(parts[0]?.name ?? '', refusal);
    }
  }
  return { policies: kept, refusals };
}

function refusalOf(
  parts: Parts,
  kept: readonly ResolvedPolicy[],
  index: SelectorIndex<ResolvedPolicy>,
): Refusal | undefined {
  const all = [...kept, ...parts];
  for (const policy of parts) {
    const known = index.overlapping(policy.selector).filter((one) => all.includes(one));
    for (const one of [policy, ...influencedBy(policy, known)]) {
      const together = [one, ...influencing(one, one === policy ? known : all)];
      const problem = problemOf(together);
      if (problem) return tooMany(together, problem);
    }
  }
  // Every program contains those that do not select by name.
  const general = all.filter((policy) => policy.mode === parts[0]?.mode && namespacesOf(policy) === undefined);
  const length = general.reduce((total, policy) => total + textOfRow(policy).length, 0);
  return length > MOST.withoutVariables ? tooMany(general, 'text') : undefined;
}

function problemOf(together: readonly ResolvedPolicy[]): 'cost' | undefined {
  const checks = together.reduce((total, policy) => total + costInParts(policy.checks), 0);
  const asking = together.filter(({ usableBy }) => usableBy !== 'Everyone').length;
  const expression = checks + (asking > 0 ? USE_COST : 0);
  // A match condition can't read the namespace, so it works only where all policies decide in the same ones.
  if (asking > 1 && !areAlike(together)) return 'cost';
  if (expression > EXPRESSION_COST) return 'cost';
  return asking > 1 && asking * expression > MATCH_CONDITIONS_COST ? 'cost' : undefined;
}

/** Whether they have the same selector and priority. */
function areAlike([first, ...others]: readonly ResolvedPolicy[]): boolean {
  return others.every(
    (other) => first && other.priority === first.priority && isSameSelector(other.selector, first.selector),
  );
}

function tooMany(policies: readonly ResolvedPolicy[], problem: 'cost' | 'text'): Refusal {
  const since = offeredSince('admissionVariables');
  const why =
    problem === 'cost'
      ? `an API server below ${since} checks few policies with usableBy Subjects or Bindings in one namespace, and only where all have the same namespaceSelector and priority. Write usableBy: Everyone where who may use a policy does not matter`
      : `together they are longer than an API server below ${since} accepts`;
  const message = `too many policies may decide in the same namespace: ${why}, narrow namespaceSelector so that fewer of them meet, or upgrade every API server to ${since}. They are ${namesOf(policies)}`;
  return { reason: 'TooExpensive', message };
}

function namesOf(policies: readonly ResolvedPolicy[]): string {
  const names = [...new Set(policies.map(({ name }) => name))].sort();
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return `${names.slice(0, NAMED).join(', ')}${more}`;
}
