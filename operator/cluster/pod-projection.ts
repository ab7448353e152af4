/** What is kept of pods and pod templates: the parts that some rule reads. */
import type { Rule } from '../rules/rule.ts';
import type { Container, Owner, PodParts, PodSpec, PodView, Volume, WorkloadKind, WorkloadView } from './objects.ts';
import { arrayOf, isText, objectOf, type RawObject, textsIn, withoutNulls } from './raw.ts';

const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';
const NO_PARTS: PodParts = { annotations: {}, spec: { containers: [] } };

export interface PodProjection {
  /** The judged parts of a pod, or of a pod template. */
  parts(raw: unknown): PodParts;
  pod(raw: RawObject): PodView;
  workload(raw: RawObject): WorkloadView;
}

/** Keeps of a pod what `rules` read, and its service account. */
export function createPodProjection(rules: readonly Rule[]): PodProjection {
  const specFields = distinct(rules.flatMap(({ reads }) => reads.spec ?? []));
  const containerFields = distinct(rules.flatMap(({ reads }) => reads.container ?? []));
  const prefixes = distinct(rules.flatMap(({ reads }) => reads.annotations ?? []));

  const containers = (value: unknown): Container[] =>
    arrayOf(value).map((container) => ({ ...pick(container, containerFields), name: nameIn(container) }));

  const podSpec = (value: unknown): PodSpec => {
    const { containers: main, initContainers, ephemeralContainers } = objectOf(value);
    const { volumes, ...fields } = pick(value, specFields);
    const serviceAccountName = serviceAccountIn(value);
    return {
      ...fields,
      ...(serviceAccountName && { serviceAccountName }),
      containers: containers(main),
      ...(isFilled(initContainers) && { initContainers: containers(initContainers) }),
      ...(isFilled(ephemeralContainers) && { ephemeralContainers: containers(ephemeralContainers) }),
      ...(isFilled(volumes) && { volumes: volumes as Volume[] }),
    };
  };

  const parts = (value: unknown): PodParts => {
    const { metadata, spec } = objectOf(value);
    const annotations = Object.entries(textsIn(objectOf(metadata).annotations));
    const kept = annotations.filter(([key]) => prefixes.some((prefix) => key.startsWith(prefix)));
    return { annotations: Object.fromEntries(kept), spec: podSpec(spec) };
  };

  return { parts, pod: (raw) => projectPod(raw, parts), workload: (raw) => projectWorkload(raw, parts) };
}

/** A ReplicaSet that makes no pods and that its Deployment keeps for a rollback: it only links old pods to their owner. */
export function isHistory({ kind, owner, replicas }: Pick<WorkloadView, 'kind' | 'owner' | 'replicas'>): boolean {
  return kind === 'ReplicaSet' && replicas === 0 && owner?.kind === 'Deployment';
}

function projectPod(raw: RawObject, parts: PodProjection['parts']): PodView {
  const { annotations, spec } = parts(raw);
  const { phase } = objectOf(raw.status);
  return {
    ...identity(raw),
    serviceAccount: spec.serviceAccountName ?? 'default',
    mirror: MIRROR_ANNOTATION in textsIn(raw.metadata?.annotations),
    finished: phase === 'Succeeded' || phase === 'Failed',
    annotations,
    spec,
  };
}

function projectWorkload(raw: RawObject, parts: PodProjection['parts']): WorkloadView {
  const { replicas } = objectOf(raw.spec);
  const view = {
    kind: raw.kind as WorkloadKind,
    ...identity(raw),
    ...(typeof replicas === 'number' && { replicas }),
    finished: raw.kind === 'Job' && isFinishedJob(raw),
  };
  return { ...view, template: isHistory(view) ? NO_PARTS : parts(templateOf(raw)) };
}

function templateOf(raw: RawObject): unknown {
  if (raw.kind === 'PodTemplate') return raw.template;
  const spec = objectOf(raw.spec);
  return raw.kind === 'CronJob' ? objectOf(objectOf(spec.jobTemplate).spec).template : spec.template;
}

function isFinishedJob(raw: RawObject): boolean {
  return arrayOf(objectOf(raw.status).conditions)
    .map(objectOf)
    .some(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True');
}

function identity(raw: RawObject): { namespace: string; name: string; uid: string; owner?: Owner } {
  const { namespace, name, uid, ownerReferences } = raw.metadata ?? {};
  const controller = ownerReferences?.find((reference) => reference.controller);
  return {
    namespace: namespace ?? '',
    name: name ?? '',
    uid: uid ?? '',
    ...(controller && {
      owner: {
        apiVersion: controller.apiVersion ?? '',
        kind: controller.kind ?? '',
        name: controller.name ?? '',
        uid: controller.uid ?? '',
      },
    }),
  };
}

function pick(value: unknown, fields: readonly string[]): Record<string, unknown> {
  const source = objectOf(value);
  const present = fields.filter((field) => source[field] !== undefined && source[field] !== null);
  return Object.fromEntries(present.map((field) => [field, withoutNulls(source[field])]));
}

function nameIn(value: unknown): string {
  const { name } = objectOf(value);
  return isText(name) ? name : '';
}

/** `serviceAccount` is the field's old name; the API server copies it. */
function serviceAccountIn(spec: unknown): string | undefined {
  const { serviceAccountName, serviceAccount } = objectOf(spec);
  return [serviceAccountName, serviceAccount].filter(isText).find((name) => name !== '');
}

function isFilled(value: unknown): boolean {
  return arrayOf(value).length > 0;
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}
