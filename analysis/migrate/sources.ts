/** Reads the input of a migration: the objects to migrate, and the grants on these objects. */
import { objectOf } from '../../operator/model/raw.ts';
import { type Problem, problemAt } from '../schema/problems.ts';
import { Malformed, read } from '../schema/typed.ts';
import type { Choice } from './defaulting.ts';
import {
  type Binding,
  bindingText,
  type Grant,
  type Granted,
  type Role,
  type Roles,
  readBinding,
  readRole,
  rolesByKey,
  unknownRoles,
} from './grants.ts';
import { type InputProblem, InvalidInput } from './invalid-input.ts';
import type { MigratedField } from './migrated-field.ts';
import type { Note } from './migration.ts';
import { PSP_OBJECT } from './psp.ts';
import { pspFields } from './psp-policy.ts';
import { refusalsOf } from './psp-validation.ts';
import { nameRefusals } from './refusals.ts';
import { SCC_OBJECT } from './scc.ts';
import { sccFields, sccGrants } from './scc-policy.ts';
import { sccRefusals } from './scc-validation.ts';

/** A PodSecurityPolicy or SecurityContextConstraints to migrate. */
export interface Source {
  readonly name: string;
  /** The kind and name of the object, such as `PodSecurityPolicy/restricted`. */
  readonly object: string;
  readonly granted: Granted;
  /** The grants that the object itself contains. */
  readonly grants: readonly Grant[];
  readonly choice: Choice;
  /** @param filling whether unset fields are filled in */
  fields(filling: boolean): MigratedField[];
}

interface Input {
  /** The objects to migrate, sorted by name. */
  readonly sources: readonly Source[];
  readonly roles: Roles;
  readonly bindings: readonly Binding[];
  readonly notes: readonly Note[];
}

/** A kind of object that can be migrated. */
interface Kind {
  readonly apiVersions: readonly string[];
  /**
   * The message for an object of this kind, if the object's API version is wrong. The message names the kind's API
   * group.
   */
  readonly home: string;
  readonly granted: Granted;
  readonly choice: Choice;
  /** @throws Malformed for an object with wrong fields */
  read(value: unknown, object: string): Content;
}

interface Content extends Pick<Source, 'grants' | 'fields'> {
  readonly metadata: { readonly name?: string };
  /** The reasons why the API server would have refused the object. */
  readonly refusals: readonly Problem[];
}

const KINDS: ReadonlyMap<unknown, Kind> = new Map([
  [
    'PodSecurityPolicy',
    {
      apiVersions: ['policy/v1beta1', 'extensions/v1beta1'],
      home: 'PodSecurityPolicy is of policy/v1beta1',
      granted: { groups: ['policy', 'extensions'], resource: 'podsecuritypolicies' },
      choice: 'PodSecurityPolicy',
      read(value) {
        const { metadata = {}, spec = {} } = read(value, PSP_OBJECT);
        const psp = { annotations: metadata.annotations ?? {}, spec };
        return { metadata, refusals: refusalsOf(psp), grants: [], fields: (filling) => pspFields(psp, filling) };
      },
    },
  ],
  [
    'SecurityContextConstraints',
    {
      apiVersions: ['security.openshift.io/v1', 'v1'],
      home: 'its apiVersion is security.openshift.io/v1',
      granted: { groups: ['security.openshift.io'], resource: 'securitycontextconstraints' },
      choice: 'Enabled',
      read(value, object) {
        const scc = read(value, SCC_OBJECT);
        const { metadata = {} } = scc;
        const grants = sccGrants(scc, object);
        return { metadata, refusals: sccRefusals(scc), grants, fields: (filling) => sccFields(scc, filling) };
      },
    },
  ],
]);

const RBAC = 'rbac.authorization.k8s.io/';

/** @throws InvalidInput with all problems of the objects */
export function readInput(objects: readonly unknown[]): Input {
  const read = objects.map(readObject);
  const problems = [...read.flatMap((one) => ('problems' in one ? one.problems : [])), ...doubles(read, objects)];
  if (problems.length > 0) throw new InvalidInput(problems.sort((a, b) => a.index - b.index));
  const of = <Key extends string>(key: Key) => read.flatMap((one) => (key in one ? [one[key as keyof Read]] : []));
  const sources = (of('source') as Source[]).sort((a, b) => (a.name < b.name ? -1 : 1));
  const roles = rolesByKey(of('role') as Role[]);
  const bindings = of('binding') as Binding[];
  return { sources, roles, bindings, notes: unknownRoles(roles, bindings).map(unknownRole) };
}

type Read =
  | { readonly source: Source }
  | { readonly role: Role }
  | { readonly binding: Binding }
  | { readonly problems: readonly InputProblem[] }
  | Record<never, never>;

function readObject(value: unknown, index: number): Read {
  const object = objectText(value);
  try {
    return readKnown(value, object);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return { problems: error.problems.map((one) => ({ index, object, ...one })) };
  }
}

/** @throws Malformed for an object with wrong fields */
function readKnown(value: unknown, object: string): Read {
  const { apiVersion, kind } = objectOf(value);
  const known = KINDS.get(kind);
  if (known) return { source: readSource(value, object, known) };
  if (!String(apiVersion).startsWith(RBAC)) return {};
  if (kind === 'ClusterRole' || kind === 'Role') return { role: readRole(value) };
  return kind === 'ClusterRoleBinding' || kind === 'RoleBinding' ? { binding: readBinding(value) } : {};
}

function readSource(value: unknown, object: string, { apiVersions, home, granted, choice, ...kind }: Kind): Source {
  const { apiVersion } = objectOf(value);
  if (!apiVersions.includes(String(apiVersion)))
    throw new Malformed([problemAt(['apiVersion'], `${apiVersion} has none: ${home}`)]);
  const { metadata, refusals, grants, fields } = kind.read(value, object);
  const problems = [...nameRefusals(metadata.name), ...refusals];
  if (problems.length > 0) throw new Malformed(problems);
  return { name: metadata.name ?? '', object, granted, grants, choice, fields };
}

/** Reports objects that have the same name, because two such objects would become a single policy. */
function doubles(read: readonly Read[], objects: readonly unknown[]): InputProblem[] {
  const named = read.flatMap((one, index) => ('source' in one ? [{ ...one.source, index }] : []));
  return named.flatMap(({ name, index, object }): InputProblem[] => {
    const first = named.find((one) => one.name === name);
    if (!first || first.index === index) return [];
    const reason = `${objectText(objects[first.index])} has the same name, so their policies would have one name. Migrate the objects separately, or rename one object`;
    return [{ index, object, ...problemAt(['metadata', 'name'], reason) }];
  });
}

function objectText(value: unknown): string {
  const { kind, metadata } = (value ?? {}) as { kind?: unknown; metadata?: { name?: unknown } | null };
  const name = metadata?.name;
  return typeof kind !== 'string' ? 'object' : typeof name === 'string' && name !== '' ? `${kind}/${name}` : kind;
}

function unknownRole(binding: Binding): Note {
  const { kind = 'ClusterRole', name = '' } = binding.role;
  return {
    object: bindingText(binding),
    field: 'roleRef.name',
    value: name,
    text: `${kind}/${name} is not in the input: add this role if it grants the verb use`,
    exact: true,
  };
}
