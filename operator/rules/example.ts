/** Examples of rules, from which the reference page, tests, and the generators of random policies and pods are made. */
import type { CapabilityPolicyOverrides } from '../api/capability-policy.ts';
import type { Level } from '../standards/level-version.ts';

/** A pod with a single container, given by fields of the PodSpec and fields of the container. */
export interface ExamplePod {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly container?: Readonly<Record<string, unknown>>;
}

/** A value of the rule, with the smallest pods that the rule admits and refuses with this value. */
export interface Example {
  readonly overrides: CapabilityPolicyOverrides;
  /** The level of the policy that has the overrides; restricted if absent. */
  readonly level?: Level;
  readonly admits: readonly ExamplePod[];
  readonly refuses: readonly ExamplePod[];
}
