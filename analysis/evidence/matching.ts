/**
 * Matches evidence to manifests. Evidence names pods, and manifests name workloads. A pod is matched to a workload by
 * its owner, its name or its labels.
 */
import type { Evidence, ObservedContainer, ObservedWorkload } from './use.ts';

/** A pod of a manifest, or a workload whose template makes pods. */
export interface ManifestPod {
  readonly kind: string;
  readonly namespace: string;
  /** The name of the pod or workload. If the API server completes the name, the name ends in `*`. */
  readonly name: string;
  /** The labels of the workload's pods. */
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * The characters of random name endings (k8s.io/apimachinery/pkg/util/rand). The vowels and the digits 0, 1 and 3 are
 * not among the characters.
 */
const SAFE = '[bcdfghjklmnpqrstvwxz2456789]';
const RANDOM = `-${SAFE}{5}`;
const HASH = `-${SAFE}{1,10}`;
const NUMBER = '-\\d+';

/**
 * The pattern of the ending of a pod's name. The ending follows the name of the workload
 * (k8s.io/kubernetes/pkg/controller).
 */
const POD_ENDS: Readonly<Record<string, string>> = {
  Pod: '',
  Deployment: HASH + RANDOM,
  ReplicaSet: RANDOM,
  ReplicationController: RANDOM,
  DaemonSet: RANDOM,
  StatefulSet: NUMBER,
  Job: `(?:${NUMBER})?${RANDOM}`,
  CronJob: `${NUMBER}(?:${NUMBER})?${RANDOM}`,
};
/** The pattern of the ending in the name of the pod's direct owner. The ending follows the name of the workload. */
const OWNER_ENDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Deployment: { ReplicaSet: HASH },
  CronJob: { Job: NUMBER },
};
/** Before k8s.io/apiserver/pkg/storage/names adds the random ending, the package cuts the name to this length. */
const LONGEST_BASE = 58;

/** An index of the evidence of all files. The key is the container. */
export class EvidenceIndex {
  readonly #byContainer: ReadonlyMap<string, Evidence>;

  constructor({ uses, watches }: Evidence) {
    const key = ({ namespace, container }: ObservedContainer) => JSON.stringify([namespace, container]);
    const [ofUse, ofWatch] = [Map.groupBy(uses, key), Map.groupBy(watches, key)];
    const keys = new Set([...ofUse.keys(), ...ofWatch.keys()]);
    this.#byContainer = new Map(
      [...keys].map((one) => [one, { uses: ofUse.get(one) ?? [], watches: ofWatch.get(one) ?? [] }]),
    );
  }

  /** The records about the container with this name in the pods of the workload. */
  of(name: string, pod: ManifestPod): Evidence {
    const { uses = [], watches = [] } = this.#byContainer.get(JSON.stringify([pod.namespace, name])) ?? {};
    const isOwn = (one: ObservedContainer) => isOf(one, pod);
    return { uses: uses.filter(isOwn), watches: watches.filter(isOwn) };
  }
}

function isOf(observed: ObservedContainer, pod: ManifestPod): boolean {
  if (observed.workload && isWorkload(observed.workload, pod)) return true;
  return observed.pod !== undefined && isPodOf(observed.pod, observed.podLabels ?? {}, pod);
}

/**
 * Whether the observed workload is the same as the workload of the manifest. Kubescape writes the kind in lower case in
 * one of its fields.
 */
function isWorkload(workload: ObservedWorkload, { kind, name }: ManifestPod): boolean {
  if (workload.kind.toLowerCase() === kind.toLowerCase()) return isNamed(workload.name, name, '');
  const end = OWNER_ENDS[kind]?.[workload.kind];
  return end !== undefined && isNamed(workload.name, name, end);
}

function isPodOf(
  podName: string,
  podLabels: Readonly<Record<string, string>>,
  { kind, name, labels }: ManifestPod,
): boolean {
  const end = POD_ENDS[kind];
  if (end !== undefined) return isNamed(podName, name, end);
  // The controller of a custom resource may give its pods any names. The labels of the pods are therefore compared
  // first.
  const pairs = Object.entries(labels);
  if (pairs.length > 0 && Object.keys(podLabels).length > 0) {
    return pairs.every(([key, value]) => podLabels[key] === value);
  }
  return podName === name || podName.startsWith(`${name}-`);
}

function isNamed(found: string, name: string, end: string): boolean {
  const generated = name.endsWith('*');
  const base = generated ? name.slice(0, -1) : name;
  // Most records belong to other workloads. A cheap comparison of the names' beginnings avoids building a pattern for
  // each record.
  if (!found.startsWith(base.slice(0, LONGEST_BASE))) return false;
  if (isCut(found, base, end)) return true;
  return new RegExp(`^${escaped(base)}${generated ? `${SAFE}{5}` : ''}${end}$`).test(found);
}

/**
 * Whether the name is a long name that was cut. For a cut name, only the part before the random characters can be
 * compared.
 *
 * @param found a name that begins with `base`, or with the part of `base` that was not cut
 */
function isCut(found: string, base: string, end: string): boolean {
  if (!end.endsWith(RANDOM) || found.length !== LONGEST_BASE + RANDOM_LENGTH) return false;
  if (!new RegExp(`^${SAFE}{${RANDOM_LENGTH}}$`).test(found.slice(LONGEST_BASE))) return false;
  return /^(?:-[a-z0-9-]*)?$/.test(found.slice(base.length, LONGEST_BASE));
}

const RANDOM_LENGTH = 5;

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
