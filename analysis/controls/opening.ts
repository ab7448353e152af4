/**
 * Says whether the text of a policy opens a control. A policy's reason can be about a control only if the policy opens
 * the control.
 */
import type { CapabilityPolicySpec, ContainerOverrides } from '../../operator/api/capability-policy.ts';
import { valueAt } from '../../operator/model/raw.ts';
import { statedIn } from '../../operator/policy/containers.ts';
import type { Rule } from '../../operator/rules/rule.ts';
import type { Standard } from '../../operator/standards/level-version.ts';
import type { Control } from './controls.ts';

/**
 * A policy opens a control by its level, or by overrides of a rule that covers the control. Most policies admit tokens
 * and writable root filesystems only because no level forbids them. Such policies do not open the controls about tokens
 * and root filesystems.
 */
export function opens(
  { rules }: Control,
  spec: Pick<CapabilityPolicySpec, 'overrides' | 'containers'>,
  standard: Standard,
): boolean {
  if (standard.level === 'privileged') return true;
  const stated = statedIn(spec);
  return rules.some((rule) => isLooser(rule, standard) || stated.some((overrides) => isStated(rule, overrides)));
}

/** Whether the policy's level and the level restricted have different values for the rule. */
function isLooser(rule: Rule, standard: Standard): boolean {
  const restricted: Standard = { ...standard, level: 'restricted' };
  return JSON.stringify(rule.value({}, standard)) !== JSON.stringify(rule.value({}, restricted));
}

function isStated({ id }: Rule, overrides: ContainerOverrides): boolean {
  return valueAt(overrides, id.split('.')) !== undefined;
}
