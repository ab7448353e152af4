/** Reads the profiles of containers' behaviour that Kubescape stores in a cluster. */
import { type ApiClient, isNotFound, pathFor } from '../../operator/cluster/client.ts';
import type { RawObject } from '../../operator/model/raw.ts';
import { inParallel } from '../../operator/runtime/in-parallel.ts';

const API_VERSION = 'spdx.softwarecomposition.kubescape.io/v1beta1';
/**
 * The kinds of profiles. Newer releases of Kubescape store only ContainerProfiles, and derive ApplicationProfiles from
 * them.
 */
const KINDS = ['ContainerProfile', 'ApplicationProfile'] as const;
const READS_AT_ONCE = 8;

interface ProfileOptions {
  /** The only namespace to read. If the value is undefined, all namespaces are read. */
  readonly namespace?: string | undefined;
  readonly signal?: AbortSignal;
}

/**
 * @returns the profiles of the first kind that has objects. The result is undefined if the API server serves neither of
 * the two kinds
 */
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
  // In a list from Kubescape's API server, the profiles have no contents. Each profile is therefore read separately.
  const profiles: (RawObject | undefined)[] = [];
  await inParallel(listed.entries(), READS_AT_ONCE, async ([index, { metadata }]) => {
    const { namespace: own, name } = metadata ?? {};
    if (!own || !name) return;
    const profile = await client.get(pathFor(API_VERSION, kind, own, name), {}, signal).catch(ignoreNotFound);
    profiles[index] = profile && { apiVersion: API_VERSION, kind, ...profile };
  });
  return profiles.filter((profile) => profile !== undefined);
}

/** If a profile was deleted after the profiles were listed, the profile is ignored. */
function ignoreNotFound(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}
