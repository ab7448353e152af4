/** Chooses which migrated policies get the field `defaulting`. */
import type { CapabilityPolicy, CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { completePolicy } from '../../operator/api/defaults.ts';
import { resolvePolicy } from '../../operator/policy/resolve.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';

/** How the API server chooses one of several policies to fill in a pod. */
export type Choice = Exclude<CapabilityPolicySpec['defaulting'], 'Disabled' | undefined>;

export interface Chooser {
  readonly policy: CapabilityPolicy;
  readonly choice: Choice;
}

/**
 * Returns the given policies. The function sets the field `defaulting` in the policies that need the field. If at least
 * one of several policies fills in pods, PodSecurityPolicies without defaults get the field `defaulting`, too.
 */
export function withDefaulting(choosers: readonly Chooser[]): CapabilityPolicy[] {
  const fills = choosers.map(({ policy }) => fillsAnything(policy));
  const isChoice = choosers.length > 1 && fills.includes(true);
  return choosers.map(({ policy, choice }, i) => {
    if (isChoice && choice === 'PodSecurityPolicy') return defaulted(policy, choice);
    return fills[i] ? defaulted(policy, 'Enabled') : policy;
  });
}

function fillsAnything(policy: CapabilityPolicy): boolean {
  const resolution = resolvePolicy(completePolicy(defaulted(policy, 'Enabled')), NEWEST_KNOWN_MINOR);
  return 'policy' in resolution && resolution.policy.fills.length > 0;
}

/** The policy with the field `defaulting`. The field precedes `overrides`, as in the API's order of fields. */
function defaulted(policy: CapabilityPolicy, defaulting: Choice): CapabilityPolicy {
  const { overrides, ...spec } = policy.spec;
  return { ...policy, spec: { ...spec, defaulting, ...(overrides && { overrides }) } };
}
