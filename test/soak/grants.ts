/**
 * The Roles and RoleBindings that let a service account use a policy. The churn changes these objects, and the operator
 * reads the objects.
 */
import type { RoleBindingView, RoleView } from '../../operator/model/objects.ts';
import { NAMESPACES } from '../support/rendered.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const GROUP = 'rbac.authorization.k8s.io';
const PREFIX = 'soak-may-use-';

export interface Grant {
  readonly namespace: string;
  /** The name of the policy. The name `*` means all policies. */
  readonly policy: string;
}

/** A binding for the service account `one` in the grant's namespace. */
export function bindingOf({ namespace, policy }: Grant): { readonly path: string; readonly object: object } {
  const name = roleNameOf(policy);
  const object = {
    apiVersion: `${GROUP}/v1`,
    kind: 'RoleBinding',
    metadata: { name, namespace },
    roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', name: 'one', namespace }],
  };
  return { path: `${RBAC}${NAMESPACES.slice('/api/v1'.length)}/${namespace}/rolebindings/${name}`, object };
}

/** The role to which the policy's bindings refer. The role always exists, but may contain no rules. */
export function roleOf(policy: string, grants: boolean): { readonly path: string; readonly object: object } {
  const name = roleNameOf(policy);
  const rules = grants ? rulesOf(policy) : [];
  const object = { apiVersion: `${GROUP}/v1`, kind: 'ClusterRole', metadata: { name }, rules };
  return { path: `${RBAC}/clusterroles/${name}`, object };
}

export function roleView(policy: string): RoleView {
  return { name: roleNameOf(policy), rules: rulesOf(policy) };
}

export function bindingView({ namespace, policy }: Grant): RoleBindingView {
  const name = roleNameOf(policy);
  const subjects = [{ kind: 'ServiceAccount' as const, name: 'one', namespace }];
  return { namespace, name, role: { kind: 'ClusterRole', name }, subjects };
}

/** The effective grants among all RoleBindings of a cluster. */
export function grantsAmong(bindings: Iterable<RoleBindingView>, roles: Iterable<RoleView>): Grant[] {
  const granting = new Set([...roles].map(({ name }) => name));
  return [...bindings].flatMap(({ namespace, name }) => {
    if (namespace === undefined || !name.startsWith(PREFIX) || !granting.has(name)) return [];
    const policy = name.slice(PREFIX.length);
    return [{ namespace, policy: policy === 'all' ? '*' : policy }];
  });
}

function roleNameOf(policy: string): string {
  return PREFIX + (policy === '*' ? 'all' : policy);
}

function rulesOf(policy: string) {
  const rule = { apiGroups: ['capabilitypolicy.dev'], resources: ['capabilitypolicies'] };
  return policy === '*' ? [{ ...rule, verbs: ['*'] }] : [{ ...rule, resourceNames: [policy], verbs: ['use'] }];
}
