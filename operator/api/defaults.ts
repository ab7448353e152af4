/** Fills in the fields that a policy leaves out. */
import type { CapabilityPolicy, CapabilityPolicySpec, CompletePolicy, CompleteSpec } from './capability-policy.ts';
import { ROLLOUT_DEFAULTS, SPEC_DEFAULTS } from './spec-defaults.ts';

export function completeSpec(spec: CapabilityPolicySpec): CompleteSpec {
  const { rollout, ...rest } = spec;
  return { ...SPEC_DEFAULTS, ...rest, ...(rollout && { rollout: { ...ROLLOUT_DEFAULTS, ...rollout } }) };
}

export function completePolicy(policy: CapabilityPolicy): CompletePolicy {
  return { ...policy, spec: completeSpec(policy.spec) };
}
