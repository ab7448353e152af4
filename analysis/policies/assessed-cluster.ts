/**
 * Adds a policy for each level to a cluster without CapabilityPolicy. The workloads that violate a level's policy are
 * the workloads that the level would refuse.
 */
import { type CompletePolicy, GROUP, KIND, type Mode, VERSION } from '../../operator/api/capability-policy.ts';
import { completeSpec } from '../../operator/api/defaults.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import type { Level } from '../../operator/standards/level-version.ts';

/**
 * The levels, and the names of their policies. Policies of one mode decide together, so each assessed level has a mode
 * of its own.
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

/** @param cluster a cluster that may change: each call reads its current state */
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
