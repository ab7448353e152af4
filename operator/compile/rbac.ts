/**
 * Renders a ClusterRole for each policy. If a policy has `subjects`, the function also renders a binding of the
 * ClusterRole.
 */
import { GROUP, PLURAL, type Subject } from '../api/capability-policy.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import {
  LEFT_OUT_ANNOTATION,
  type Manifest,
  ownedMetadata,
  POLICY_LABEL,
  RBAC,
  SPEC_ANNOTATION,
  UID_ANNOTATION,
} from './objects.ts';

/** The ClusterRole that grants the use of a policy, and its ClusterRoleBinding if the policy has `subjects`. */
export interface Grant {
  readonly role: Manifest;
  readonly roleBinding: Manifest | undefined;
  /**
   * The subjects that may use the policy's rows. The field is present if the binding has fewer subjects, because the
   * policy keeps an earlier spec until the other subjects are removed.
   */
  readonly earlier?: readonly unknown[];
}

/** The objects of a grant, in the order in which they are created. */
export function objectsOfGrant({ role, roleBinding }: Grant): Manifest[] {
  return roleBinding ? [role, roleBinding] : [role];
}

export function useRoleName(policy: string): string {
  return `${GROUP}:use:${policy}`;
}

/**
 * Renders the grant of a policy. The function renders the role for every value of `usableBy`. People can therefore
 * create bindings before they restrict the use of the policy. The role has an annotation with the last accepted spec. A
 * restarted operator reads this annotation.
 *
 * @param spec the accepted spec, as JSON
 * @param ownerUid the uid of the CustomResourceDefinition. The uid is empty if there is no cluster
 * @param leftOut the value of the annotation LEFT_OUT_ANNOTATION, if the policy has a rollout in a cluster
 */
export function renderGrant(policy: ResolvedPolicy, spec: string, ownerUid: string, leftOut?: string): Grant {
  const metadata = ownedMetadata(ownerUid, useRoleName(policy.name), { [POLICY_LABEL]: policy.name });
  const annotations = {
    [SPEC_ANNOTATION]: spec,
    [UID_ANNOTATION]: policy.uid,
    ...(leftOut !== undefined && { [LEFT_OUT_ANNOTATION]: leftOut }),
  };
  return { role: renderRole(policy, { ...metadata, annotations }), roleBinding: renderRoleBinding(policy, metadata) };
}

/**
 * The grant of a policy that keeps an earlier spec until its former users are removed. The binding has only the subjects
 * that are in both the earlier and the next binding.
 */
export function narrowed(earlier: Grant, next: Grant): Grant {
  const subjects = subjectsOf(earlier);
  if (!next.roleBinding) return { role: earlier.role, roleBinding: undefined, earlier: subjects };
  const wanted = new Set(subjectsOf(next).map((subject) => JSON.stringify(subject)));
  const both = subjects.filter((subject) => wanted.has(JSON.stringify(subject)));
  return { role: earlier.role, roleBinding: withSubjects(next.roleBinding, both), earlier: subjects };
}

function subjectsOf({ roleBinding }: Grant): readonly unknown[] {
  return (roleBinding?.subjects as readonly unknown[] | undefined) ?? [];
}

/** The binding with other subjects. The API server does not store an empty list of subjects. */
export function withSubjects({ subjects: _, ...binding }: Manifest, subjects: readonly unknown[]): Manifest {
  return { ...binding, ...(subjects.length > 0 && { subjects }) } as Manifest;
}

/** The names of the namespaces that the enforced part leaves out by name, as in the annotation of the role. */
export function leftOutBy({ role }: Grant): string {
  return role.metadata.annotations?.[LEFT_OUT_ANNOTATION] ?? '';
}

function renderRole({ name }: ResolvedPolicy, metadata: Manifest['metadata']): Manifest {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRole',
    metadata,
    rules: [{ apiGroups: [GROUP], resources: [PLURAL], resourceNames: [name], verbs: ['use'] }],
  };
}

function renderRoleBinding(policy: ResolvedPolicy, metadata: Manifest['metadata']): Manifest | undefined {
  if (policy.usableBy !== 'Subjects') return undefined;
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata,
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: metadata.name },
    subjects: policy.subjects.map(rbacSubject),
  };
}

export function rbacSubject({ kind, name, namespace }: Subject) {
  return kind === 'ServiceAccount' ? { kind, name, namespace } : { kind, name, apiGroup: RBAC };
}
