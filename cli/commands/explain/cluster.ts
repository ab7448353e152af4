/** Finds out which capabilities the containers of a cluster's pods and workloads hold. */
import type { UsedCapabilities } from '../../../analysis/evidence/used-capabilities.ts';
import type { Trouble } from '../../../analysis/manifests/trouble.ts';
import type { KubeConfigOptions } from '../../../operator/cluster/kubeconfig.ts';
import { membersOf } from '../../../operator/evaluate/members.ts';
import { valuesByKey } from '../../../operator/model/by-key.ts';
import type { Cluster } from '../../../operator/model/objects.ts';
import { readPods, withCluster } from '../../cluster.ts';
import type { Io } from '../../command.ts';
import { usedInCluster } from '../../evidence/cluster.ts';
import type { UsedOptions } from '../../evidence/used.ts';
import { checkScope, type ScopeOptions } from '../../scope.ts';
import { type ExplainedManifest, explainedContainers } from './manifests.ts';

export interface ClusterOptions extends UsedOptions, KubeConfigOptions, ScopeOptions {}

/**
 * The capabilities that the containers of a cluster hold, sorted by namespace and workload. If the pods of one workload
 * differ, they are listed separately.
 */
export async function explainedCluster(
  options: ClusterOptions,
  io: Io,
  tell: (trouble: Trouble) => void,
): Promise<ExplainedManifest[]> {
  checkScope(options);
  return withCluster(options, async (connected) => {
    const { cluster, scope } = await readPods(connected, io, options);
    const { only } = scope;
    const used = await usedInCluster(options, { connected, cluster, only, io, tell });
    const namespaces = only === undefined ? cluster.namespaces().map(({ name }) => name) : [only];
    const explained = namespaces.flatMap((one) => explainedNamespace(one, cluster, used));
    if (explained.length === 0) io.stderr.write(`cappol: no pods or workloads in ${scope.text}\n`);
    return explained;
  });
}

function explainedNamespace(
  namespace: string,
  cluster: Cluster,
  used: UsedCapabilities | undefined,
): ExplainedManifest[] {
  const found = new Map<string, ExplainedManifest>();
  for (const { workload, candidate } of membersOf(namespace, cluster)) {
    const { spec } = candidate.content;
    const compared = used?.compare(spec, { ...workload, labels: {} });
    const containers = explainedContainers(spec, compared, () => null);
    const { kind, name } = workload;
    found.set(JSON.stringify([kind, name, containers]), { kind, namespace, name, file: null, line: null, containers });
  }
  return valuesByKey(found);
}
