/** The result of a migration: plain values, sorted, which print the same every time. */
import type { CapabilityPolicy, LabelSelector, Mode } from '../../operator/api/capability-policy.ts';

export interface MigrationOptions {
  readonly mode: Mode;
  /** The namespaceSelector of the migrated policies. By default `{}`, all namespaces, as for PodSecurityPolicies. */
  readonly namespaceSelector?: LabelSelector;
}

export interface Migration {
  /** By name. */
  readonly policies: readonly CapabilityPolicy[];
  /** Bindings to the roles that the operator creates for the policies. Apply them together with the policies. */
  readonly rbac: readonly RbacObject[];
  /** By object, then in the order of the policy's fields. */
  readonly notes: readonly Note[];
  /** The source of each line of the policies, by the policy's name. */
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

type RbacSubject =
  | { readonly kind: 'ServiceAccount'; readonly name: string; readonly namespace: string }
  | { readonly kind: 'User' | 'Group'; readonly name: string; readonly apiGroup: string };

/** How a field or a value of the input is migrated, if the policy does not show it. */
export interface Note extends Remark {
  /** Kind and name, such as `PodSecurityPolicy/restricted`. */
  readonly object: string;
}

export interface Remark {
  /** Such as `spec.volumes[2]`. */
  readonly field: string;
  /** The value in the input. */
  readonly value: unknown;
  /** How it is migrated, and what to do. */
  readonly text: string;
  /**
   * False: some pods are evaluated or filled differently than before, so the user must decide what to do. True: for
   * information only.
   */
  readonly exact: boolean;
}
