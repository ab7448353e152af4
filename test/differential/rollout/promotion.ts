/**
 * Compares the operator's verdict with the verdict of the reference model. The verdict says whether a pod blocks the
 * promotion of a namespace.
 */
import { evaluateNamespace } from '../../../operator/evaluate/namespace.ts';
import { matches } from '../../../operator/policy/selector.ts';
import { projection } from '../policies/cluster.ts';
import type { StatedPod } from '../reference/pod.ts';
import { broken } from '../reference/reference-model.ts';
import { deciders, type Scene } from '../sets/reference-model.ts';
import type { Trial } from '../sets/trial.ts';
import { compliesFilled, isPendingIn, promotedIn } from './reference-model.ts';

/** @param pod the pod in the form that the API server stores without policies */
export function promotionDiffers(trial: Trial, scene: Scene, pod: StatedPod): string[] {
  const { evaluator, use, policies } = trial;
  const { namespace, labels } = scene;
  const pending = scene.policies.filter(({ name }) => isPendingIn(scene, name));
  if (pending.length === 0) return [];
  const account = scene.people[0]?.name.split(':').at(-1) ?? '';
  const metadata = { ...pod.metadata, namespace };
  const view = projection.pod({ metadata, spec: { ...pod.spec, serviceAccountName: account } });
  const objects = { pods: () => [view], workloads: () => [], workload: () => undefined };
  const selecting = policies.filter(({ selector }) => matches(selector, labels));
  const { promotions } = evaluateNamespace({ name: namespace, labels }, selecting, objects, { evaluator, use });
  return pending.flatMap((policy) => {
    const violating = promotions?.get(policy.name)?.violating;
    const isSelected = deciders({ ...scene, policies: [policy] }, policy.meanwhile ?? 'Warn').length > 0;
    if (isSelected) trial.count?.('promotion');
    const expected = isSelected ? Number(blocks(scene, policy.name, pod)) : undefined;
    return violating === expected
      ? []
      : [`the operator counts ${violating} violating pods for the promotion of ${policy.name}, not ${expected}`];
  });
}

/**
 * Whether the pod blocks the promotion. After the promotion, the policy decides together with the Enforce policies of
 * the same priority. A policy with a higher priority would decide instead. The creator of a pod can be unknown. A pod
 * therefore does not block the promotion if the pod complies with a policy that the creator might use.
 */
function blocks(scene: Scene, policy: string, pod: StatedPod): boolean {
  const all = deciders(promotedIn(scene, policy), 'Enforce');
  if (!all.some(({ name }) => name === policy)) return false;
  return all.every((decider) => broken(decider, pod).length > 0 && !compliesFilled(decider, pod));
}
