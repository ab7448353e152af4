/** Finds, for a snapshot, the capabilities that the processes in a namespace used. */
import { membersOf } from '../../operator/evaluate/members.ts';
import { valuesByKey } from '../../operator/model/by-key.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import type { UsedCapabilities } from '../evidence/used-capabilities.ts';
import type { UsedByContainer } from './document.ts';

/**
 * The containers in a namespace about which evidence exists. The evidence about a container counts for all pods of its
 * workload.
 */
export function usedIn(namespace: string, cluster: Cluster, evidence: UsedCapabilities): UsedByContainer[] {
  const found = new Map<string, UsedByContainer>();
  for (const { workload, candidate } of membersOf(namespace, cluster)) {
    for (const compared of evidence.compare(candidate.content.spec, { ...workload, labels: {} })) {
      if (!compared.evidence) continue;
      const { kind, name } = workload;
      const key = JSON.stringify([kind, name, compared.name]);
      const own = compared.evidence.used.map(({ capability }) => capability);
      const all = new Set([...own, ...(found.get(key)?.used ?? [])]);
      const used = CAPABILITIES.filter((capability) => all.has(capability));
      found.set(key, { kind, name, container: compared.name, used });
    }
  }
  return valuesByKey(found);
}
