/**
 * The expected text of refusals and warnings in a set. The text consists of the operator's violations for each deciding
 * policy.
 */
import type { Mode } from '../../../operator/api/capability-policy.ts';
import type { Evaluator } from '../../../operator/evaluate/violations.ts';
import { projection } from '../policies/cluster.ts';
import { CUT, gives, type Reasons, reasonsOf, textOf, withoutRandomNames } from '../policies/text.ts';
import type { StatedPod } from '../reference/pod.ts';
import { isPendingIn } from '../rollout/reference-model.ts';
import { deciders, type Scene } from './reference-model.ts';

/**
 * The maximum number of policies whose reasons a message gives. The message describes the first policies by name, and
 * counts the remaining policies.
 */
const DESCRIBED = 3;

/**
 * A reason in a refusal. The pod complies with the policy, but neither the service account nor the creator may use the
 * policy.
 */
const NOT_USABLE = 'the pod complies, but neither its service account nor its creator may use this policy';

/**
 * The expected reasons of each deciding policy. A template is evaluated in the form that its pods have after filling.
 */
export function expectedReasons(
  evaluator: Evaluator,
  scene: Scene,
  mode: Mode,
  pod: StatedPod,
  isTemplate = false,
): Reasons[] {
  const content = projection.content(pod);
  return deciders(scene, mode).map((policy) => {
    const asIs = evaluator.violations(content, policy);
    const filled = evaluator.violations(content, policy, true);
    const becomesFilled = isTemplate || isPendingIn(scene, policy.name);
    const complies = asIs.length === 0 || (becomesFilled && filled.length === 0);
    if (complies) return { policy: policy.name, texts: [NOT_USABLE] };
    return reasonsOf(policy.name, filled.length > 0 ? filled : asIs);
  });
}

/**
 * Whether the message gives the reasons of the first deciding policies, and the number of the remaining policies. A
 * message that is cut must begin with the name of a deciding policy.
 */
export function giveAll(text: string, expected: readonly Reasons[]): boolean {
  if (text.includes(CUT)) return expected.some(({ policy }) => text.startsWith(`CapabilityPolicy ${policy}: `));
  const said = withoutRandomNames(text).split(' | ');
  const byName = expected.toSorted((a, b) => (a.policy < b.policy ? -1 : 1));
  const more = expected.length - DESCRIBED;
  if (
    more > 0 &&
    said.pop() !== `${more} more CapabilityPolicies that decide in the namespace do not admit it either`
  ) {
    return false;
  }
  return (
    said.length === Math.min(expected.length, DESCRIBED) &&
    said.every((one, index) => isFrom(one, byName[index] as Reasons))
  );
}

/**
 * Whether a part of a refusal message comes from the policy with the given reasons. If the user may not use the policy,
 * the message also says how to get the right.
 */
function isFrom(text: string, reasons: Reasons): boolean {
  const [first] = reasons.texts;
  return first === NOT_USABLE ? text.startsWith(textOf(reasons)) : gives(text, reasons);
}
