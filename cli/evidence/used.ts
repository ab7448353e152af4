/** The option --used: evidence, and the pods of manifests or of a cluster beside it. */
import { type ComparedContainer, type ContainerEvidence, comparePod } from '../../operator/evidence/compare.ts';
import { keepUsed } from '../../operator/evidence/keep.ts';
import { EvidenceIndex, type ManifestPod } from '../../operator/evidence/matching.ts';
import { since } from '../../operator/evidence/since.ts';
import type { Evidence } from '../../operator/evidence/use.ts';
import { valuesByKey } from '../../operator/model/by-key.ts';
import type { PodParts, PodSpec } from '../../operator/model/objects.ts';
import { type Io, UsageError } from '../command.ts';
import type { Trouble } from '../input/trouble.ts';
import { readEvidence } from './read.ts';

export interface UsedOptions {
  /** True without a path. */
  readonly used?: true | readonly string[];
  readonly since?: string;
}

/** The containers of a workload, beside the evidence. */
export interface ComparedWorkload {
  readonly workload: Omit<ManifestPod, 'labels'>;
  readonly containers: readonly ComparedContainer[];
}

/** @returns undefined without the option */
export async function usedInFiles(
  options: UsedOptions & { readonly filename: readonly string[] },
  io: Io,
  tell: (trouble: Trouble) => void,
): Promise<UsedCapabilities | undefined> {
  checkSince(options);
  const { used: paths, filename } = options;
  if (paths === undefined) return undefined;
  if (paths === true)
    throw new UsageError('name files with evidence after --used; without them it goes with --cluster');
  if (paths.includes('-') && filename.includes('-'))
    throw new UsageError('only one of -f and --used can be standard input');
  return new UsedCapabilities(await readEvidence(paths, io, { tell }), options);
}

export function checkSince({ used, since: time }: UsedOptions): void {
  if (used === undefined && time !== undefined) throw new UsageError('--since goes with --used');
}

/** Keeps what was compared, for the output. */
export class UsedCapabilities {
  readonly #evidence: EvidenceIndex;
  readonly #known = new Map<string, ContainerEvidence | undefined>();
  readonly #compared = new Map<string, ComparedWorkload>();

  constructor(evidence: Evidence, { since: time }: UsedOptions) {
    this.#evidence = new EvidenceIndex(time === undefined ? evidence : since(time, evidence));
  }

  compare(spec: PodSpec, pod: ManifestPod): ComparedContainer[] {
    return comparePod(spec, pod, this.#evidence, this.#known);
  }

  /** The pod as it is when its containers keep only the capabilities that they used. */
  tightened({ annotations, spec }: PodParts, pod: ManifestPod): PodParts {
    const containers = this.compare(spec, pod);
    const { kind, namespace, name } = pod;
    const key = JSON.stringify([namespace, kind, name, containers]);
    this.#compared.set(key, { workload: { kind, namespace, name }, containers });
    return { annotations, spec: keepUsed(spec, containers) };
  }

  /** By workload; several for one whose pods differ. */
  get compared(): ComparedWorkload[] {
    return valuesByKey(this.#compared);
  }
}
