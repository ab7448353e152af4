/** Fills in the fields that a policy leaves out. */
import type { CapabilityPolicy, CapabilityPolicySpec, CompletePolicy, CompleteSpec } from './capability-policy.ts';
import { SPEC_DEFAULTS } from './spec-defaults.ts';

export function completeSpec(spec: CapabilityPolicySpec): CompleteSpec {
  return { ...SPEC_DEFAULTS, ...spec };
}

export function completePolicy(policy: CapabilityPolicy): CompletePolicy {
  return { ...policy, spec: completeSpec(policy.spec) };
}
