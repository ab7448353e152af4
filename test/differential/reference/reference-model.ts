/**
 * A reference model of each rule. The model is plain code, and does not use the rules' CEL. The code follows the texts
 * of the Pod Security Standards and of PodSecurityPolicy. From operator/rules, the model uses only the values that are
 * in force.
 */
import type { ResolvedPolicy } from '../../../operator/policy/resolve.ts';
import { alone, ownValues, withoutAnnotationsOf } from './containers.ts';
import { type Breach, containersOf, type Question, type StatedPod } from './pod.ts';
import { MODELS as SECURITY } from './security.ts';
import { isTooLarge } from './size.ts';
import type { Values } from './values.ts';
import { MODELS as WORKLOAD } from './workload.ts';

const MODELS: Readonly<Record<keyof Values, (question: Question) => Breach>> = {
  ...SECURITY,
  ...WORKLOAD,
};

/**
 * The rules that the pod breaks, sorted. An item is a rule such as `seccomp`, or a rule with a container such as
 * `seccomp@app`. In an item with a container, the named container breaks the rule. If the pod is too large, the list has
 * only `size`.
 */
export function broken(policy: ResolvedPolicy, pod: StatedPod): string[] {
  if (isTooLarge(policy, pod)) return ['size'];
  const rules = Object.keys(MODELS) as (keyof Values)[];
  return rules.flatMap((rule) => brokenBy(rule, policy, pod)).sort();
}

function brokenBy(rule: keyof Values, policy: ResolvedPolicy, pod: StatedPod): string[] {
  const { minor } = policy.standard;
  const own = containersOf(pod).flatMap((container) => {
    const { rules, values } = ownValues(policy, container) ?? {};
    return values && rules?.includes(rule) ? [{ container, values }] : [];
  });
  const names = own.map(({ container }) => container.name);
  const evaluated = rule === 'appArmor' ? withoutAnnotationsOf(pod, names) : pod;
  const { pod: itself = false, containers = [] } = MODELS[rule]({
    values: policy.values as unknown as Values,
    minor,
    pod: evaluated,
  });
  const others = containers.filter((name) => !names.includes(name));
  const breaking = own
    .filter(({ container, values }) => {
      const breach = MODELS[rule]({ values: onContainers(values), minor, pod: alone(pod, container) });
      return breach.pod === true || (breach.containers ?? []).length > 0;
    })
    .map(({ container }) => container.name);
  return [...(itself ? [rule] : []), ...[...others, ...breaking].map((name) => `${rule}@${name}`)];
}

/**
 * The values for the containers of a pod. `unset: RefusedOnPod` applies to the pod's own fields. `unset: RefusedOnPod`
 * applies to a container only if the container is added later.
 */
function onContainers(values: Values): Values {
  const { seccomp } = values;
  return seccomp.unset === 'RefusedOnPod' ? { ...values, seccomp: { ...seccomp, onPod: false } } : values;
}
