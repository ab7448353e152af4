import type { CapabilityPolicy, CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { newPolicy } from '../../operator/api/model.ts';
import { overridesOf } from '../../operator/api/overrides.ts';
import { type Chooser, withDefaulting } from './defaulting.ts';
import { type Grant, grantsOn } from './grants.ts';
import type { MigratedField, Statement } from './migrated-field.ts';
import type { Migration, MigrationOptions, Note, Origins, RbacObject, Remark } from './migration.ts';
import { policyNames } from './names.ts';
import { roomNotes } from './room.ts';
import { readInput, type Source } from './sources.ts';
import { usability } from './usable-by.ts';

export { InvalidInput } from './invalid-input.ts';
export type { Migration, MigrationOptions, Note, Origins, RbacObject } from './migration.ts';

/**
 * The level of migrated policies, in the version of the last Kubernetes release that had PodSecurityPolicy. Level
 * privileged restricts nothing, so the overrides contain every restriction.
 */
const LEVEL = { level: 'privileged', levelVersion: 'v1.24' } as const;

/**
 * Migrates PodSecurityPolicies and SecurityContextConstraints to CapabilityPolicies. RBAC objects that grant the use of
 * a migrated object become bindings. Objects of other kinds are ignored.
 *
 * @param objects parsed manifests, in which Lists are already split into their items
 * @throws InvalidInput with the names of the wrong objects and fields
 */
export function migrate(objects: readonly unknown[], options: MigrationOptions): Migration {
  const { sources, roles, bindings, notes } = readInput(objects);
  const names = policyNames(sources);
  const kinds = new Set(sources.map(({ granted }) => granted));
  const byRole = new Map([...kinds].map((granted) => [granted, grantsOn(granted, roles, bindings)]));
  const done = sources.map((source) => {
    const grants = [...source.grants, ...(byRole.get(source.granted) ?? [])];
    return migrated(source, names.of(source), grants, options);
  });
  const choosers = done.flatMap(({ chooser }) => chooser ?? []);
  const policies = options.mode === 'Enforce' ? withDefaulting(choosers) : choosers.map(({ policy }) => policy);
  const left = policies.sort(byName);
  return {
    policies: left,
    rbac: done.flatMap(({ rbac }) => rbac),
    notes: [
      ...done.flatMap((one) => one.notes),
      ...names.notes,
      ...notes,
      ...roomNotes(left),
      ...emptied(done.length, left.length),
    ],
    origins: Object.fromEntries(done.flatMap(({ name, origins, chooser }) => (chooser ? [[name, origins]] : []))),
  };
}

interface Migrated {
  readonly name: string;
  /**
   * The migrated policy, and the data for the choice of its `defaulting`. The field is undefined if the object could
   * never admit a pod.
   */
  readonly chooser?: Chooser;
  readonly rbac: readonly RbacObject[];
  readonly notes: readonly Note[];
  readonly origins: Origins;
}

function migrated(source: Source, name: string, grants: readonly Grant[], options: MigrationOptions): Migrated {
  const filling = options.mode === 'Enforce';
  const fields = source.fields(filling);
  const noteOf = (remark: Remark): Note => ({ object: source.object, ...remark });
  const never = fields.flatMap((field) => field.never ?? []);
  if (never.length > 0) return { name, rbac: [], notes: never.map((remark) => noteOf(leftOut(remark))), origins: {} };
  const statements = fields.flatMap((field) => field.statements ?? []);
  const use = usability(grantsOnName(grants, source.name, name), name);
  const policy = policyOf(name, statements, use.spec, options);
  return {
    name,
    chooser: { policy, choice: source.choice },
    rbac: use.bindings,
    notes: [...fields.flatMap((field: MigratedField) => field.remarks ?? []), ...use.remarks].map(noteOf),
    origins: originsOf(statements, use.origins),
  };
}

/**
 * The grants on a migrated object. The migrated policy may have another name than the object. If the grant lists no
 * names, or if the policy keeps the object's name, the grant's wildcards also grant the use of the policy.
 */
function grantsOnName(grants: readonly Grant[], before: string, now: string): Grant[] {
  return grants
    .filter(({ names }) => names === undefined || names.includes(before))
    .map((grant) => ({ ...grant, covers: grant.covers && (grant.names === undefined || before === now) }));
}

function byName(a: CapabilityPolicy, b: CapabilityPolicy): number {
  return (a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1;
}

function leftOut(remark: Remark): Remark {
  return { ...remark, text: `${remark.text}. The object is not migrated` };
}

function policyOf(
  name: string,
  statements: readonly Statement[],
  use: Pick<CapabilityPolicySpec, 'usableBy' | 'subjects'>,
  { mode, namespaceSelector = {} }: MigrationOptions,
): CapabilityPolicy {
  const overrides = overridesOf(Object.fromEntries(statements.map(({ path, value }) => [path, value])));
  return newPolicy(name, { namespaceSelector, ...LEVEL, mode, ...use, overrides });
}

function originsOf(statements: readonly Statement[], use: Readonly<Record<string, string>>): Origins {
  return Object.fromEntries([
    ...Object.entries(use).map(([path, from]) => [`spec.${path}`, from]),
    ...statements.map(({ path, from }) => [`spec.overrides.${path}`, from]),
  ]);
}

/**
 * A note for a migration that results in no policy. Before the migration no pod was admitted, and without a policy
 * every pod is admitted.
 */
function emptied(before: number, after: number): Note[] {
  if (before === 0 || after > 0) return [];
  const text =
    'none of these policies could admit a pod, so every pod was refused. From now on, no policy refuses a pod';
  return [{ object: 'input', field: '', value: null, text, exact: false }];
}
