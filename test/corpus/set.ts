/**
 * Reads the pods and pod templates in a folder of manifests, and moves the pods into separate namespaces for the test.
 */
import { basename } from 'node:path';
import { readManifests } from '../../cli/input/manifests.ts';
import { templatePath, workloadKind } from '../../operator/model/workload-kinds.ts';
import { podManifest } from '../support/pod-manifests.ts';

// biome-ignore lint/suspicious/noExplicitAny: manifests as their authors wrote them
type Fields = Record<string, any>;

export interface Workload {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  /** The manifest, with the namespace replaced. */
  readonly manifest: Fields;
  readonly serviceAccount: string;
  /** A pod, or the pod of a template. */
  readonly pod: Pod;
}

export interface Pod {
  readonly metadata: Fields;
  readonly spec: Fields;
}

export interface CorpusSet {
  readonly name: string;
  readonly workloads: readonly Workload[];
  /** The line in `text` where each manifest begins, from 1. */
  readonly lines: readonly number[];
  /** The manifests as text, which cappol reads. */
  readonly text: string;
  readonly namespaces: readonly string[];
}

/**
 * @param prefix the beginning of the names of all namespaces, so that no namespace is an excluded namespace such as
 * kube-system
 */
export async function readSet(folder: string, prefix: string): Promise<CorpusSet> {
  const workloads: Workload[] = [];
  const io = { stdin: process.stdin, cwd: process.cwd(), signal: new AbortController().signal };
  for await (const { object } of readManifests([folder], io, { tell: () => {} })) {
    const workload = workloadOf(structuredClone(object), prefix);
    if (workload) workloads.push(workload);
  }
  return {
    name: basename(folder),
    workloads,
    lines: workloads.map((_, i) => 2 * i + 1),
    text: workloads.map(({ manifest }) => `${JSON.stringify(manifest)}\n`).join('---\n'),
    namespaces: [...new Set(workloads.map(({ namespace }) => namespace))].sort(),
  };
}

function workloadOf(object: Fields, prefix: string): Workload | undefined {
  const { apiVersion, kind } = object;
  const served = kind === 'Pod' ? 'v1' : workloadKind(kind)?.apiVersion;
  if (served === undefined || apiVersion !== served) return undefined;
  const template = templatePath(kind).reduce<Fields | undefined>((at, step) => at?.[step], object);
  if (!template?.spec?.containers) return undefined;
  const namespace = `${prefix}-${object.metadata.namespace ?? 'default'}`.slice(0, 63);
  object.metadata.namespace = namespace;
  const { spec, metadata } = template;
  return {
    kind,
    name: object.metadata.name ?? `${object.metadata.generateName}*`,
    namespace,
    manifest: object,
    serviceAccount: spec.serviceAccountName || spec.serviceAccount || 'default',
    pod: { metadata: { labels: metadata?.labels, annotations: metadata?.annotations }, spec },
  };
}

/**
 * The pod that a controller would create. References to objects that the test cluster lacks are left out. No rule of a
 * level reads these references.
 */
export function createdPod({ metadata, spec }: Pod, serviceAccountName = 'default') {
  const { serviceAccount: _, priorityClassName: __, runtimeClassName: ___, ...kept } = spec;
  return podManifest({ ...metadata, name: 'corpus' }, { ...kept, serviceAccountName });
}

/** The number of requests that the test sends to an API server at the same time. */
export const AT_ONCE = 20;
