/** Policies, their statuses and verdicts → the numbers of /metrics. */
import type { CapabilityPolicy, CapabilityPolicyStatus } from '../api/capability-policy.ts';
import type { NamespaceJudgement } from '../evaluate/namespace.ts';
import type { Cluster, PodSpec } from '../model/objects.ts';
import type { PolicyNumbers, PolicySources } from './policy-metrics.ts';
import { violationCounts } from './violation-counts.ts';

type Objects = Pick<Cluster, 'policies' | 'pods' | 'workloads'>;

/** @param judgements by namespace */
export function policySources(cluster: Objects, judgements: ReadonlyMap<string, NamespaceJudgement>): PolicySources {
  return {
    policies: () => cluster.policies().map(policyNumbers),
    violating: () => violationCounts(judgements.values()),
    evaluatedObjects: () => Iterator.from(specsIn(judgements.keys(), cluster)).reduce((count) => count + 1, 0),
    distinctFingerprints: () => new Set(specsIn(judgements.keys(), cluster)).size,
  };
}

/** Equal ones are the same object: the projection shares them. */
function* specsIn(namespaces: Iterable<string>, cluster: Objects): Generator<PodSpec> {
  for (const namespace of namespaces) {
    for (const { spec } of cluster.pods(namespace)) yield spec;
    for (const { template } of cluster.workloads(namespace)) yield template.spec;
  }
}

function policyNumbers({ metadata, status }: CapabilityPolicy): PolicyNumbers {
  const programmed = status?.conditions?.find(({ type }) => type === 'Programmed');
  return {
    policy: metadata?.name ?? '',
    programmed: programmed?.status === 'True' && programmed.observedGeneration === metadata?.generation,
    labelConflicts: status?.namespaces?.conflicting ?? 0,
    statusBytes: Buffer.byteLength(JSON.stringify(status ?? {})),
    workloads: verdicts(status?.workloads),
  };
}

function verdicts(counts: CapabilityPolicyStatus['workloads']): PolicyNumbers['workloads'] {
  if (!counts) return {};
  const { evaluated = 0, violating = 0, unknown = 0 } = counts;
  return { compliant: evaluated - violating - unknown, violating, unknown };
}
