/** The users of the migrated objects: grants in ClusterRoles, Roles and their bindings. */
import type { LabelSelector } from '../../operator/api/capability-policy.ts';
import { matches } from '../../operator/policy/selector.ts';
import type { Path } from './invalid-input.ts';
import { entriesOf, fields, list, Malformed, type Reader, text, texts } from './shape.ts';

/** The verb `use` on objects of one kind. */
export interface Grant {
  readonly subjects: readonly GrantSubject[];
  /** The namespace of the grant; absent: everywhere. */
  readonly namespace?: string;
  /** Undefined: all objects of the kind. */
  readonly names: readonly string[] | undefined;
  /** What grants it: `ClusterRoleBinding/x → ClusterRole/y`. */
  readonly from: string;
  /** By wildcards that reach CapabilityPolicies with the same names, too. */
  readonly covers: boolean;
}

export interface GrantSubject {
  readonly kind: 'ServiceAccount' | 'User' | 'Group';
  readonly name: string;
  /** Always set for a service account. */
  readonly namespace?: string;
}

/** The kind of object that the grants are on. */
export interface Granted {
  readonly groups: readonly string[];
  readonly resource: string;
}

export interface Role {
  readonly name: string;
  readonly namespace?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly rules: readonly Rule[];
  /** The roles that it aggregates. */
  readonly aggregated: readonly LabelSelector[];
}

export interface Binding {
  readonly name: string;
  readonly namespace?: string;
  readonly role: { readonly kind?: string; readonly name?: string };
  readonly subjects: readonly GrantSubject[];
}

type Rule = ReturnType<typeof rule>;

const rule = fields({
  verbs: list(text),
  apiGroups: list(text),
  resources: list(text),
  resourceNames: list(text),
  nonResourceURLs: list(text),
});
const subject = fields({ kind: text, apiGroup: text, apiVersion: text, name: text, namespace: text });
const selector = fields({
  matchLabels: texts,
  matchExpressions: list(fields({ key: text, operator: text, values: list(text) })),
});

/** @throws Malformed */
export const readRole: Reader<Role> = (value, path) => {
  const { metadata = {}, rules, aggregationRule } = entriesOf(value, path);
  const { labels = {}, ...named } = metadataOf(metadata);
  const { clusterRoleSelectors = [] } = fields({ clusterRoleSelectors: list(selector) })(aggregationRule ?? {}, [
    ...path,
    'aggregationRule',
  ]);
  return {
    ...named,
    labels,
    rules: list(rule)(rules ?? [], [...path, 'rules']),
    aggregated: clusterRoleSelectors as readonly LabelSelector[],
  };
};

/** @throws Malformed */
export const readBinding: Reader<Binding> = (value, path) => {
  const { metadata = {}, roleRef, subjects } = entriesOf(value, path);
  const { name, namespace } = metadataOf(metadata);
  const { kind, name: roleName } = fields({ apiGroup: text, kind: text, name: text })(roleRef, [...path, 'roleRef']);
  const read = list(subject)(subjects ?? [], [...path, 'subjects']);
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    role: { ...(kind !== undefined && { kind }), ...(roleName !== undefined && { name: roleName }) },
    subjects: read.flatMap((one, i) => grantSubject(one, namespace, [...path, 'subjects', i])),
  };
};

/** By namespace and name: clusters have thousands of bindings. */
export type Roles = ReadonlyMap<string, Role>;

export function rolesByPlace(roles: readonly Role[]): Roles {
  return new Map(roles.map((role) => [placeOf(role), role]));
}

/** In the order of the bindings' names. */
export function grantsOn(granted: Granted, roles: Roles, bindings: readonly Binding[]): Grant[] {
  const byPlace = [...bindings].sort((a, b) => compare(placeOf(a), placeOf(b)));
  return byPlace.flatMap((binding) => {
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

/** The bindings whose role is missing, so their grants are unknown. */
export function unknownRoles(roles: Roles, bindings: readonly Binding[]): Binding[] {
  return bindings.filter((binding) => !roleOf(binding, roles));
}

export function bindingText({ name, namespace }: Pick<Binding, 'name' | 'namespace'>): string {
  return namespace === undefined ? `ClusterRoleBinding/${name}` : `RoleBinding/${name} in ${namespace}`;
}

function roleOf({ role: { kind, name = '' }, namespace }: Binding, roles: Roles): Role | undefined {
  return roles.get(placeOf({ name, ...(kind === 'Role' && namespace !== undefined && { namespace }) }));
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

/** A service account without a namespace is valid only in a RoleBinding. */
function grantSubject(
  { kind, name = '', namespace }: ReturnType<typeof subject>,
  home: string | undefined,
  path: Path,
): GrantSubject[] {
  if (name === '') throw new Malformed([...path, 'name'], 'Required value');
  switch (kind) {
    case 'ServiceAccount': {
      const account = namespace || home;
      return account === undefined ? [] : [{ kind, name, namespace: account }];
    }
    case 'User':
    case 'Group':
      return [{ kind, name }];
    default:
      throw new Malformed([...path, 'kind'], 'must be ServiceAccount, User or Group');
  }
}

function metadataOf(value: unknown) {
  const { name, namespace, labels } = entriesOf(value, ['metadata']);
  return {
    name: text(name ?? '', ['metadata', 'name']),
    ...(namespace !== undefined && { namespace: text(namespace, ['metadata', 'namespace']) }),
    ...(labels !== undefined && { labels: texts(labels, ['metadata', 'labels']) }),
  };
}

function placeOf({ namespace = '', name }: Pick<Binding, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
