/** Policies → their grants: a ClusterRole for each, and its binding when the policy names the subjects. */
import { GROUP, PLURAL, type Subject } from '../api/capability-policy.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { type Manifest, metadata, POLICY_LABEL } from './objects.ts';

export const RBAC = 'rbac.authorization.k8s.io';

export function useRoleName(policy: string): string {
  return `${GROUP}:use:${policy}`;
}

/**
 * The role and its binding exist as long as some text asks for `use` on the policy. Otherwise the garbage collector
 * would delete them at once with the policy, and its siblings would refuse what it admitted until the next ruleset.
 *
 * The role exists whatever `usableBy` says, so that bindings can be created before the policy is narrowed.
 *
 * @param embedders the other policies whose texts contain this one
 */
export function renderRole(policy: ResolvedPolicy, embedders: readonly ResolvedPolicy[]): Manifest {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRole',
    metadata: metadata(owners(policy, embedders), useRoleName(policy.name), { [POLICY_LABEL]: policy.name }),
    rules: [{ apiGroups: [GROUP], resources: [PLURAL], resourceNames: [policy.name], verbs: ['use'] }],
  };
}

export function renderRoleBinding(policy: ResolvedPolicy, embedders: readonly ResolvedPolicy[]): Manifest | undefined {
  if (policy.usableBy !== 'Subjects') return undefined;
  const name = useRoleName(policy.name);
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: metadata(owners(policy, embedders), name, { [POLICY_LABEL]: policy.name }),
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name },
    subjects: policy.subjects.map(rbacSubject),
  };
}

/** No text asks for `use` on a policy that is for everyone. */
function owners(policy: ResolvedPolicy, embedders: readonly ResolvedPolicy[]): readonly ResolvedPolicy[] {
  return policy.usableBy === 'Everyone' ? [policy] : [policy, ...embedders];
}

export function rbacSubject({ kind, name, namespace }: Subject) {
  return kind === 'ServiceAccount' ? { kind, name, namespace } : { kind, name, apiGroup: RBAC };
}
