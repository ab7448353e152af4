/**
 * The result of a migration consists of plain, sorted values, so the same result is always printed as the same text.
 */
import type { CapabilityPolicy, LabelSelector, Mode } from '../../operator/api/capability-policy.ts';

export interface MigrationOptions {
  readonly mode: Mode;
  /**
   * The namespaceSelector of the migrated policies. The default is `{}`, which selects all namespaces, because
   * PodSecurityPolicies apply to all namespaces.
   */
  readonly namespaceSelector?: LabelSelector;
}

export interface Migration {
  /** The migrated policies, sorted by name. */
  readonly policies: readonly CapabilityPolicy[];
  /**
   * Bindings to the roles that the operator creates for the policies. Apply the bindings together with the policies.
   */
  readonly rbac: readonly RbacObject[];
  /** The notes, sorted by object and then in the order of the policy's fields. */
  readonly notes: readonly Note[];
  /** The input field from which each line of a policy comes. The key is the policy's name. */
  readonly origins: Readonly<Record<string, Origins>>;
}

/** The input field from which each field of a policy comes. The key is a path such as `spec.overrides.volumes`. */
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

/**
 * Explains how a field or a value of the input is migrated. A note exists only if the migrated policy does not show how
 * the field or value is migrated.
 */
export interface Note extends Remark {
  /** The kind and name of the object, such as `PodSecurityPolicy/restricted`. */
  readonly object: string;
}

export interface Remark {
  /** The path of the field, such as `spec.volumes[2]`. */
  readonly field: string;
  /** The field's value in the input. */
  readonly value: unknown;
  /** An explanation of how the value is migrated, and of what the user has to do. */
  readonly text: string;
  /**
   * Whether the migration keeps the meaning of the value. If the meaning changes, some pods are evaluated or filled in
   * differently than before. If the meaning changes, the user must decide what to do.
   */
  readonly exact: boolean;
}
