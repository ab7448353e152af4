/** Converts the grants on a migrated object to the fields `usableBy` and `subjects` of the policy, and to bindings. */
import type { CapabilityPolicySpec, Subject } from '../../operator/api/capability-policy.ts';
import { rbacSubject, useRoleName } from '../../operator/compile/rbac.ts';
import type { Grant, GrantSubject } from './grants.ts';
import { distinct, known } from './migrated-field.ts';
import type { RbacObject, Remark } from './migration.ts';

interface Usability {
  readonly spec: Pick<CapabilityPolicySpec, 'usableBy' | 'subjects'>;
  /** The grant from which each field of the policy comes. The key is the field, such as `usableBy` or `subjects[0]`. */
  readonly origins: Readonly<Record<string, string>>;
  readonly bindings: readonly RbacObject[];
  readonly remarks: readonly Remark[];
}

const MOST_SUBJECTS = 20;

/**
 * The groups to which everybody belongs. Every pod has a service account, and the creator of every pod is
 * authenticated.
 */
const EVERYBODY = ['system:serviceaccounts', 'system:authenticated'];

const RBAC = 'rbac.authorization.k8s.io';

/** @param grants the grants on this object @param policy the policy's name */
export function usability(grants: readonly Grant[], policy: string): Usability {
  const everybody = grants.find(({ namespace, subjects }) => namespace === undefined && subjects.some(isEverybody));
  const everywhere = grants.filter(({ namespace, covers }) => namespace === undefined && !covers);
  const somewhere = grants.filter(({ namespace, covers }) => namespace !== undefined && !covers);
  const remarks = grants
    .filter(({ covers }) => covers && !everybody)
    .map(({ from, subjects }) =>
      known(
        'metadata.name',
        from,
        `${subjects.map(({ name }) => name).join(', ')}: granted by wildcards, which apply to CapabilityPolicies, too. Nothing to do`,
      ),
    );
  if (everybody) return forEveryone(everybody);
  const subjects = distinct(everywhere.flatMap((grant) => grant.subjects));
  if (somewhere.length === 0 && subjects.length > 0 && subjects.length <= MOST_SUBJECTS)
    return { ...forSubjects(subjects, everywhere), remarks };
  return { ...forBindings(everywhere, somewhere, policy), remarks: [...remarks, ...nobody(grants, policy)] };
}

function isEverybody({ kind, name }: GrantSubject): boolean {
  return kind === 'Group' && EVERYBODY.includes(name);
}

function forEveryone({ from, subjects }: Grant): Usability {
  const group = subjects.find(isEverybody)?.name;
  return {
    spec: { usableBy: 'Everyone' },
    origins: { usableBy: `${from}, group ${group}` },
    bindings: [],
    remarks: [],
  };
}

function forSubjects(subjects: readonly GrantSubject[], grants: readonly Grant[]): Omit<Usability, 'remarks'> {
  const origin = (subject: GrantSubject) =>
    grants.find((grant) => grant.subjects.some((one) => JSON.stringify(one) === JSON.stringify(subject)))?.from ?? '';
  return {
    spec: { usableBy: 'Subjects', subjects: [...subjects] as Subject[] },
    origins: Object.fromEntries(subjects.map((subject, i) => [`subjects[${i}]`, origin(subject)])),
    bindings: [],
  };
}

function forBindings(
  everywhere: readonly Grant[],
  somewhere: readonly Grant[],
  policy: string,
): Omit<Usability, 'remarks'> {
  const byNamespace = [...Map.groupBy(somewhere, ({ namespace = '' }) => namespace)].sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  return {
    spec: { usableBy: 'Bindings' },
    origins: {
      usableBy: distinct([...everywhere, ...somewhere].map(({ from }) => from)).join('; ') || 'no grant in the input',
    },
    bindings: [
      ...(everywhere.length > 0 ? [binding(everywhere, policy)] : []),
      ...byNamespace.map(([namespace, grants]) => binding(grants, policy, namespace)),
    ],
  };
}

/**
 * A RoleBinding or ClusterRoleBinding to the policy's role. The name of the binding differs from the name of the role.
 * The operator itself creates a binding with the role's name.
 */
function binding(grants: readonly Grant[], policy: string, namespace?: string): RbacObject {
  const role = useRoleName(policy);
  return {
    apiVersion: `${RBAC}/v1`,
    kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: { name: `${role}:migrated`, ...(namespace !== undefined && { namespace }) },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
    subjects: distinct(grants.flatMap(({ subjects }) => subjects)).map((subject) => rbacSubject(subject as Subject)),
  } as RbacObject;
}

function nobody(grants: readonly Grant[], policy: string): Remark[] {
  if (grants.length > 0) return [];
  const text = `no role in the input grants the use of this policy. Until a binding to ClusterRole ${useRoleName(policy)} grants the use, only holders of wildcard verbs may use the policy`;
  return [known('metadata.name', policy, text)];
}
