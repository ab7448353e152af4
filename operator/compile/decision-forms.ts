/**
 * The decision as a ValidatingAdmissionPolicy expresses it. API servers from Kubernetes 1.36 on get variables, which
 * they evaluate on first use. Variables crash older API servers (standards/server-features.ts), so these get the same
 * decision without variables, as far as their limits for one expression allow.
 */
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { or } from '../rules/cel.ts';
import { offers } from '../standards/server-features.ts';
import { needed, type Variable, valueWithVariables, withVariables } from './bound-variables.ts';
import {
  ALWAYS,
  type CandidatePolicy,
  candidatesOf,
  candidateVariables,
  decidesEverywhere,
  decisionVariables,
  settles,
} from './decision-cel.ts';
import { IS_PROBE, RESOURCE } from './match.ts';
import { matchConditions } from './match-conditions.ts';
import { costInParts, EXPRESSION_BUDGET, POD_VARIABLES } from './pod-cel.ts';

/**
 * k8s.io/apiserver/pkg/cel/library/cost.go: one authorizer check. A policy checks the service account and the creator.
 */
export const AUTHORIZER_CHECK = 350_000;
/** k8s.io/apiserver/pkg/apis/cel/config.go PerCallLimit, less what the decision's own text costs. */
const EXPRESSION_COST = 950_000;
/** RuntimeCELCostBudgetMatchConditions in the same file: the limit for all match conditions of an admission policy. */
const MATCH_CONDITIONS_COST = 2_500_000;

interface DecisionForm {
  readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[];
  readonly variables?: readonly Variable[];
  /** CEL, bool. */
  readonly admitted: string;
  /** CEL, string; empty where nobody reads it. Absent if it is longer than the API server accepts. */
  readonly message?: string;
}

/** @param skipped CEL, bools: which pods no policy judges */
export function decisionOf(
  { standard }: ResolvedPolicy,
  candidates: readonly CandidatePolicy[],
  skipped: readonly string[],
): DecisionForm {
  return offers(standard.server, 'admissionVariables')
    ? withAdmissionVariables(candidates, skipped)
    : withoutAdmissionVariables(candidates, skipped);
}

function variablesOf(candidates: readonly CandidatePolicy[]): Variable[] {
  return [...POD_VARIABLES, ...candidateVariables(candidates), ...decisionVariables(candidates)];
}

function withAdmissionVariables(candidates: readonly CandidatePolicy[], skipped: readonly string[]): DecisionForm {
  // Few variables: each costs a pod something, once for the validations and once for the message (plugin/cel/composition.go).
  const variables = [{ name: 'skipped', expression: or(IS_PROBE, ...skipped) }, ...variablesOf(candidates)];
  const admitted = ['variables.skipped', ...silent(candidates), 'variables.allowed'].join(' || ');
  const quiet = ['variables.skipped', ...silent(candidates), ...admitting(candidates)].join(' || ');
  const message = `${quiet} ? "" : variables.message`;
  const conditions = matchConditions(candidates, skipped);
  return { ...conditions, variables: needed(variables, [admitted, message]), admitted, message };
}

/**
 * Without variables, one expression contains the whole decision. Where several policies check the verb `use`, it would
 * exceed its cost limit. Then each of these policies gets a match condition, and the request is refused only if all of
 * them are true: docs/decisions/0016.
 */
function withoutAdmissionVariables(candidates: readonly CandidatePolicy[], skipped: readonly string[]): DecisionForm {
  const skips = or(IS_PROBE, ...skipped);
  const quiet = [...silent(candidates), ...admitting(candidates)];
  const variables = variablesOf(candidates);
  const message = [
    `(${skips})`,
    ...(quiet.length === 0 ? [] : [`(${withVariables(variables, quiet.join(' || '))})`]),
  ].join(' || ');
  const whole = `${message} ? "" : string(${valueWithVariables(variables, 'variables.message')})`;
  const { admitted, askingConditions } = decidingWithoutVariables(candidates, skipped);
  return {
    ...(askingConditions.length > 0 ? { matchConditions: askingConditions } : matchConditions(candidates, skipped)),
    admitted,
    ...(whole.length <= EXPRESSION_BUDGET && { message: whole }),
  };
}

/** The part of the decision that must fit: match conditions for compliant pods and the message may be left out. */
function decidingWithoutVariables(candidates: readonly CandidatePolicy[], skipped: readonly string[]) {
  const variables = [...POD_VARIABLES, ...candidateVariables(candidates)];
  const asking = candidates.filter(asksForUse);
  const apart = asking.length > 1;
  const askingConditions = (apart ? asking : []).map((candidate, i) => ({
    name: `not-admitted-by-${i}`,
    expression: `(${IS_PROBE}) || !(${or(...skipped, withVariables(variables, settles(candidate)))})`,
  }));
  const left = apart ? candidates.filter((candidate) => !asksForUse(candidate)) : candidates;
  const allowed = left.map(settles).join(' || ') || 'false';
  const decision = withVariables(variables, [...silent(candidates), allowed].join(' || '));
  return { admitted: `(${or(IS_PROBE, ...skipped)}) || ${decision}`, askingConditions };
}

function asksForUse({ policy }: CandidatePolicy): boolean {
  return policy.usableBy !== 'Everyone';
}

/**
 * Explains why a policy and its siblings do not fit into an admission policy without variables; undefined where they
 * fit, and for API servers that support variables.
 */
export function problemWithoutVariables(
  policy: ResolvedPolicy,
  siblings: readonly ResolvedPolicy[],
): 'cost' | 'text' | undefined {
  if (offers(policy.standard.server, 'admissionVariables')) return undefined;
  const candidates = candidatesOf(policy, siblings);
  const checks = candidates.reduce((sum, candidate) => sum + costInParts(candidate.policy.checks), 0);
  const asking = candidates.filter(asksForUse).length;
  const use = 2 * AUTHORIZER_CHECK;
  // A match condition can't read the namespace, so match conditions work only where all policies decide in the same
  // ones.
  const apart = asking > 1 && !candidates.every(decidesEverywhere);
  const expression = checks + (asking > 0 ? use : 0);
  if (apart || expression > EXPRESSION_COST) return 'cost';
  if (asking > 1 && asking * expression > MATCH_CONDITIONS_COST) return 'cost';
  const { admitted, askingConditions } = decidingWithoutVariables(candidates, []);
  const longest = Math.max(admitted.length, ...askingConditions.map(({ expression }) => expression.length));
  return longest > 0.95 * EXPRESSION_BUDGET ? 'text' : undefined;
}

/**
 * CEL, bools: the reasons for this policy not to report the decision. Every policy that decides in a namespace refuses
 * its pods, so that deleting one opens no gap; one warning or audit annotation is enough.
 */
function silent(candidates: readonly CandidatePolicy[]): string[] {
  const [{ policy }] = candidates as [CandidatePolicy];
  const { decides, current } = together(candidates);
  const earlier = candidates
    .filter((other) => other.policy.priority === policy.priority && other.policy.name < policy.name)
    .map((other) => other.decides);
  const silent = [...(decides === ALWAYS ? [] : [`!(${decides})`]), ...earlier].join(' || ');
  if (silent === '') return [];
  if (policy.mode !== 'Enforce') return [silent];
  // An expired policy counts as deleted: policies of a lower priority, which are not in this text, may decide now.
  const expired = current === ALWAYS ? [] : [`!(${current})`];
  return [...expired, `(${RESOURCE} != "pods" && (${silent}))`];
}

/** The policy and its peers, for which it decides (docs/decisions/0006): some of them may have expired. */
function together(candidates: readonly CandidatePolicy[]): Pick<CandidatePolicy, 'decides' | 'current'> {
  const [own] = candidates as [CandidatePolicy];
  const peers = candidates.filter(
    ({ policy, matches }) => policy.priority === own.policy.priority && matches === ALWAYS,
  );
  const lasting = peers.find(({ current }) => current === ALWAYS);
  if (lasting) return lasting;
  return {
    decides: or(...peers.map(({ decides }) => decides)),
    current: peers.map(({ current }) => current).join(' || '),
  };
}

/**
 * CEL, bools: the conditions under which nobody reads the message. The API server evaluates it whatever the validation
 * returned, with fresh variables and without an authorizer (plugin/policy/validating/validator.go), so only policies
 * for everyone can tell.
 */
function admitting(candidates: readonly CandidatePolicy[]): string[] {
  return candidates.filter((candidate) => !asksForUse(candidate)).map(settles);
}
