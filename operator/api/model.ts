/** Makes policies as instances of the generated model. The schema of the CRD validates the policies. */
import type { CapabilityPolicy, CapabilityPolicySpec } from './capability-policy.ts';
import { CapabilityPolicy as Model } from './generated/capabilitypolicy.dev/v1alpha1/CapabilityPolicy.ts';

/** An error of the schema validation, as Ajv reports it. */
export interface ModelError {
  /** The path of the invalid value, as a JSON Pointer (RFC 6901). */
  readonly instancePath: string;
  /** The keyword of the schema that refused the value, such as `type` or `maxItems`. */
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
}

/**
 * Validates an object by the schema, and returns the object as a policy. The result also contains the errors of the
 * validation.
 * @param object an object without nulls
 */
export function modelOf(object: object): { readonly policy: CapabilityPolicy; readonly errors: readonly ModelError[] } {
  const model = new Model(object as Partial<CapabilityPolicy> as CapabilityPolicy);
  const policy = model.toJSON() as CapabilityPolicy;
  try {
    model.validate();
  } catch (error) {
    if (!(error instanceof Error && 'errors' in error)) throw error;
    return { policy, errors: error.errors as readonly ModelError[] };
  }
  return { policy, errors: [] };
}

/**
 * Makes a policy from a spec that is part of this project's code.
 * @throws Error if the spec is invalid. An invalid spec is a bug in this project and not a mistake in an input
 */
export function newPolicy(name: string, spec: CapabilityPolicySpec): CapabilityPolicy {
  const model = new Model({ metadata: { name }, spec });
  model.validate();
  return model.toJSON() as CapabilityPolicy;
}
