/**
 * Divides the checks into groups. Checks of different groups read no common field. Values for different groups
 * therefore need not be combined. Fields of the pod that several rules read, such as `hostUsers` and `os`, belong to no
 * group. The groups are examined once for each combination of the values of these fields.
 */
import type { KnownCheck } from './alternatives.ts';
import { Fields, type Fieldset, product } from './fields.ts';
import { CONTRADICTED, LIMITING, NEEDED, SECCOMP, TOGETHER } from './kubernetes.ts';
import { ANNOTATIONS, isContainerName, rootOf, tellsContainersApart, typeOf } from './paths.ts';
import type { Reads } from './reads.ts';
import { MOST_TOGETHER, type Together } from './together.ts';

export interface Group {
  readonly checks: readonly UnderstoodCheck[];
  readonly fields: Fields;
  readonly paths: ReadonlySet<string>;
}

export interface Groups {
  readonly groups: readonly Group[];
  readonly common: Common;
  /** The names and images of containers that the checks distinguish. */
  readonly containers: readonly Fieldset[];
  readonly isCommon: (path: string) => boolean;
  /** If true, fields are in one group if the API server refuses some combinations of their values. */
  readonly isStrict: boolean;
  /** The maximum number of items that are tried together in the list at the path. */
  readonly together: (list: string) => number;
}

/** The fields that belong to no group. */
export interface Common {
  readonly fields: Fields;
  readonly paths: readonly string[];
  /**
   * Values of certain fields of a container. Checks ask whether some container of the pod sets these fields, and ask
   * nothing else about the fields.
   */
  readonly companions: readonly (Fieldset | undefined)[];
}

export type UnderstoodCheck = KnownCheck & { readonly reads: Reads };

export function isUnderstood(check: KnownCheck): check is UnderstoodCheck {
  return check.reads !== undefined;
}

const COMMON = /^spec\.(?:\w+|os\.name)$/;

/**
 * @param counted the number of items that a pod may need in each list
 * @param isStrict if false, groups are smaller, but the API server refuses some combinations of values from different
 * groups. Also, two containers may need the same name
 */
export function groupsOf(checks: readonly UnderstoodCheck[], counted: Together, isStrict = false): Groups {
  const rulesOf = new Map<string, Set<string>>();
  for (const { rule, reads } of checks) {
    for (const path of reads.paths) rulesOf.set(path, (rulesOf.get(path) ?? new Set()).add(rule));
  }
  const isShared = (path: string, { size }: ReadonlySet<string>) => size > 1 || LIMITING.includes(path);
  const shared = [...rulesOf].filter(([path, rules]) => isShared(path, rules) && COMMON.test(path) && isScalar(path));
  const needed = Object.entries(NEEDED).flatMap(([end, path]) =>
    [...rulesOf.keys()].some((one) => one.endsWith(end)) ? [path] : [],
  );
  const common = new Set([...shared.map(([path]) => path), ...needed]);
  const ofSome = new Set([...rulesOf.keys()].filter((path) => isOfSome(path, rulesOf)));
  const isCommon = (path: string) =>
    common.has(path) || ofSome.has(path) || (path === 'spec.os' && common.has('spec.os.name'));
  const isBeside = (field: string) => isStrict || common.has(field);
  // A list of a container usually needs only one item, because several containers can each have one of the items. Only
  // one container of a pod can have the name that a policy selects.
  const isNamed = checks.some(({ reads }) => [...reads.paths].some(tellsContainersApart));
  const together = (list: string) => {
    const least = list.startsWith('spec.') ? 2 : 1;
    const isCounted = list.startsWith('spec.') || (isStrict && isNamed && list.startsWith('c.'));
    return isCounted ? Math.min(MOST_TOGETHER, Math.max(least, counted.get(list) ?? 0)) : 1;
  };
  const fields = new Fields(
    checks.map(({ reads }) => reads),
    isBeside,
    together,
  );
  const companions = ofSome.size === 0 ? [undefined] : fields.object('x', (path) => ofSome.has(path));
  return {
    groups: joined(checks, isCommon, isStrict).map((ofGroup) => ({
      checks: ofGroup,
      fields: new Fields(
        ofGroup.map(({ reads }) => reads),
        isBeside,
        together,
      ),
      paths: new Set(ofGroup.flatMap(({ reads }) => [...reads.paths])),
    })),
    common: { fields, paths: [...common], companions },
    containers: containersIn(fields),
    isCommon,
    isStrict,
    together,
  };
}

/**
 * Whether checks read the field only across all containers of the pod. No check reads the field of the single container
 * on which the check runs.
 */
function isOfSome(path: string, read: ReadonlyMap<string, unknown>): boolean {
  return path.startsWith('x.') && !isContainerName(path) && !read.has(path.replace(/^x/, 'c'));
}

function isScalar(path: string): boolean {
  return typeOf(path).length === 1;
}

function containersIn(fields: Fields): Fieldset[] {
  const names = ['name', 'image'];
  const values = names.map((name) => {
    const known = new Set([...fields.values(`c.${name}`), ...fields.values(`x.${name}`)]);
    return [...known].filter((value) => value !== undefined);
  });
  return product(names, values);
}

/** Checks that read a field in common are in one group. A volume is one value, because it has exactly one source. */
function joined(
  checks: readonly UnderstoodCheck[],
  isCommon: (path: string) => boolean,
  isStrict: boolean,
): UnderstoodCheck[][] {
  let groups: { readonly fields: ReadonlySet<string>; readonly checks: UnderstoodCheck[] }[] = [];
  for (const check of checks) {
    const fieldsIn = (path: string) => {
      const fields = fieldsOf(path, check.reads);
      return isStrict ? fields.flatMap((field) => [field, ...(CONTRADICTED[field] ?? [])]) : fields;
    };
    const read = [...check.reads.paths].filter((path) => !isCommon(path));
    const own = new Set(read.flatMap(fieldsIn).filter((field) => !isCommon(field)));
    const [joining, others] = [
      groups.filter(({ fields }) => !fields.isDisjointFrom(own)),
      groups.filter(({ fields }) => fields.isDisjointFrom(own)),
    ];
    const fields = joining.reduce((all, group) => all.union(group.fields), own);
    groups = [...others, { fields, checks: [...joining.flatMap((group) => group.checks), check] }];
  }
  return groups.map((group) => group.checks);
}

/** The fields to which the path belongs. The list is empty for an object whose fields are read one by one. */
function fieldsOf(path: string, { presence }: Reads): string[] {
  if (isContainerName(path)) return [];
  if (rootOf(path) === 'v' || path.startsWith('spec.volumes')) return ['v'];
  // The API server refuses a pod whose historical annotation contradicts the field.
  if (path.includes(SECCOMP.annotation)) return [ANNOTATIONS, ...SECCOMP.fields];
  if (path.startsWith(ANNOTATIONS) || path.includes('@')) return [ANNOTATIONS];
  const [list = ''] = path.split(/[[#]/);
  if (TOGETHER.includes(list.replace(/^x/, 'c'))) return [TOGETHER.join()];
  const isObject = /^[A-Z]/.test(typeOf(list)) && !path.includes('#');
  if (isObject && !presence.has(path)) return [];
  return [isObject || !path.includes('#keys') ? list.replace(/^x/, 'c') : path];
}
