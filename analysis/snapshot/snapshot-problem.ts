/**
 * Checks whether a value is a snapshot that the page can show. Users may open any file, and a wrong file must not break
 * the page.
 */
import { isObject } from '../schema/problems.ts';
import { SNAPSHOT_KIND, SNAPSHOT_VERSION, type Snapshot } from './document.ts';

/** The reason why the page cannot show a value as a snapshot; undefined if the page can show it. */
export function snapshotProblem(value: unknown): string | undefined {
  if (!isObject(value) || value.kind !== SNAPSHOT_KIND) return 'not a snapshot that `cappol snapshot` wrote';
  if (value.apiVersion !== SNAPSHOT_VERSION)
    return `the snapshot has version ${JSON.stringify(value.apiVersion)}; this version reads ${SNAPSHOT_VERSION}`;
  const wrong =
    fieldProblem(value, '', SNAPSHOT_FIELDS) ??
    listProblem(value, 'policies', POLICY_FIELDS) ??
    listProblem(value, 'shapes', SHAPE_FIELDS) ??
    listProblem(value, 'namespaces', NAMESPACE_FIELDS) ??
    referenceProblem(value as unknown as Snapshot);
  return wrong === undefined ? undefined : `the snapshot is damaged: ${wrong}`;
}

type Type = 'text' | 'list' | 'fields' | 'yes or no';

const SNAPSHOT_FIELDS: Readonly<Record<string, Type>> = {
  ...{ taken: 'text', context: 'text', serverVersion: 'text', operatorNamespace: 'text' },
  ...{ excludedNamespaces: 'list', missing: 'list', policies: 'list', namespaces: 'list', shapes: 'list' },
  ...{ violations: 'list', roles: 'list', roleBindings: 'list' },
};
const POLICY_FIELDS: Readonly<Record<string, Type>> = { name: 'text', uid: 'text', spec: 'fields', status: 'fields' };
const SHAPE_FIELDS: Readonly<Record<string, Type>> = {
  ...{ annotations: 'fields', spec: 'fields', capabilities: 'list', findings: 'list' },
};
const NAMESPACE_FIELDS: Readonly<Record<string, Type>> = {
  ...{ name: 'text', labels: 'fields', reached: 'yes or no', deciding: 'fields' },
  ...{ controllers: 'list', pods: 'list', verdicts: 'list' },
};

const IS: Readonly<Record<Type, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string',
  list: Array.isArray,
  fields: isObject,
  'yes or no': (value) => typeof value === 'boolean',
};

function fieldProblem(value: unknown, path: string, fields: Readonly<Record<string, Type>>): string | undefined {
  if (!isObject(value)) return `${path} is not an object`;
  const wrong = Object.entries(fields).find(([field, type]) => !IS[type](value[field]));
  return wrong && `${path === '' ? '' : `${path}.`}${wrong[0]} is not ${wrong[1]}`;
}

function listProblem(
  value: Readonly<Record<string, unknown>>,
  list: string,
  fields: Readonly<Record<string, Type>>,
): string | undefined {
  for (const [index, item] of (value[list] as unknown[]).entries()) {
    const problem = fieldProblem(item, `${list}[${index}]`, fields);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** The problem of an index that refers to no entry; undefined if every index refers to an entry. */
function referenceProblem({ namespaces, shapes, violations }: Snapshot): string | undefined {
  for (const { name, controllers, pods, verdicts } of namespaces) {
    const isShape = (one: unknown) => isObject(one) && shapes[one.shape as number] !== undefined;
    if (![...controllers, ...pods].every(isShape)) return `namespace ${name} has a workload without a shape`;
    const known = verdicts.every(
      (one) =>
        isObject(one) &&
        Object.values(one.violations ?? {}).every(
          (indexes) => Array.isArray(indexes) && indexes.every((index) => violations[index as number] !== undefined),
        ),
    );
    if (!known) return `namespace ${name} has a verdict without its violations`;
  }
  return undefined;
}
