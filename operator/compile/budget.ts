/**
 * Which policies fit together: an admission policy carries its siblings, and the API server grants it a budget. What does
 * not fit for a pod of 100 containers is refused before anything is rendered, newest policy first.
 */
import { siblings } from '../policy/deciding.ts';
import type { Refusal, ResolvedPolicy, RuleChecks } from '../policy/resolve.ts';
import { violationsCel } from './pod-cel.ts';

/** k8s.io/apiserver/pkg/apis/cel/config.go RuntimeCELCostBudget, less what the decision's own text costs. */
const COST_BUDGET = 9_900_000;
/** k8s.io/apiserver/pkg/cel/library/cost.go: of an authorizer check; a policy asks for the service account and the creator. */
const AUTHORIZER_CHECK = 350_000;
const CONTAINERS = 100;
/** An object in etcd is at most 1.5 MiB (--max-request-bytes), its managed fields included. */
const TEXT_BUDGET = 1_200_000;
/** A name, a field, an operator or a literal: each costs about 1 whenever it is evaluated. */
const WORD = /[A-Za-z_]\w*|"[^"]*"|\d+|[=!<>]=|&&|\|\||[!?<>+]/g;

interface Price {
  readonly cost: number;
  /** In characters. */
  readonly text: number;
}

interface Draft {
  readonly policy: ResolvedPolicy;
  readonly parties: ResolvedPolicy[];
  cost: number;
  text: number;
}

export interface Fitting {
  readonly policies: readonly ResolvedPolicy[];
  readonly refusals: ReadonlyMap<string, Refusal>;
}

/** @param policies the oldest first: what was there stays when something new does not fit beside it */
export function fitTogether(policies: readonly ResolvedPolicy[]): Fitting {
  const accepted: Draft[] = [];
  const refusals = new Map<string, Refusal>();
  for (const policy of policies) {
    const { cost, text } = priceOf(policy);
    const known = accepted.map((draft) => draft.policy);
    const carriers = accepted.filter((draft) => siblings(draft.policy, [policy]).length > 0);
    const own: Draft = { policy, parties: [], cost, text };
    for (const sibling of siblings(policy, known)) add(own, sibling, priceOf(sibling));
    const over = [own, ...carriers].find(
      (draft) =>
        draft.cost + (draft === own ? 0 : cost) > COST_BUDGET || draft.text + (draft === own ? 0 : text) > TEXT_BUDGET,
    );
    if (over) {
      refusals.set(policy.name, refusal(policy, over));
      continue;
    }
    for (const carrier of carriers) add(carrier, policy, { cost, text });
    accepted.push(own);
  }
  return { policies: accepted.map((draft) => draft.policy), refusals };
}

/** What a policy adds to each admission policy that carries it, for a pod that every check has to look at whole. */
export function priceOf(policy: ResolvedPolicy): Price {
  const passes = policy.defaulting ? [policy.checks, policy.filledChecks] : [policy.checks];
  const use = policy.usableBy === 'Everyone' ? 0 : 2 * AUTHORIZER_CHECK;
  return {
    cost: use + passes.reduce((sum, checks) => sum + costOf(checks), 0),
    text: passes.reduce((sum, checks) => sum + JSON.stringify(violationsCel(checks)).length, 0),
  };
}

function costOf(ofRules: readonly RuleChecks[]): number {
  const each = ofRules
    .flatMap(({ checks }) => checks)
    .map(({ over, violates }) => (over === 'pod' ? 1 : CONTAINERS) * (violates.match(WORD)?.length ?? 0));
  return each.reduce((sum, cost) => sum + cost, 0);
}

function add(draft: Draft, party: ResolvedPolicy, { cost, text }: Price): void {
  draft.parties.push(party);
  draft.cost += cost;
  draft.text += text;
}

function refusal(policy: ResolvedPolicy, { policy: carrier, parties }: Draft): Refusal {
  const names = [...new Set([policy, carrier, ...parties].map(({ name }) => name))].sort();
  const message = `too many policies may decide in the same namespace: ${names.join(', ')}; checking them all for a pod of ${CONTAINERS} containers costs more than the API server grants. Narrow namespaceSelector so that fewer of them meet, or write usableBy: Everyone where who may use a policy does not matter`;
  return { reason: 'TooExpensive', message };
}
