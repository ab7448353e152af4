/**
 * Adds one policy for each level to a cluster without CapabilityPolicy. If a workload violates the policy of a level,
 * the level would refuse the workload.
 */
import { type CompletePolicy, GROUP, KIND, type Mode, VERSION } from '../../operator/api/capability-policy.ts';
import { completeSpec } from '../../operator/api/defaults.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import type { Level } from '../../operator/standards/level-version.ts';

/**
 * The levels, and the names of their policies. Policies of the same mode decide together. Each assessed level therefore
 * has its own mode.
 */
export const ASSESSED_LEVELS: readonly { readonly level: Level; readonly mode: Mode }[] = [
  { level: 'baseline', mode: 'Warn' },
  { level: 'restricted', mode: 'Audit' },
];

const POLICIES = ASSESSED_LEVELS.map(({ level, mode }): CompletePolicy => {
  const reason = `CapabilityPolicy is not installed: this shows what level ${level} would refuse`;
  const spec = completeSpec({ namespaceSelector: {}, level, mode, reason });
  const metadata = { name: level, uid: `level-${level}`, generation: 1 };
  return { apiVersion: `${GROUP}/${VERSION}`, kind: KIND, metadata, spec, status: {} };
});

/** @param cluster a cluster that may change. Each call reads its current state */
export function assessedCluster(cluster: Cluster): Cluster {
  return {
    policies: () => POLICIES,
    policy: (name) => POLICIES.find(({ metadata }) => metadata?.name === name),
    namespaces: () => cluster.namespaces(),
    namespace: (name) => cluster.namespace(name),
    pods: (namespace) => cluster.pods(namespace),
    workloads: (namespace) => cluster.workloads(namespace),
    workload: (namespace, kind, name) => cluster.workload(namespace, kind, name),
    roles: () => [],
    roleBindings: () => [],
    rendered: () => [],
    get oldestServer() {
      return cluster.oldestServer;
    },
  };
}
