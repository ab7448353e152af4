/** Examples of rules. The reference page, tests, and the generators of random policies and pods derive from them. */
import type { CapabilityPolicyOverrides } from '../api/capability-policy.ts';
import type { Level } from '../standards/level-version.ts';

/** The fields of a pod that has one container and nothing else: fields of its PodSpec, and fields of the container. */
export interface ExamplePod {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly container?: Readonly<Record<string, unknown>>;
}

/** A value of the rule, with the smallest pods that the rule admits and refuses under it. */
export interface Example {
  readonly overrides: CapabilityPolicyOverrides;
  /** The level below the overrides; restricted if absent. */
  readonly level?: Level;
  readonly admits: readonly ExamplePod[];
  readonly refuses: readonly ExamplePod[];
}
