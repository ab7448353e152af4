/**
 * Fills in the default values of the fields that a policy leaves out. Another function of this file removes the fields
 * that have their default value.
 */
import type { CapabilityPolicy, CapabilityPolicySpec, CompletePolicy, CompleteSpec } from './capability-policy.ts';
import { ROLLOUT_DEFAULTS, SPEC_DEFAULTS } from './spec-defaults.ts';

export function completeSpec(spec: CapabilityPolicySpec): CompleteSpec {
  const { rollout, ...rest } = spec;
  return { ...SPEC_DEFAULTS, ...rest, ...(rollout && { rollout: { ...ROLLOUT_DEFAULTS, ...rollout } }) };
}

/** Returns the spec without the fields that have their default value. */
export function statedSpec(spec: CompleteSpec): CapabilityPolicySpec {
  const defaults: Readonly<Record<string, unknown>> = SPEC_DEFAULTS;
  const stated = Object.entries(spec).filter(([field, value]) => defaults[field] !== value);
  return Object.fromEntries(stated) as unknown as CapabilityPolicySpec;
}

export function completePolicy(policy: CapabilityPolicy): CompletePolicy {
  return { ...policy, spec: completeSpec(policy.spec) };
}
