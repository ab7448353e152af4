/** Reads manifests or the workloads of a cluster, and returns the pods and templates that policies must admit. */
import type { UsedCapabilities } from '../../../analysis/evidence/used-capabilities.ts';
import { type InputObject, troubleOf } from '../../../analysis/manifests/document-objects.ts';
import { withTokenVolume } from '../../../analysis/manifests/token-volume.ts';
import { manifestPod, PodCandidates } from '../../../analysis/policies/candidates.ts';
import type { Given } from '../../../analysis/suggest/workloads.ts';
import { membersOf } from '../../../operator/evaluate/members.ts';
import type { Cluster } from '../../../operator/model/objects.ts';
import type { Io } from '../../command.ts';
import { type ReadOptions, readManifests } from '../../input/manifests.ts';
import { Progress } from '../../output/progress.ts';

interface FileOptions extends ReadOptions {
  /** The namespace of objects that have no `metadata.namespace`. */
  readonly namespace: string;
  readonly used?: UsedCapabilities | undefined;
  /**
   * Called with each manifest. The caller reads the labels of namespaces from manifests, because policies select
   * namespaces by labels.
   */
  readonly see: (manifest: InputObject) => void;
}

export async function givenByFiles(
  paths: readonly string[],
  io: Io,
  { namespace, used, see, ...options }: FileOptions,
): Promise<Given[]> {
  // The program assumes that every service account mounts its token into pods. For this reason, the suggested policy
  // also admits pods with a token volume.
  const candidates = new PodCandidates(namespace, () => true);
  const given: Given[] = [];
  const progress = new Progress(io);
  for await (const manifest of readManifests(paths, io, options)) {
    progress.at(() => `${given.length} workloads read`);
    see(manifest);
    const { candidatures, problems } = candidates.of(manifest);
    for (const problem of problems) options.tell(troubleOf(manifest, problem));
    for (const candidature of candidatures) {
      if (!candidature.candidate) continue;
      const { candidate } = candidature;
      const { content } = candidate;
      const { labels, ...workload } = manifestPod(manifest, candidature, namespace);
      given.push({ workload, content: used?.tightened(content, { ...workload, labels }) ?? content, candidate });
    }
  }
  progress.clear();
  return given;
}

/** @param only the only namespace to read. If `only` is undefined, all namespaces are read */
export function givenByCluster(cluster: Cluster, only?: string, used?: UsedCapabilities): Given[] {
  const all = cluster.namespaces().filter(({ terminating }) => !terminating);
  const namespaces = only === undefined ? all.map(({ name }) => name) : [only];
  return namespaces.flatMap((namespace) =>
    membersOf(namespace, cluster).map(({ workload, pod, candidate, refusal }) => {
      const content = pod ? candidate.content : withTokenVolume(candidate.content, true);
      // Evidence from a cluster already contains the names of workloads, so the workloads' labels are not needed.
      return {
        workload,
        content: used?.tightened(content, { ...workload, labels: {} }) ?? content,
        candidate,
        ...(refusal && { refusal }),
      };
    }),
  );
}
