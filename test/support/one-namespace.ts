/**
 * Makes a cluster with some policies and one namespace, in the form in which watches report the objects. The result
 * also has the state that the operator derives from the cluster.
 */
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import { ClusterState } from '../../operator/controllers/cluster-state.ts';
import type { Cluster, NamespaceView } from '../../operator/model/objects.ts';

interface Shown {
  readonly policies: readonly CompletePolicy[];
  readonly namespace: NamespaceView;
}

/** @param shown the function that returns the objects. Every read of the cluster calls the function. */
export function oneNamespace(oldestServer: number, shown: () => Shown): { cluster: Cluster; state: ClusterState } {
  const cluster = {
    oldestServer,
    policies: () => shown().policies,
    policy: (name: string) => shown().policies.find(({ metadata }) => metadata?.name === name),
    namespaces: () => [shown().namespace],
    namespace: () => shown().namespace,
    roles: () => [],
    roleBindings: () => [],
    rendered: () => [],
  } as unknown as Cluster;
  const options = { operatorNamespace: 'system', excludedNamespaces: [], podSecurityDefaults: {} };
  return { cluster, state: new ClusterState(cluster, options) };
}
