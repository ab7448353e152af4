/** A policy and its status → the numbers that /metrics shows of it. */
import type { CapabilityPolicy } from '../api/capability-policy.ts';

export function policyNumbers({ metadata, status }: CapabilityPolicy) {
  const programmed = status?.conditions?.find(({ type }) => type === 'Programmed');
  return {
    policy: metadata?.name ?? '',
    programmed: programmed?.status === 'True' && programmed.observedGeneration === metadata?.generation,
    labelConflicts: status?.namespaces?.conflicting ?? 0,
    statusBytes: Buffer.byteLength(JSON.stringify(status ?? {})),
  };
}
