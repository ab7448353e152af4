/**
 * Makes sample pods from the examples of rules. If one policy admits a pod and the other policies refuse the pod, the
 * policies differ. Most questions can therefore be answered without a proof about all pods.
 */
import { examplePod } from '../../operator/evaluate/example-pods.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { objectOf } from '../../operator/model/raw.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Rule } from '../../operator/rules/rule.ts';
import { isAccepted } from './kubernetes.ts';

type Example = Rule['examples'][number]['admits'][number];

/** A pod that the level restricted admits, and a pod without settings. */
const BASES: readonly Example[] = [
  {
    spec: { securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } },
    container: { image: 'app', securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } },
  },
  { container: { image: 'app' } },
];

/** Pods without special settings. */
export const PLAIN_PODS = podsOf([]);

/** Sample pods that set the fields in which the policy may differ from one of the other policies. */
export function samplePods(policy: ResolvedPolicy, others: readonly ResolvedPolicy[]): PodContent[] {
  const examples = differingRules(policy, others).flatMap((rule) =>
    rule.examples.flatMap(({ admits, refuses }) => [...admits, ...refuses]),
  );
  return [...PLAIN_PODS, ...podsOf([...addingEach(policy), ...examples])];
}

function podsOf(examples: readonly Example[]): PodContent[] {
  const all = examples.length > 0 ? examples : [{}];
  return BASES.flatMap((base) => all.map((example) => examplePod(merged(base, example) as Example))).filter(isAccepted);
}

/** A pod for each capability that the policy allows, because most exceptions are about capabilities. */
function addingEach({ spec: { overrides = {}, containers = [] } }: ResolvedPolicy): Example[] {
  const entries = [{ names: ['app'], overrides }, ...containers];
  return entries.flatMap(({ names = [], overrides: own = {} }) =>
    (own.capabilities?.allowedAdd ?? []).map((add) => ({
      container: { name: names[0] ?? 'app', securityContext: { capabilities: { add: [add] } } },
    })),
  );
}

/** The rules whose values in the policy differ from the values in at least one of the other policies. */
function differingRules(policy: ResolvedPolicy, others: readonly ResolvedPolicy[]): Rule[] {
  const all = [policy, ...others];
  const differs = (text: (one: ResolvedPolicy) => unknown) =>
    new Set(all.map((one) => JSON.stringify(text(one)))).size > 1;
  const byContainer = differs(({ containers }) => containers.map(({ selects, values }) => [selects, values]));
  return RULES.filter(({ id }) => byContainer || differs(({ values, standard }) => [values[id], standard.minor]));
}

/**
 * The fields of both values. If both values set the same field to an object, the two objects are merged. If the field
 * has any other type, the result has the field of the second value.
 */
function merged(a: unknown, b: unknown): unknown {
  const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject(a) || !isObject(b)) return b === undefined ? a : b;
  const [left, right] = [objectOf(a), objectOf(b)];
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return Object.fromEntries([...keys].map((key) => [key, merged(left[key], right[key])]));
}
