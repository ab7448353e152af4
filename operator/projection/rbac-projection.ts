/** Projects RBAC objects to the rights on CapabilityPolicies, and to the subjects that have these rights. */
import { GROUP, PLURAL } from '../api/capability-policy.ts';
import type { PolicyRule, RbacSubject, RoleBindingView, RoleView } from '../model/objects.ts';
import { arrayOf, objectOf, type RawObject } from '../model/raw.ts';

/** Projects a Role or ClusterRole. The result is undefined if no rule of the role concerns CapabilityPolicies. */
export function projectRole(raw: RawObject): RoleView | undefined {
  const rules = arrayOf(raw.rules).map(rule).filter(concernsPolicies);
  return rules.length === 0 ? undefined : { ...scopeOf(raw), rules };
}

/** Projects a RoleBinding or ClusterRoleBinding. */
export function projectRoleBinding(raw: RawObject): RoleBindingView {
  const { kind, name } = objectOf(raw.roleRef);
  const created = raw.metadata?.creationTimestamp;
  return {
    ...scopeOf(raw),
    ...(typeof created === 'string' && { created }),
    role: { kind: kind === 'Role' ? 'Role' : 'ClusterRole', name: String(name) },
    subjects: arrayOf(raw.subjects).flatMap(subject),
  };
}

/** The name of the object, and its namespace if it has one. */
export function scopeOf(raw: RawObject): { namespace?: string; name: string } {
  const { namespace, name } = raw.metadata ?? {};
  return { ...(namespace && { namespace }), name: name ?? '' };
}

function rule(value: unknown): PolicyRule {
  const { verbs, apiGroups, resources, resourceNames } = objectOf(value);
  const names = texts(resourceNames);
  return {
    verbs: texts(verbs),
    apiGroups: texts(apiGroups),
    resources: texts(resources),
    ...(names.length > 0 && { resourceNames: names }),
  };
}

function concernsPolicies({ apiGroups, resources }: PolicyRule): boolean {
  return (
    apiGroups.some((group) => group === GROUP || group === '*') &&
    resources.some((resource) => resource === PLURAL || resource === '*')
  );
}

function subject(value: unknown): RbacSubject[] {
  const { kind, name, namespace } = objectOf(value);
  if (kind !== 'User' && kind !== 'Group' && kind !== 'ServiceAccount') return [];
  return [{ kind, name: String(name), ...(typeof namespace === 'string' && { namespace }) }];
}

function texts(value: unknown): string[] {
  return arrayOf(value).filter((item) => typeof item === 'string');
}
