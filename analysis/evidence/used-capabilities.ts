/** Compares evidence with the pods of manifests or of a cluster. */
import { valuesByKey } from '../../operator/model/by-key.ts';
import type { PodContent, PodSpec } from '../../operator/model/objects.ts';
import { type ComparedContainer, type ContainerEvidence, comparePod } from './compare.ts';
import { keepUsed } from './keep.ts';
import { EvidenceIndex, type ManifestPod } from './matching.ts';
import { since } from './since.ts';
import type { Evidence } from './use.ts';

/** The containers of a workload, each compared with its evidence. */
export interface ComparedWorkload {
  readonly workload: Omit<ManifestPod, 'labels'>;
  readonly containers: readonly ComparedContainer[];
}

/** Compares pods with the evidence, and keeps the results for the output. */
export class UsedCapabilities {
  readonly #evidence: EvidenceIndex;
  readonly #known = new Map<string, ContainerEvidence | undefined>();
  readonly #compared = new Map<string, ComparedWorkload>();

  constructor(evidence: Evidence, { since: time }: { readonly since?: string } = {}) {
    this.#evidence = new EvidenceIndex(time === undefined ? evidence : since(time, evidence));
  }

  compare(spec: PodSpec, pod: ManifestPod): ComparedContainer[] {
    return comparePod(spec, pod, this.#evidence, this.#known);
  }

  /** The pod with changed capability lists. The containers keep only the capabilities that they used. */
  tightened({ annotations, spec }: PodContent, pod: ManifestPod): PodContent {
    const containers = this.compare(spec, pod);
    const { kind, namespace, name } = pod;
    const key = JSON.stringify([namespace, kind, name, containers]);
    this.#compared.set(key, { workload: { kind, namespace, name }, containers });
    return { annotations, spec: keepUsed(spec, containers) };
  }

  /** The results, sorted by workload. A workload has several entries if its pods differ. */
  get compared(): ComparedWorkload[] {
    return valuesByKey(this.#compared);
  }
}
