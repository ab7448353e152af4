/** Kubescape's profiles of the behaviour of containers, in a cluster that has them. */
import { type ApiClient, isNotFound, pathFor } from '../../operator/cluster/client.ts';
import type { RawObject } from '../../operator/model/raw.ts';
import { inParallel } from '../../operator/runtime/in-parallel.ts';

const API_VERSION = 'spdx.softwarecomposition.kubescape.io/v1beta1';
/** Newer releases of Kubescape only create the first kind; the second kind is a view of it. */
const KINDS = ['ContainerProfile', 'ApplicationProfile'] as const;
const READS_AT_ONCE = 8;

interface ProfileOptions {
  /** Only this namespace. */
  readonly namespace?: string | undefined;
  readonly signal?: AbortSignal;
}

/** @returns undefined if the API server serves none of these kinds; of two kinds, only the first that has objects */
export async function readProfiles(client: ApiClient, options: ProfileOptions): Promise<RawObject[] | undefined> {
  let served = false;
  for (const kind of KINDS) {
    const profiles = await readKind(client, kind, options);
    served ||= profiles !== undefined;
    if (profiles && profiles.length > 0) return profiles;
  }
  return served ? [] : undefined;
}

async function readKind(
  client: ApiClient,
  kind: (typeof KINDS)[number],
  { namespace, signal }: ProfileOptions,
): Promise<RawObject[] | undefined> {
  const listed: RawObject[] = [];
  try {
    await client.list(pathFor(API_VERSION, kind, namespace), {}, ({ items }) => listed.push(...(items ?? [])), {
      ...(signal && { signal }),
    });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
  // Kubescape's API server lists profiles without their contents.
  const profiles: (RawObject | undefined)[] = [];
  await inParallel(listed.entries(), READS_AT_ONCE, async ([index, { metadata }]) => {
    const { namespace: own, name } = metadata ?? {};
    if (!own || !name) return;
    const profile = await client.get(pathFor(API_VERSION, kind, own, name), {}, signal).catch(ignoreNotFound);
    profiles[index] = profile && { apiVersion: API_VERSION, kind, ...profile };
  });
  return profiles.filter((profile) => profile !== undefined);
}

/** The profile was deleted meanwhile. */
function ignoreNotFound(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}
