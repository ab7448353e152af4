/** Compares the capabilities that a container of a manifest holds with the capabilities that its processes used. */
import { valuesByKey } from '../../operator/model/by-key.ts';
import type { PodSpec } from '../../operator/model/objects.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import { type ContainerHoldings, holdings } from '../capabilities/held.ts';
import { type Coverage, coverageOf } from './coverage.ts';
import type { EvidenceIndex, ManifestPod } from './matching.ts';
import { bothSeen, type Seen } from './merge.ts';
import type { CapabilityUse, CheckOutcome, Evidence, Noise } from './use.ts';

export interface ContainerEvidence {
  /** The capabilities that the container holds on at least one container runtime. */
  readonly granted: readonly string[];
  /** The granted capabilities that the processes used. After tightening, a container keeps these capabilities. */
  readonly used: readonly SeenChecks[];
  /** The granted capabilities that no recorded process used. */
  readonly unused: readonly string[];
  /** The capabilities for which the kernel refused every check. */
  readonly refused: readonly SeenChecks[];
  /** The capabilities that the kernel granted in some check, although the manifest does not grant them. */
  readonly grantedElsewhere: readonly SeenChecks[];
  /** The checks that do not prove that the workload needs the capability. */
  readonly noise: readonly (SeenChecks & { readonly outcome: CheckOutcome; readonly noise: Noise })[];
  readonly coverage: Coverage;
}

/** The checks of one capability, summed over all pods of the workload. */
export interface SeenChecks extends Seen {
  readonly capability: string;
  /**
   * True if no tool reported whether the kernel granted the checks. In this case, the result is derived from the
   * manifest.
   */
  readonly assumed?: true;
}

/**
 * A container of a pod, with the result of comparing it to the evidence. A container of a Windows pod holds no
 * capabilities.
 */
export interface ComparedContainer {
  readonly name: string;
  readonly privileged: boolean;
  /** The result of comparing the container to its records; absent if no record names the container. */
  readonly evidence?: ContainerEvidence;
}

/**
 * @param known the results of earlier calls with the same evidence. The pods of a workload are mostly alike, so the
 * results are used again
 */
export function comparePod(
  spec: PodSpec,
  pod: ManifestPod,
  evidence: EvidenceIndex,
  known = new Map<string, ContainerEvidence | undefined>(),
): ComparedContainer[] {
  return holdings(spec).map((container) => {
    const { name, privileged } = container;
    const granted = grantedAnywhere(container);
    const key = JSON.stringify([pod, name, granted]);
    if (!known.has(key)) known.set(key, compare(granted, evidence.of(name, pod)));
    const compared = known.get(key);
    return { name, privileged, ...(compared && { evidence: compared }) };
  });
}

/** @returns undefined if there is no evidence about the container */
function compare(granted: readonly string[], { uses, watches }: Evidence): ContainerEvidence | undefined {
  if (uses.length + watches.length === 0) return undefined;
  const own = uses.filter(({ noise }) => noise === undefined);
  const isGranted = ({ capability, outcome }: CapabilityUse) =>
    outcome === 'granted' || (outcome === 'unknown' && granted.includes(capability));
  const allowed = inAllPods(own.filter(isGranted));
  const names = allowed.map(({ capability }) => capability);
  return {
    granted,
    used: allowed.filter(({ capability }) => granted.includes(capability)),
    unused: granted.filter((capability) => !names.includes(capability)),
    refused: inAllPods(own.filter((use) => !isGranted(use) && !names.includes(use.capability))),
    grantedElsewhere: allowed.filter(({ capability }) => !granted.includes(capability)),
    noise: noiseIn(uses),
    coverage: coverageOf(watches),
  };
}

/**
 * The capabilities that the container may hold on at least one container runtime, in the order of the kernel's numbers.
 */
function grantedAnywhere({ runtimes }: Pick<ContainerHoldings, 'runtimes'>): string[] {
  const names = new Set(runtimes.flatMap((one) => one.holdings.flatMap(({ bounding }) => bounding)));
  return CAPABILITIES.filter((name) => names.has(name));
}

function noiseIn(uses: readonly CapabilityUse[]): ContainerEvidence['noise'] {
  const groups = Map.groupBy(
    uses.filter(({ noise }) => noise !== undefined),
    ({ noise, outcome }) => `${noise} ${outcome}`,
  );
  return valuesByKey(groups).flatMap((same) => {
    const { noise, outcome } = same[0] ?? {};
    return noise && outcome ? inAllPods(same).map((checks) => ({ ...checks, outcome, noise })) : [];
  });
}

/** The checks of all pods, summed for each capability. The entries are in the order of the kernel's numbers. */
function inAllPods(uses: readonly CapabilityUse[]): SeenChecks[] {
  return CAPABILITIES.flatMap((capability) => {
    const [first, ...others] = uses.filter((use) => use.capability === capability);
    if (!first) return [];
    const { count, ...rest } = others.reduce<Seen>(bothSeen, seenIn(first));
    const assumed = [first, ...others].every(({ outcome }) => outcome === 'unknown');
    return [{ capability, count, ...(assumed && { assumed: true as const }), ...rest }];
  });
}

function seenIn({ count, first, last, example }: CapabilityUse): Seen {
  return {
    count,
    ...(first !== undefined && { first }),
    ...(last !== undefined && { last }),
    ...(example && { example }),
  };
}
