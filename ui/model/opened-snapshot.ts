/** A snapshot from a file that somebody opened: any file may come, and a wrong one must not break the page. */
import { isObject } from '../../cli/schema/problems.ts';
import { SNAPSHOT_KIND, SNAPSHOT_VERSION, type Snapshot } from '../../operator/snapshot/document.ts';

/** @throws Error for people */
export async function snapshotIn(bytes: Uint8Array<ArrayBuffer>): Promise<Snapshot> {
  const isCompressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const text = isCompressed ? await decompressed(bytes) : textOf(bytes);
  const value = parsed(text);
  const problem = snapshotProblem(value);
  if (problem !== undefined) throw new Error(problem);
  return value as Snapshot;
}

const HOW = 'Open the output of cappol snapshot, as it is or compressed by gzip.';

async function decompressed(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    return await new Response(stream).text();
  } catch {
    throw new Error(`The compressed file is damaged. ${HOW}`);
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`The file is not text. ${HOW}`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`The file is not JSON. ${HOW}`);
  }
}

/** Why a value is not a snapshot that the page can show. */
function snapshotProblem(value: unknown): string | undefined {
  if (!isObject(value) || value.kind !== SNAPSHOT_KIND) return `The file is not a snapshot. ${HOW}`;
  if (value.apiVersion !== SNAPSHOT_VERSION)
    return `The snapshot has version ${JSON.stringify(value.apiVersion)}; this page reads ${SNAPSHOT_VERSION}.`;
  const wrong =
    fieldProblem(value, '', SNAPSHOT_FIELDS) ??
    listProblem(value, 'policies', POLICY_FIELDS) ??
    listProblem(value, 'shapes', SHAPE_FIELDS) ??
    listProblem(value, 'namespaces', NAMESPACE_FIELDS) ??
    referenceProblem(value as unknown as Snapshot);
  return wrong === undefined ? undefined : `The snapshot is damaged: ${wrong}. Write it again with cappol snapshot.`;
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
  if (!isObject(value)) return `${path} is no object`;
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

/** An index that leads nowhere. */
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
