/**
 * Reads the option --used for a cluster. The evidence is in the cluster's profiles, or in files about the cluster's
 * pods.
 */
import { RecordError } from '../../analysis/evidence/fields.ts';
import { EvidenceReader } from '../../analysis/evidence/reader.ts';
import type { Evidence, ObservedContainer } from '../../analysis/evidence/use.ts';
import { UsedCapabilities } from '../../analysis/evidence/used-capabilities.ts';
import type { Trouble } from '../../analysis/manifests/trouble.ts';
import { topController } from '../../operator/evaluate/workloads.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import type { Connected } from '../cluster.ts';
import { type Io, UsageError } from '../command.ts';
import { readProfiles } from './profiles.ts';
import { readEvidence } from './read.ts';
import { checkSince, type UsedOptions } from './used.ts';

interface Reading {
  readonly connected: Connected;
  readonly cluster: Cluster;
  /** The only namespace to read. If `only` is undefined, all namespaces are read. */
  readonly only: string | undefined;
  readonly io: Io;
  tell(trouble: Trouble): void;
}

/**
 * @returns undefined if --used is not given
 * @throws UsageError if no files are named and the cluster contains no profiles
 */
export async function usedInCluster(options: UsedOptions, reading: Reading): Promise<UsedCapabilities | undefined> {
  checkSince(options);
  const { used: paths } = options;
  if (paths === undefined) return undefined;
  const { io, tell, cluster } = reading;
  const evidence = paths === true ? await profiles(reading) : await readEvidence(paths, io, { tell });
  return new UsedCapabilities(ofWorkloads(evidence, cluster), options);
}

/** The evidence in the Kubescape profiles of the cluster. @throws UsageError if the cluster contains no profiles */
export async function profiles({ connected: { client }, only, io, tell }: Omit<Reading, 'cluster'>): Promise<Evidence> {
  const found = await readProfiles(client, { namespace: only, signal: io.signal });
  if (!found) {
    throw new UsageError('the cluster has no profiles of Kubescape: name files with evidence after --used');
  }
  const reader = new EvidenceReader();
  for (const profile of found) {
    try {
      reader.add(profile);
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      const { namespace, name } = profile.metadata ?? {};
      tell({ file: `${profile.kind} ${namespace}/${name}`, message: error.message, severity: 'warning' });
    }
  }
  return reader.evidence;
}

/**
 * Adds to the evidence the workload of each running pod. A running pod has an owner. The program reads the name of the
 * workload from the owner, and does not have to guess the name from the pod's name.
 */
export function ofWorkloads({ uses, watches }: Evidence, cluster: Cluster): Evidence {
  const namespaces = new Set([...uses, ...watches].map(({ namespace }) => namespace));
  const owners = new Map(
    [...namespaces].flatMap((namespace) =>
      [...cluster.pods(namespace)].map((pod) => [
        `${namespace}/${pod.name}`,
        topController('Pod', pod, cluster).workload,
      ]),
    ),
  );
  const owned = <Record extends ObservedContainer>(record: Record): Record => {
    const { kind, name } = owners.get(`${record.namespace}/${record.pod}`) ?? {};
    return kind && name ? { ...record, workload: { kind, name } } : record;
  };
  return { uses: uses.map(owned), watches: watches.map(owned) };
}
