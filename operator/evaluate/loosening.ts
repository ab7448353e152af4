/**
 * Finds policies that loosen a rolled-out policy. Policy A is rolled out. The rollout enforces policy A in a namespace
 * when all workloads would be admitted after the promotion. Policy B is looser, is for everybody, and has the same or a
 * higher priority. If policy B also selects the namespace, the rollout counts the namespace as enforced. However,
 * policy A refuses nothing in the namespace.
 */
import type { PodContent } from '../model/objects.ts';
import { perObject } from '../policy/memo.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { mayOverlap } from '../policy/selector.ts';
import { RULES } from '../rules/index.ts';
import type { Rule } from '../rules/rule.ts';
import { examplePod } from './example-pods.ts';
import { Evaluator } from './violations.ts';

export interface Loosening {
  /** The name of the policy that is rolled out. */
  readonly policy: string;
  /** The rules by which the looser policy admits more, in the order of the list of rules. */
  readonly rules: readonly string[];
  /** The namespaces where the looser policy decides, in the given order. */
  readonly namespaces: readonly string[];
}

const EVALUATOR = new Evaluator();

/**
 * @param policy a policy that is in force
 * @param namespaces the namespaces where the policy decides
 * @param selecting returns the policies that select a namespace
 */
export function looseningsBy(
  policy: ResolvedPolicy,
  namespaces: readonly string[],
  selecting: (namespace: string) => readonly ResolvedPolicy[],
): Loosening[] {
  if (policy.mode !== 'Enforce' || policy.usableBy !== 'Everyone') return [];
  const found = new Map<string, { readonly rules: readonly string[]; readonly namespaces: string[] }>();
  for (const namespace of namespaces) {
    for (const other of selecting(namespace)) {
      const known = found.get(other.name);
      if (known) {
        known.namespaces.push(namespace);
        continue;
      }
      const rules = loosenedRules(policy, other);
      if (rules.length > 0) found.set(other.name, { rules, namespaces: [namespace] });
    }
  }
  return [...found].map(([name, one]) => ({ policy: name, ...one }));
}

/**
 * The rolled-out policies that the named policy may loosen. The selectors of the two policies may match the same
 * namespace.
 */
export function looseningsAnywhere(name: string, policies: readonly ResolvedPolicy[]): Loosening[] {
  const [policy] = policies.filter((one) => one.name === name && one.pendingFor === undefined);
  if (policy?.mode !== 'Enforce' || policy.usableBy !== 'Everyone') return [];
  return policies
    .filter((other) => other.pendingFor === undefined && mayOverlap(policy.selector, other.selector))
    .map((other) => ({ policy: other.name, rules: loosenedRules(policy, other), namespaces: [] }))
    .filter(({ rules }) => rules.length > 0);
}

/**
 * Finds rules by which `other` refuses a pod that `policy` admits. `other` is rolled out. The function evaluates the
 * examples of the rules and no other pods. The function may therefore miss a difference in the values of a list. If the
 * result contains a rule, `policy` is certainly looser than `other` in this rule.
 */
export function loosenedRules(policy: ResolvedPolicy, other: ResolvedPolicy): readonly string[] {
  const { name, priority, meanwhile } = other;
  if (meanwhile === undefined || name === policy.name || priority > policy.priority) return [];
  const enforced = other.pendingFor ?? other;
  return enforced.mode === 'Enforce' ? looserRules(policy)(enforced) : [];
}

/** The rules by which the first policy admits an example that the second policy refuses. */
export const looserRules = perObject((policy: ResolvedPolicy) =>
  perObject((enforced: ResolvedPolicy): readonly string[] => {
    const isBroken = (pod: PodContent, rule: string, { checks, filledChecks }: ResolvedPolicy) => {
      const only = (all: ResolvedPolicy['checks']) => all.filter((one) => one.rule === rule);
      return EVALUATOR.violations(pod, { checks: only(checks), filledChecks: only(filledChecks) }).length > 0;
    };
    return RULES.filter((rule) =>
      podsOf(rule).some((pod) => isBroken(pod, rule.id, enforced) && !isBroken(pod, rule.id, policy)),
    ).map(({ id }) => id);
  }),
);

/**
 * The pods of the rule's examples, and a pod without settings. No entry of `spec.containers` selects the containers of
 * these pods.
 */
const podsOf = perObject(({ examples }: Rule) =>
  [{}, ...examples.flatMap(({ admits, refuses }) => [...refuses, ...admits])].map(({ spec = {}, container = {} }) =>
    examplePod({ spec, container: { name: 'example', image: 'example', ...container } }),
  ),
);
