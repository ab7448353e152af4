/** What refusals and warnings in a set have to say: of each policy that decides, what the operator finds. */
import type { Mode } from '../../../operator/api/capability-policy.ts';
import type { Evaluator } from '../../../operator/evaluate/violations.ts';
import { projection } from '../policies/cluster.ts';
import { gives, type Reasons, reasonsOf, textOf, withoutRandomNames } from '../policies/text.ts';
import type { StatedPod } from '../statement/pod.ts';
import { deciders, type Scene } from './statement.ts';

/** How a policy refuses what others might create. */
const NOT_USABLE = 'the pod complies, but neither its service account nor its creator may use this policy';

/** One text for each deciding policy. A template is judged as filling would make it. */
export function expectedReasons(
  evaluator: Evaluator,
  scene: Scene,
  mode: Mode,
  pod: StatedPod,
  isTemplate = false,
): Reasons[] {
  const parts = projection.parts(pod);
  return deciders(scene, mode).map((policy) => {
    const asIs = evaluator.violations(parts, policy);
    const filled = evaluator.violations(parts, policy, true);
    const complies = asIs.length === 0 || (isTemplate && filled.length === 0);
    if (complies) return { policy: policy.name, texts: [NOT_USABLE] };
    return reasonsOf(policy.name, filled.length > 0 ? filled : asIs);
  });
}

/** The policy that speaks names itself first; a long text is cut. */
export function giveAll(text: string, expected: readonly Reasons[]): boolean {
  if (text.includes('… (cut)')) return true;
  const said = withoutRandomNames(text).split(' | ');
  return said.length === expected.length && expected.every((reasons) => said.some((one) => isFrom(one, reasons)));
}

/** Who may not use a policy is told how to be let, too. */
function isFrom(text: string, reasons: Reasons): boolean {
  const [first] = reasons.texts;
  return first === NOT_USABLE ? text.startsWith(textOf(reasons)) : gives(text, reasons);
}
