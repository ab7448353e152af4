/**
 * Finds the users of the objects to migrate. ClusterRoles, Roles and their bindings grant these users the verb `use`.
 */
import type { LabelSelector } from '../../operator/api/capability-policy.ts';
import { matches } from '../../operator/policy/selector.ts';
import type { FieldPath } from '../schema/paths.ts';
import { missingField, problemAt } from '../schema/problems.ts';
import { list, Malformed, object, open, read, string, strings, type ValueOf } from '../schema/typed.ts';
import { METADATA } from './metadata.ts';

/** A grant of the verb `use` on objects of one kind. */
export interface Grant {
  readonly subjects: readonly GrantSubject[];
  /** The namespace in which the grant applies; absent if the grant applies in every namespace. */
  readonly namespace?: string;
  /** The names of the objects; undefined if the grant applies to all objects of the kind. */
  readonly names: readonly string[] | undefined;
  /** The RBAC objects that make the grant, such as `ClusterRoleBinding/x → ClusterRole/y`. */
  readonly from: string;
  /** Whether the grant's wildcards also grant the use of CapabilityPolicies with the same names. */
  readonly covers: boolean;
}

export interface GrantSubject {
  readonly kind: 'ServiceAccount' | 'User' | 'Group';
  readonly name: string;
  /** The namespace of the subject. A service account always has a namespace. */
  readonly namespace?: string;
}

/** The API groups and the resource of the objects on which the verb `use` is granted. */
export interface Granted {
  readonly groups: readonly string[];
  readonly resource: string;
}

export interface Role {
  readonly name: string;
  readonly namespace?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly rules: readonly Rule[];
  /** The label selectors of the roles from which an aggregated role gets its rules. */
  readonly aggregated: readonly LabelSelector[];
}

export interface Binding {
  readonly name: string;
  readonly namespace?: string;
  readonly role: { readonly kind?: string; readonly name?: string };
  readonly subjects: readonly GrantSubject[];
}

const RULE = object({
  verbs: list(string),
  apiGroups: list(string),
  resources: list(string),
  resourceNames: list(string),
  nonResourceURLs: list(string),
});
const SUBJECT = object({ kind: string, apiGroup: string, apiVersion: string, name: string, namespace: string });
const SELECTOR = object({
  matchLabels: strings,
  matchExpressions: list(object({ key: string, operator: string, values: list(string) })),
});
const ROLE = open({
  metadata: METADATA,
  rules: list(RULE),
  aggregationRule: object({ clusterRoleSelectors: list(SELECTOR) }),
});
const BINDING = open({
  metadata: METADATA,
  roleRef: object({ apiGroup: string, kind: string, name: string }),
  subjects: list(SUBJECT),
});

type Rule = ValueOf<typeof RULE>;

/** @throws Malformed for an object with wrong fields */
export function readRole(value: unknown): Role {
  const { metadata = {}, rules = [], aggregationRule = {} } = read(value, ROLE);
  const { clusterRoleSelectors = [] } = aggregationRule;
  const { name = '', namespace, labels = {} } = metadata;
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    labels,
    rules,
    aggregated: clusterRoleSelectors as readonly LabelSelector[],
  };
}

/** @throws Malformed for an object with wrong fields */
export function readBinding(value: unknown): Binding {
  const { metadata = {}, roleRef: role = {}, subjects = [] } = read(value, BINDING);
  const { name = '', namespace } = metadata;
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    role,
    subjects: subjects.flatMap((subject, i) => grantSubject(subject, namespace, ['subjects', i])),
  };
}

/**
 * The roles. The key contains namespace and name. A look-up must be fast, because clusters have thousands of bindings.
 */
export type Roles = ReadonlyMap<string, Role>;

export function rolesByKey(roles: readonly Role[]): Roles {
  return new Map(roles.map((role) => [keyOf(role), role]));
}

/** The grants of the verb `use` on objects of one kind, sorted by binding. */
export function grantsOn(granted: Granted, roles: Roles, bindings: readonly Binding[]): Grant[] {
  const inOrder = [...bindings].sort((a, b) => compare(keyOf(a), keyOf(b)));
  return inOrder.flatMap((binding) => {
    const role = roleOf(binding, roles);
    if (!role || binding.subjects.length === 0) return [];
    const { subjects, namespace } = binding;
    const from = `${bindingText(binding)} → ${role.namespace === undefined ? 'ClusterRole' : 'Role'}/${role.name}`;
    return rulesOf(role, roles)
      .filter((one) => grants(one, granted))
      .map((one) => ({
        subjects,
        ...(namespace !== undefined && { namespace }),
        names: one.resourceNames?.length ? one.resourceNames : undefined,
        from,
        covers: one.apiGroups?.includes('*') === true && one.resources?.includes('*') === true,
      }));
  });
}

/**
 * The bindings whose role is not in the input. If the role of a binding is not in the input, the grants of the binding
 * are unknown.
 */
export function unknownRoles(roles: Roles, bindings: readonly Binding[]): Binding[] {
  return bindings.filter((binding) => !roleOf(binding, roles));
}

export function bindingText({ name, namespace }: Pick<Binding, 'name' | 'namespace'>): string {
  return namespace === undefined ? `ClusterRoleBinding/${name}` : `RoleBinding/${name} in ${namespace}`;
}

function roleOf({ role: { kind, name = '' }, namespace }: Binding, roles: Roles): Role | undefined {
  return roles.get(keyOf({ name, ...(kind === 'Role' && namespace !== undefined && { namespace }) }));
}

function rulesOf(role: Role, roles: Roles): Rule[] {
  if (role.aggregated.length === 0) return [...role.rules];
  const parts = [...roles.values()].filter(
    (one) =>
      one !== role && one.namespace === undefined && role.aggregated.some((wanted) => matches(wanted, one.labels)),
  );
  return [...role.rules, ...parts.flatMap(({ rules }) => rules)];
}

function grants({ verbs = [], apiGroups = [], resources = [] }: Rule, { groups, resource }: Granted): boolean {
  const has = (values: readonly string[], ...wanted: readonly string[]) =>
    values.includes('*') || wanted.some((one) => values.includes(one));
  return has(verbs, 'use') && has(apiGroups, ...groups) && has(resources, resource);
}

/** The subject of a grant. A service account without a namespace is valid only in a RoleBinding. */
function grantSubject(
  { kind, name = '', namespace }: ValueOf<typeof SUBJECT>,
  home: string | undefined,
  path: FieldPath,
): GrantSubject[] {
  if (name === '') throw new Malformed([missingField([...path, 'name'], undefined)]);
  switch (kind) {
    case 'ServiceAccount': {
      const account = namespace || home;
      return account === undefined ? [] : [{ kind, name, namespace: account }];
    }
    case 'User':
    case 'Group':
      return [{ kind, name }];
    default:
      throw new Malformed([problemAt([...path, 'kind'], 'must be ServiceAccount, User or Group')]);
  }
}

function keyOf({ namespace = '', name }: Pick<Binding, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
