/** Reads the current state of a cluster once, for callers that do not follow the cluster. */
import { type ApiClient, type ApiError, isForbidden, isNotFound, pathFor } from '../operator/cluster/client.ts';
import { type Source, selectorsOf } from '../operator/cluster/reading.ts';
import { askKnownServers, oldest } from '../operator/cluster/servers.ts';
import { fanOut, type Sink } from '../operator/cluster/sink.ts';
import * as sources from '../operator/cluster/sources.ts';
import { Store } from '../operator/cluster/store.ts';
import type { Cluster } from '../operator/model/objects.ts';
import type { RawObject } from '../operator/model/raw.ts';
import { createProjection } from '../operator/projection/projection.ts';
import { RULES } from '../operator/rules/index.ts';
import { missingRights } from './missing-rights.ts';

export interface ReadOptions {
  /** The only namespace to read. Cluster-scoped objects are read, too. */
  readonly namespace?: string;
  /** Whether to read pods and workloads, which are the largest part of a cluster. */
  readonly workloads: boolean;
  /** The only kinds to read. By default, all kinds are read. */
  readonly only?: readonly Source[];
  /**
   * Whether it is an error if the user may not read a kind. If `complete` is true, every missing right is an error,
   * even for a kind that only some results need.
   */
  readonly complete?: boolean;
  readonly signal?: AbortSignal;
  /** `onPage` is called with the number of objects that were read so far. */
  onPage?(objects: number): void;
  /**
   * `onForbidden` is called with each kind that the user may not read. The kind is then left out. If `onForbidden` is
   * absent, a kind that the user may not read is an error.
   */
  onForbidden?(source: Source, error: ApiError): void;
}

/**
 * The kinds that may be missing, because the result is useful without them. If admission policies and their bindings
 * are missing, the result lacks only some statements. The missing statements are about policies whose current spec is
 * not accepted. Without Events, the result lacks refused pods of StatefulSets, DaemonSets and Jobs. Policies may be missing only in a cluster without the CRD.
 */
const DISPENSABLE: readonly Source[] = [sources.POLICIES, sources.REFUSALS, ...sources.ADMISSION_POLICIES];

/**
 * @throws UsageError that names all missing rights if the user lacks rights. If the reading fails for any other reason,
 * the client's error is thrown
 */
export async function readCluster(client: ApiClient, options: ReadOptions): Promise<Cluster> {
  const servers = { oldest: 0 };
  const store = new Store(createProjection(RULES), servers, () => {});
  const ofWorkloads = [...sources.PODS_AND_WORKLOADS, sources.REFUSALS];
  const isWanted = (source: Source) =>
    options.only?.includes(source) ?? (options.workloads || !ofWorkloads.includes(source));
  const wanted = [...store.followed].filter(([source]) => isWanted(source));
  let objects = 0;
  const counted = (count: number) => {
    objects += count;
    options.onPage?.(objects);
  };
  const ending = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, ending.signal]) : ending.signal;
  const reading = { ...options, signal };
  try {
    const [minors] = await Promise.all([
      askKnownServers(client),
      ...wanted.map(([source, collections]) => readSource(client, source, fanOut(collections), reading, counted)),
    ]);
    servers.oldest = oldest(minors);
    return store;
  } catch (error) {
    ending.abort();
    if (!isForbidden(error)) throw error;
    const asked = wanted.map(([source]) => source);
    const forbidden = await forbiddenSources(client, options.signal, { sources: asked, namespace: options.namespace });
    const { namespace } = options;
    // To read a single namespace, the user needs only the right to get this namespace. A Role may grant this right.
    if (namespace !== undefined && forbidden.has(sources.NAMESPACES)) {
      if (await readNamespace(client, namespace, undefined, options.signal)) forbidden.delete(sources.NAMESPACES);
    }
    const needed = [...forbidden.keys()].filter((source) => !isDispensable(source, error, options));
    if (needed.length === 0) throw error;
    // With the other rights, the command would ask for Events next.
    const missing = forbidden.has(sources.REFUSALS) ? new Set([...needed, sources.REFUSALS]) : needed;
    throw missingRights([...missing], error, options.namespace);
  }
}

interface Asking {
  /**
   * The kinds for which the function checks the user's rights. By default, the function checks all kinds that the
   * operator follows.
   */
  readonly sources?: readonly Source[];
  readonly namespace?: string | undefined;
}

/** Finds out which kinds the user may not read. The function asks for one object of each kind. */
export async function forbiddenSources(
  client: ApiClient,
  signal: AbortSignal | undefined,
  { sources: all = followedSources(), namespace }: Asking = {},
): Promise<Map<Source, ApiError>> {
  const asked = all.map(async (source) => {
    const { apiVersion, kind } = source;
    try {
      await client.get(pathFor(apiVersion, kind, namespace), { limit: 1, ...selectorsOf(source) }, signal);
    } catch (error) {
      if (isForbidden(error)) return [[source, error] as const];
      if (!isNotFound(error)) throw error;
    }
    return [];
  });
  return new Map((await Promise.all(asked)).flat());
}

function followedSources(): Source[] {
  return [...new Store(createProjection(RULES), { oldest: 0 }, () => {}).followed.keys()];
}

async function readSource(
  client: ApiClient,
  source: Source,
  sink: Sink,
  options: ReadOptions,
  counted: (count: number) => void,
): Promise<void> {
  const { namespace, signal, onForbidden } = options;
  const { apiVersion, kind, managedFields = false } = source;
  try {
    await client.list(
      pathFor(apiVersion, kind, namespace),
      selectorsOf(source),
      ({ items }) => {
        for (const item of items ?? []) sink.put({ apiVersion, kind, ...item });
        counted((items ?? []).length);
      },
      { managedFields, ...(signal && { signal }) },
    );
  } catch (error) {
    if (source === sources.NAMESPACES && namespace !== undefined && isForbidden(error)) {
      if (await readNamespace(client, namespace, sink, signal)) return;
    }
    if (onForbidden && isForbidden(error)) onForbidden(source, error);
    else if (!isDispensable(source, error, options)) throw error;
  }
}

/**
 * Reads a namespace by its name. A Role in the namespace may grant the right to get the namespace.
 *
 * @returns whether the user has the right to get the namespace
 */
async function readNamespace(
  client: ApiClient,
  name: string,
  sink: Sink | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { apiVersion, kind } = sources.NAMESPACES;
  try {
    const found = await client.get<RawObject>(pathFor(apiVersion, kind, undefined, name), {}, signal);
    sink?.put({ ...found, apiVersion, kind });
    return true;
  } catch (error) {
    if (isForbidden(error)) return false;
    if (isNotFound(error)) return true;
    throw error;
  }
}

/**
 * Whether the command can continue, although the user may not read the kind. Without policies, every statement about
 * policies would be wrong.
 */
function isDispensable(source: Source, error: unknown, { complete = false }: ReadOptions): boolean {
  const mayBeForbidden = source !== sources.POLICIES && !complete;
  return DISPENSABLE.includes(source) && (isNotFound(error) || (mayBeForbidden && isForbidden(error)));
}
