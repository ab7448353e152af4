/** PodSecurityPolicies and related objects, in their shortest form. */
import { type Migration, migrate } from '../../analysis/migrate/migrate.ts';
import type { Mode } from '../../operator/api/capability-policy.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The required fields of a PodSecurityPolicy, with values that restrict nothing. */
const REQUIRED = {
  runAsUser: { rule: 'RunAsAny' },
  seLinux: { rule: 'RunAsAny' },
  supplementalGroups: { rule: 'RunAsAny' },
  fsGroup: { rule: 'RunAsAny' },
};

export function psp(spec: Fields = {}, annotations: Readonly<Record<string, string>> = {}, name = 'psp') {
  return {
    apiVersion: 'policy/v1beta1',
    kind: 'PodSecurityPolicy',
    metadata: { name, annotations },
    spec: { ...REQUIRED, ...spec },
  };
}

export function scc(fields: Fields = {}, name = 'scc') {
  return {
    apiVersion: 'security.openshift.io/v1',
    kind: 'SecurityContextConstraints',
    metadata: { name },
    runAsUser: { type: 'RunAsAny' },
    seLinuxContext: { type: 'RunAsAny' },
    fsGroup: { type: 'RunAsAny' },
    supplementalGroups: { type: 'RunAsAny' },
    users: [],
    groups: [],
    ...fields,
  };
}

const RBAC = 'rbac.authorization.k8s.io';

export interface RuleFields {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs?: readonly string[];
}

/** A ClusterRole, or a Role if `namespace` is set. The role grants the use of all PodSecurityPolicies. */
export function role(name: string, rule: RuleFields = {}, namespace?: string, fields: Fields = {}) {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: namespace === undefined ? 'ClusterRole' : 'Role',
    metadata: { name, ...(namespace !== undefined && { namespace }) },
    rules: [{ apiGroups: ['policy'], resources: ['podsecuritypolicies'], verbs: ['use'], ...rule }],
    ...fields,
  };
}

/** A ClusterRoleBinding, or a RoleBinding if `namespace` is set. */
export function binding(
  to: { kind: string; metadata: { name: string } },
  subjects: readonly Fields[],
  namespace?: string,
) {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: { name: `to-${to.metadata.name}`, ...(namespace !== undefined && { namespace }) },
    roleRef: { apiGroup: RBAC, kind: to.kind, name: to.metadata.name },
    subjects,
  };
}

export function group(name: string) {
  return { apiGroup: RBAC, kind: 'Group', name };
}

export function user(name: string) {
  return { apiGroup: RBAC, kind: 'User', name };
}

export function account(name: string, namespace?: string) {
  return { kind: 'ServiceAccount', name, ...(namespace !== undefined && { namespace }) };
}

/**
 * Migrates the object together with a grant for everybody. Because of the grant, the result of the migration has no
 * note about users.
 */
export function migrated(object: { kind: string; metadata: { name: string } }, mode: Mode = 'Enforce'): Migration {
  const everything = role('all', {
    apiGroups: ['policy', 'security.openshift.io'],
    resources: ['podsecuritypolicies', 'securitycontextconstraints'],
  });
  return migrate([object, everything, binding(everything, [group('system:serviceaccounts')])], { mode });
}
