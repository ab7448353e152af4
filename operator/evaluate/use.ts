/**
 * Evaluates the rights to `use` a policy. The code reads the watched RBAC objects, and decides in the same way as the
 * API server's RBAC authorizer (k8s.io/kubernetes/pkg/registry/rbac/validation/rule.go). This file evaluates no
 * authorizer other than RBAC.
 */
import { GROUP, PLURAL } from '../api/capability-policy.ts';
import { valuesByKey } from '../model/by-key.ts';
import type { PolicyRule, RbacSubject, RoleBindingView, RoleView } from '../model/objects.ts';
import { Recent } from '../model/recent.ts';
import { CONTROLLER_NAMESPACE, CONTROLLERS } from '../model/workload-kinds.ts';
import { perObject } from '../policy/memo.ts';

export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

export interface UseIndex {
  /** Whether the user may use the policy for pods of the namespace. */
  mayUse(user: User, namespace: string, policy: string): boolean;
  /**
   * A string that represents all rights to the policy. If the strings of two states are equal, mayUse() returns equal
   * results for the two states.
   */
  rightsTo(policy: string): string;
  /** The subjects that may use the policy by its name, in a stable order. */
  holders(policy: string): readonly Holder[];
  /** The subjects that may use every policy, in a stable order. */
  holdersOfAll(): readonly Holder[];
  /**
   * The bindings that grant the use of this policy by name, and that are older than the policy. The order is stable.
   */
  olderBindings(policy: string, created: string): readonly BindingName[];
}

export interface Holder {
  readonly subject: RbacSubject;
  /** The binding's namespace. The field is absent if the right holds in every namespace. */
  readonly namespace?: string;
  /** Whether the right comes from the verb `*` on every policy. */
  readonly wildcard?: true;
  /**
   * Whether the subjects include the built-in controllers. If the value is true, everybody who may create a workload
   * has the right.
   */
  readonly everybody?: true;
}

/**
 * The name of a binding. If the namespace is absent, the binding is a ClusterRoleBinding. If the namespace is present,
 * the binding is a RoleBinding.
 */
export type BindingName = Pick<RoleBindingView, 'namespace' | 'name'>;

interface Grant {
  readonly binding: RoleBindingView;
  readonly subjects: readonly RbacSubject[];
  readonly namespace: string | undefined;
  readonly policies: Policies;
}

interface Policies {
  readonly all: boolean;
  readonly names: ReadonlySet<string>;
  /** Whether the right comes from the verb `*`. */
  readonly wildcard: boolean;
}

/**
 * @param usersKnown whether all roles and bindings could be read. If the value is false, every user may use every
 * policy
 */
export function createUseIndex(
  roles: Iterable<RoleView>,
  bindings: Iterable<RoleBindingView>,
  usersKnown = true,
): UseIndex {
  const grants = grantsOf(roles, bindings);
  const bySubject = new Map<string, Grant[]>();
  for (const grant of grants) {
    for (const key of new Set(grant.subjects.flatMap((subject) => subjectKey(subject, grant.namespace) ?? []))) {
      const known = bySubject.get(key);
      if (known) known.push(grant);
      else bySubject.set(key, [grant]);
    }
  }
  const rights = new Map<string, string>();
  return {
    mayUse: (user, namespace, policy) =>
      !usersKnown ||
      userKeys(user).some((key) =>
        bySubject
          .get(key)
          ?.some(
            (grant) =>
              (grant.namespace === undefined || grant.namespace === namespace) &&
              (grant.policies.all || grant.policies.names.has(policy)),
          ),
      ),
    rightsTo(policy) {
      const known = rights.get(policy) ?? JSON.stringify(usersKnown ? rightsTo(policy, grants) : 'everybody');
      rights.set(policy, known);
      return known;
    },
    holders: (policy) => holders(grants.filter(({ policies }) => policies.names.has(policy))),
    holdersOfAll: () => holders(grants.filter(({ policies }) => policies.all)),
    olderBindings: (policy, created) => olderBindings(grants, policy, created),
  };
}

/**
 * Returns a pod's service account as a user. The user has the groups that the CEL function authorizer.serviceAccount
 * uses.
 */
export function serviceAccountUser(namespace: string, name: string): User {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
  };
}

/**
 * Returns a built-in controller as the user who creates pods. The API server authenticates a controller. The controller
 * is therefore also in the group of all authenticated users.
 */
export function controllerUser(serviceAccount: string): User {
  return CONTROLLER_USERS.get(serviceAccount, () => {
    const { name, groups } = serviceAccountUser(CONTROLLER_NAMESPACE, serviceAccount);
    return { name, groups: [...groups, 'system:authenticated'] };
  });
}

const CONTROLLER_USERS = new Recent<User>();

/**
 * Whether a grant to the subject is also a grant to a built-in controller. If the result is true, everybody who may
 * create a workload gets the right.
 */
export function coversControllers(subject: RbacSubject): boolean {
  const key = subjectKey(subject, undefined);
  return CONTROLLERS.some(({ serviceAccount }) => userKeys(controllerUser(serviceAccount)).some((one) => one === key));
}

function rightsTo(policy: string, grants: readonly Grant[]) {
  const granting = grants.filter(({ policies }) => policies.all || policies.names.has(policy));
  return granting.map(({ subjects, namespace }) => [subjects, namespace]);
}

function grantsOf(roles: Iterable<RoleView>, bindings: Iterable<RoleBindingView>): Grant[] {
  const policies = new Map<string, Policies>();
  for (const role of roles) policies.set(roleKey(role.namespace, role.name), policiesOf(role.rules));
  return [...bindings].flatMap((binding) => {
    const { namespace, role, subjects } = binding;
    const granted = policies.get(roleKey(role.kind === 'Role' ? namespace : undefined, role.name));
    return granted && (granted.all || granted.names.size > 0)
      ? [{ binding, subjects, namespace, policies: granted }]
      : [];
  });
}

function policiesOf(rules: readonly PolicyRule[]): Policies {
  const granting = rules.filter(
    ({ verbs, apiGroups, resources }) =>
      hasOrAny(verbs, 'use') && hasOrAny(apiGroups, GROUP) && hasOrAny(resources, PLURAL),
  );
  const unnamed = granting.filter(({ resourceNames }) => (resourceNames ?? []).length === 0);
  return {
    all: unnamed.length > 0,
    names: new Set(granting.flatMap(({ resourceNames }) => resourceNames ?? [])),
    wildcard: unnamed.some(({ verbs }) => verbs.includes('*')),
  };
}

function holders(grants: readonly Grant[]): Holder[] {
  const all = grants.flatMap(({ subjects, namespace, policies: { wildcard } }) =>
    subjects.map(
      (subject): Holder => ({
        subject,
        ...(namespace !== undefined && { namespace }),
        ...(wildcard && { wildcard: true }),
        ...(coversControllers(subject) && { everybody: true }),
      }),
    ),
  );
  return sortedOnce(all);
}

/**
 * The bindings that are older than the policy. RBAC refers to policies by name, so the result includes bindings for an
 * earlier policy of the same name. Creation times have a resolution of seconds.
 */
function olderBindings(grants: readonly Grant[], policy: string, created: string): BindingName[] {
  const older = grants.filter(
    ({ binding, policies }) => policies.names.has(policy) && binding.created !== undefined && binding.created < created,
  );
  const names = older.map(({ binding: { namespace, name } }) => ({
    ...(namespace !== undefined && { namespace }),
    name,
  }));
  return sortedOnce(names);
}

function sortedOnce<Of>(all: readonly Of[]): Of[] {
  return valuesByKey(new Map(all.map((one) => [JSON.stringify(one), one])));
}

/** Whether the subject of a policy is the user, or a group of the user. */
export function isSubject(user: User, subject: RbacSubject): boolean {
  const key = subjectKey(subject, undefined);
  return userKeys(user).some((one) => one === key);
}

/**
 * The key of a user or group. For a service account, the key contains the user name of the service account, such as
 * `User/system:serviceaccount:net:pinger`.
 */
function subjectKey({ kind, name, namespace }: RbacSubject, bindingNamespace: string | undefined): string | undefined {
  if (kind !== 'ServiceAccount') return `${kind}/${name}`;
  const home = namespace || bindingNamespace;
  return home ? `User/${serviceAccountUser(home, name).name}` : undefined;
}

const userKeys = perObject(({ name, groups }: User): readonly string[] => [
  `User/${name}`,
  ...groups.map((group) => `Group/${group}`),
]);

function roleKey(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}

function hasOrAny(list: readonly string[], value: string): boolean {
  return list.includes(value) || list.includes('*');
}
