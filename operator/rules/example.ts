/**
 * Examples of rules. The reference page, the tests, and the generators of random policies and pods use these examples.
 */
import type { CapabilityPolicyOverrides } from '../api/capability-policy.ts';
import type { Level } from '../standards/level-version.ts';

/** A pod with a single container. `spec` has fields of the PodSpec, and `container` has fields of the container. */
export interface ExamplePod {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly container?: Readonly<Record<string, unknown>>;
}

/** A value of the rule, with minimal pods that the rule admits and minimal pods that the rule refuses. */
export interface Example {
  readonly overrides: CapabilityPolicyOverrides;
  /** The level of the policy that has the overrides. If the field is absent, the level is restricted. */
  readonly level?: Level;
  readonly admits: readonly ExamplePod[];
  readonly refuses: readonly ExamplePod[];
}
