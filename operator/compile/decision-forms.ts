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
  type DecidingPolicy,
  decidersOf,
  deciderVariables,
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
  deciders: readonly DecidingPolicy[],
  skipped: readonly string[],
): DecisionForm {
  return offers(standard.server, 'admissionVariables')
    ? withAdmissionVariables(deciders, skipped)
    : withoutAdmissionVariables(deciders, skipped);
}

function variablesOf(deciders: readonly DecidingPolicy[]): Variable[] {
  return [...POD_VARIABLES, ...deciderVariables(deciders), ...decisionVariables(deciders)];
}

function withAdmissionVariables(deciders: readonly DecidingPolicy[], skipped: readonly string[]): DecisionForm {
  // Few variables: each costs a pod something, once for the validations and once for the message (plugin/cel/composition.go).
  const variables = [{ name: 'skipped', expression: or(IS_PROBE, ...skipped) }, ...variablesOf(deciders)];
  const admitted = ['variables.skipped', ...silent(deciders), 'variables.allowed'].join(' || ');
  const quiet = ['variables.skipped', ...silent(deciders), ...admitting(deciders)].join(' || ');
  const message = `${quiet} ? "" : variables.message`;
  const conditions = matchConditions(deciders, skipped);
  return { ...conditions, variables: needed(variables, [admitted, message]), admitted, message };
}

/**
 * Without variables, one expression contains the whole decision. Where several policies check the verb `use`, it would
 * exceed its cost limit. Then each of these policies gets a match condition, and the request is refused only if all of
 * them are true: docs/decisions/0016.
 */
function withoutAdmissionVariables(deciders: readonly DecidingPolicy[], skipped: readonly string[]): DecisionForm {
  const skips = or(IS_PROBE, ...skipped);
  const quiet = [...silent(deciders), ...admitting(deciders)];
  const variables = variablesOf(deciders);
  const message = [
    `(${skips})`,
    ...(quiet.length === 0 ? [] : [`(${withVariables(variables, quiet.join(' || '))})`]),
  ].join(' || ');
  const whole = `${message} ? "" : string(${valueWithVariables(variables, 'variables.message')})`;
  const { admitted, askingConditions } = decidingWithoutVariables(deciders, skipped);
  return {
    ...(askingConditions.length > 0 ? { matchConditions: askingConditions } : matchConditions(deciders, skipped)),
    admitted,
    ...(whole.length <= EXPRESSION_BUDGET && { message: whole }),
  };
}

/** The part of the decision that must fit: match conditions for compliant pods and the message may be left out. */
function decidingWithoutVariables(deciders: readonly DecidingPolicy[], skipped: readonly string[]) {
  const variables = [...POD_VARIABLES, ...deciderVariables(deciders)];
  const asking = deciders.filter(asksForUse);
  const apart = asking.length > 1;
  const askingConditions = (apart ? asking : []).map((decider, i) => ({
    name: `not-admitted-by-${i}`,
    expression: `(${IS_PROBE}) || !(${or(...skipped, withVariables(variables, settles(decider)))})`,
  }));
  const left = apart ? deciders.filter((decider) => !asksForUse(decider)) : deciders;
  const allowed = left.map(settles).join(' || ') || 'false';
  const decision = withVariables(variables, [...silent(deciders), allowed].join(' || '));
  return { admitted: `(${or(IS_PROBE, ...skipped)}) || ${decision}`, askingConditions };
}

function asksForUse({ policy }: DecidingPolicy): boolean {
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
  const deciders = decidersOf(policy, siblings);
  const checks = deciders.reduce((sum, decider) => sum + costInParts(decider.policy.checks), 0);
  const asking = deciders.filter(asksForUse).length;
  const use = 2 * AUTHORIZER_CHECK;
  // A match condition can't read the namespace, so match conditions work only where all policies decide in the same
  // ones.
  const apart = asking > 1 && !deciders.every(decidesEverywhere);
  const expression = checks + (asking > 0 ? use : 0);
  if (apart || expression > EXPRESSION_COST) return 'cost';
  if (asking > 1 && asking * expression > MATCH_CONDITIONS_COST) return 'cost';
  const { admitted, askingConditions } = decidingWithoutVariables(deciders, []);
  const longest = Math.max(admitted.length, ...askingConditions.map(({ expression }) => expression.length));
  return longest > 0.95 * EXPRESSION_BUDGET ? 'text' : undefined;
}

/**
 * CEL, bools: the reasons for this policy not to report the decision. Every policy that decides in a namespace refuses
 * its pods, so that deleting one opens no gap; one warning or audit annotation is enough.
 */
function silent(deciders: readonly DecidingPolicy[]): string[] {
  const [{ policy }] = deciders as [DecidingPolicy];
  const { decides, current } = together(deciders);
  const earlier = deciders
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
function together(deciders: readonly DecidingPolicy[]): Pick<DecidingPolicy, 'decides' | 'current'> {
  const [own] = deciders as [DecidingPolicy];
  const peers = deciders.filter(({ policy, matches }) => policy.priority === own.policy.priority && matches === ALWAYS);
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
function admitting(deciders: readonly DecidingPolicy[]): string[] {
  return deciders.filter((decider) => !asksForUse(decider)).map(settles);
}
