/** A policy and its status → the numbers that /metrics shows of it. */
import type { CapabilityPolicy, CapabilityPolicyStatus } from '../api/capability-policy.ts';
import type { PolicyNumbers } from '../runtime/policy-metrics.ts';

export function policyNumbers({ metadata, status }: CapabilityPolicy): PolicyNumbers {
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
