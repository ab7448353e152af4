/**
 * Pods of the rules' examples. A pod that a policy admits and others refuse shows that they differ, so most questions
 * need no proof about all pods.
 */
import { examplePod } from '../../operator/evaluate/example-pods.ts';
import type { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { objectOf } from '../../operator/model/raw.ts';
import { evaluatesFilled } from '../../operator/policy/parts.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Rule } from '../../operator/rules/rule.ts';
import { isAccepted } from './kubernetes.ts';

type Example = Rule['examples'][number]['admits'][number];

/** A pod that level restricted admits, and a pod without settings. */
const BASES: readonly Example[] = [
  {
    spec: { securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } },
    container: { image: 'app', securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } },
  },
  { container: { image: 'app' } },
];

/** The sample pods that set the fields of the rules. */
export function samplePods(rules: readonly Rule[] = []): PodContent[] {
  const examples = rules.flatMap((rule) => rule.examples.flatMap(({ admits, refuses }) => [...admits, ...refuses]));
  return BASES.flatMap((base) =>
    [{}, ...examples].map((example) => examplePod(merged(base, example) as Example)),
  ).filter(isAccepted);
}

/** The rules in which the policy has other values than one of the others. */
export function differingRules(policy: ResolvedPolicy, others: readonly ResolvedPolicy[]): Rule[] {
  const all = [policy, ...others];
  const differs = (text: (one: ResolvedPolicy) => unknown) =>
    new Set(all.map((one) => JSON.stringify(text(one)))).size > 1;
  const byContainer = differs(({ containers }) => containers.map(({ selects, values }) => [selects, values]));
  return RULES.filter(({ id }) => byContainer || differs(({ values, standard }) => [values[id], standard.minor]));
}

/** Whether the policy admits the pod, for a user who may use it. */
export function admits(policy: ResolvedPolicy, pod: PodContent, evaluator: Evaluator): boolean {
  return (
    evaluator.violations(pod, policy).length === 0 ||
    (evaluatesFilled(policy) && evaluator.violations(pod, policy, true).length === 0)
  );
}

/** The fields of both values; the second value wins where both set something else than an object. */
function merged(a: unknown, b: unknown): unknown {
  const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject(a) || !isObject(b)) return b === undefined ? a : b;
  const [left, right] = [objectOf(a), objectOf(b)];
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return Object.fromEntries([...keys].map((key) => [key, merged(left[key], right[key])]));
}
