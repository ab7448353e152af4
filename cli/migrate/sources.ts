/** The objects of the input → the objects to migrate, and their users. */
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
  rolesByPlace,
  unknownRoles,
} from './grants.ts';
import { type InputProblem, InvalidInput } from './invalid-input.ts';
import type { Note } from './migration.ts';
import type { Part } from './part.ts';
import { PSP_OBJECT } from './psp.ts';
import { pspParts } from './psp-policy.ts';
import { refusalsOf } from './psp-validation.ts';
import { nameRefusals } from './refusals.ts';
import { SCC_OBJECT } from './scc.ts';
import { sccGrants, sccParts } from './scc-policy.ts';
import { sccRefusals } from './scc-validation.ts';

/** One PodSecurityPolicy or SecurityContextConstraints. */
export interface Source {
  readonly name: string;
  /** Kind and name, such as `PodSecurityPolicy/restricted`. */
  readonly object: string;
  readonly granted: Granted;
  /** The grants in the object itself. */
  readonly grants: readonly Grant[];
  readonly choice: Choice;
  /** @param filling whether unset fields are filled in */
  parts(filling: boolean): Part[];
}

interface Input {
  /** By name. */
  readonly sources: readonly Source[];
  readonly roles: Roles;
  readonly bindings: readonly Binding[];
  readonly notes: readonly Note[];
}

const RBAC = 'rbac.authorization.k8s.io';
const PSP: Granted = { groups: ['policy', 'extensions'], resource: 'podsecuritypolicies' };
const SCC: Granted = { groups: ['security.openshift.io'], resource: 'securitycontextconstraints' };

/** @throws InvalidInput */
export function readInput(objects: readonly unknown[]): Input {
  const read = objects.map(readObject);
  const problems = [...read.flatMap((one) => ('problems' in one ? one.problems : [])), ...doubles(read, objects)];
  if (problems.length > 0) throw new InvalidInput(problems.sort((a, b) => a.index - b.index));
  const of = <Key extends string>(key: Key) => read.flatMap((one) => (key in one ? [one[key as keyof Read]] : []));
  const sources = (of('source') as Source[]).sort((a, b) => (a.name < b.name ? -1 : 1));
  const roles = rolesByPlace(of('role') as Role[]);
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
  const refused = (problems: readonly Problem[]) => ({ problems: problems.map((one) => ({ index, object, ...one })) });
  try {
    return readKnown(value, object, refused);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return refused(error.problems);
  }
}

function readKnown(value: unknown, object: string, refused: (problems: readonly Problem[]) => Read): Read {
  const { apiVersion, kind } = objectOf(value);
  const group = String(apiVersion).split('/').slice(0, -1).join('/');
  switch (kind) {
    case 'PodSecurityPolicy':
      if (apiVersion !== 'policy/v1beta1' && apiVersion !== 'extensions/v1beta1')
        return refused([problemAt(['apiVersion'], `${apiVersion} has none: PodSecurityPolicy is of policy/v1beta1`)]);
      return readPsp(value, object, refused);
    case 'SecurityContextConstraints':
      if (apiVersion !== 'security.openshift.io/v1' && apiVersion !== 'v1')
        return refused([problemAt(['apiVersion'], `${apiVersion} has none: it is of security.openshift.io/v1`)]);
      return readSccSource(value, object, refused);
    case 'ClusterRole':
    case 'Role':
      return group === RBAC ? { role: readRole(value) } : {};
    case 'ClusterRoleBinding':
    case 'RoleBinding':
      return group === RBAC ? { binding: readBinding(value) } : {};
    default:
      return {};
  }
}

function readPsp(value: unknown, object: string, refused: (problems: readonly Problem[]) => Read): Read {
  const { metadata = {}, spec = {} } = read(value, PSP_OBJECT);
  const { name, annotations = {} } = metadata;
  const psp = { name: name ?? '', annotations, spec };
  const refusals = [...nameRefusals(name), ...refusalsOf(psp)];
  return refusals.length > 0
    ? refused(refusals)
    : {
        source: {
          name: psp.name,
          object,
          granted: PSP,
          grants: [],
          choice: 'PodSecurityPolicy',
          parts: (filling) => pspParts(psp, filling),
        },
      };
}

function readSccSource(value: unknown, object: string, refused: (problems: readonly Problem[]) => Read): Read {
  const scc = read(value, SCC_OBJECT);
  const { name } = scc.metadata ?? {};
  const refusals = [...nameRefusals(name), ...sccRefusals(scc)];
  return refusals.length > 0
    ? refused(refusals)
    : {
        source: {
          name: name ?? '',
          object,
          granted: SCC,
          grants: sccGrants(scc, object),
          choice: 'Enabled',
          parts: (filling) => sccParts(scc, filling),
        },
      };
}

/** Two objects with the same name would become one policy. */
function doubles(read: readonly Read[], objects: readonly unknown[]): InputProblem[] {
  const named = read.flatMap((one, index) => ('source' in one ? [{ ...one.source, index }] : []));
  return named.flatMap(({ name, index, object }): InputProblem[] => {
    const first = named.find((one) => one.name === name);
    if (!first || first.index === index) return [];
    const reason = `${objectText(objects[first.index])} has the same name: their policies would be one. Migrate them one by one, or rename one`;
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
    text: `${kind}/${name} is not in the input: if it grants the verb use, add it`,
    exact: true,
  };
}
