/** What a migration yields: plain values, sorted, that print the same every time. */
import type { CapabilityPolicy, LabelSelector, Mode } from '../api/capability-policy.ts';

export interface MigrationOptions {
  readonly mode: Mode;
  /** The namespaces of the migrated policies; left out: `{}`, all of them, as PodSecurityPolicies had it. */
  readonly namespaceSelector?: LabelSelector;
}

export interface Migration {
  /** By name. */
  readonly policies: readonly CapabilityPolicy[];
  /** Bindings to the roles that the operator makes for the policies, to be applied beside them. */
  readonly rbac: readonly RbacObject[];
  /** By object, then in the order of the policy's fields. */
  readonly notes: readonly Note[];
  /** Where the lines of each policy come from, by its name. */
  readonly origins: Readonly<Record<string, Origins>>;
}

/** A field of the policy, such as `spec.overrides.volumes` → the field of the input that it comes from. */
export type Origins = Readonly<Record<string, string>>;

export interface RbacObject {
  readonly apiVersion: 'rbac.authorization.k8s.io/v1';
  readonly kind: 'ClusterRoleBinding' | 'RoleBinding';
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly roleRef: { readonly apiGroup: string; readonly kind: 'ClusterRole'; readonly name: string };
  readonly subjects: readonly RbacSubject[];
}

export type RbacSubject =
  | { readonly kind: 'ServiceAccount'; readonly name: string; readonly namespace: string }
  | { readonly kind: 'User' | 'Group'; readonly name: string; readonly apiGroup: string };

/** What becomes of a field or a value of the input, where that is not plain from the policy. */
export interface Note extends Remark {
  /** Kind and name, such as `PodSecurityPolicy/restricted`. */
  readonly object: string;
}

export interface Remark {
  /** Such as `spec.volumes[2]`. */
  readonly field: string;
  /** As the input has it. */
  readonly value: unknown;
  /** What happens to it, and what to do. */
  readonly text: string;
  /**
   * False: some pods are judged or filled differently than before, and you must decide what to do. True: for
   * information only.
   */
  readonly exact: boolean;
}
