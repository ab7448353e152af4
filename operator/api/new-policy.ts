/** Policies that we write ourselves: instances of the generated model, which the schema of the CRD validates. */
import type { CapabilityPolicy, CapabilityPolicySpec } from './capability-policy.ts';
import { CapabilityPolicy as Model } from './generated/capabilitypolicy.dev/v1alpha1/CapabilityPolicy.ts';

/** @throws Error for a spec that the API server would refuse by its schema: that is our fault, and no input's */
export function newPolicy(name: string, spec: CapabilityPolicySpec): CapabilityPolicy {
  const model = new Model({ metadata: { name }, spec });
  model.validate();
  return model.toJSON() as CapabilityPolicy;
}
