/** The current cluster, read once, for callers that do not follow it. */
import { type ApiClient, type ApiError, isForbidden, isNotFound, pathFor } from '../operator/cluster/client.ts';
import type { Source } from '../operator/cluster/reading.ts';
import { askKnownServers, oldest } from '../operator/cluster/servers.ts';
import { fanOut, type Sink } from '../operator/cluster/sink.ts';
import * as sources from '../operator/cluster/sources.ts';
import { Store } from '../operator/cluster/store.ts';
import type { Cluster } from '../operator/model/objects.ts';
import { createProjection } from '../operator/projection/projection.ts';
import { RULES } from '../operator/rules/index.ts';

export interface ReadOptions {
  /** Only this namespace; cluster-scoped objects are read as well. */
  readonly namespace?: string;
  /** Whether to read pods and workloads, which are by far the most of a cluster. */
  readonly workloads: boolean;
  /** Only these kinds. */
  readonly only?: readonly Source[];
  readonly signal?: AbortSignal;
  /** Called with the number of objects read so far. */
  onPage?(objects: number): void;
  /** Called with each kind that may not be read, which is then left out. Without this function, such a kind is an error. */
  onForbidden?(source: Source, error: ApiError): void;
}

/**
 * Needed only for a policy whose current text is not accepted. If a user may not read them, or the cluster has no CRD,
 * nothing else is lost.
 */
const DISPENSABLE: readonly Source[] = [sources.POLICIES, ...sources.ADMISSION_POLICIES];

/** @throws the client's error, for any kind that cannot be read */
export async function readCluster(client: ApiClient, options: ReadOptions): Promise<Cluster> {
  const servers = { oldest: 0 };
  const store = new Store(createProjection(RULES), servers, () => {});
  const isWanted = (source: Source) =>
    options.only?.includes(source) ?? (options.workloads || !sources.PODS_AND_WORKLOADS.includes(source));
  const wanted = [...store.followed].filter(([source]) => isWanted(source));
  let objects = 0;
  const counted = (count: number) => {
    objects += count;
    options.onPage?.(objects);
  };
  const [minors] = await Promise.all([
    askKnownServers(client),
    ...wanted.map(([source, collections]) => readSource(client, source, fanOut(collections), options, counted)),
  ]);
  servers.oldest = oldest(minors);
  return store;
}

/** The kinds that may not be read, found by asking for one object of each kind. */
export async function forbiddenSources(client: ApiClient, signal: AbortSignal): Promise<Map<Source, ApiError>> {
  const { followed } = new Store(createProjection(RULES), { oldest: 0 }, () => {});
  const asked = [...followed.keys()].map(async (source) => {
    const { apiVersion, kind, labelSelector } = source;
    try {
      await client.get(pathFor(apiVersion, kind), { limit: 1, labelSelector }, signal);
    } catch (error) {
      if (isForbidden(error)) return [[source, error] as const];
      if (!isNotFound(error)) throw error;
    }
    return [];
  });
  return new Map((await Promise.all(asked)).flat());
}

async function readSource(
  client: ApiClient,
  source: Source,
  sink: Sink,
  { namespace, signal, onForbidden }: ReadOptions,
  counted: (count: number) => void,
): Promise<void> {
  const { apiVersion, kind, labelSelector, managedFields = false } = source;
  try {
    await client.list(
      pathFor(apiVersion, kind, namespace),
      { labelSelector },
      ({ items }) => {
        for (const item of items ?? []) sink.put({ apiVersion, kind, ...item });
        counted((items ?? []).length);
      },
      { managedFields, ...(signal && { signal }) },
    );
  } catch (error) {
    if (onForbidden && isForbidden(error)) onForbidden(source, error);
    else if (!isDispensable(source, error)) throw error;
  }
}

/** Without the right to read policies, every statement about them would be wrong. */
function isDispensable(source: Source, error: unknown): boolean {
  return DISPENSABLE.includes(source) && (isNotFound(error) || (source !== sources.POLICIES && isForbidden(error)));
}
