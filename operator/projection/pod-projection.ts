/** Projects pods and workloads to their identity, and to the content that some rule reads. */
import type { Owner, PodContent, PodView, WorkloadView } from '../model/objects.ts';
import { arrayOf, isText, objectOf, type RawObject, trueConditions, valueAt } from '../model/raw.ts';
import { Recent } from '../model/recent.ts';
import { isHistory } from '../model/revisions.ts';
import { claimsPath, templatePath, type WorkloadKind } from '../model/workload-kinds.ts';
import type { Rule } from '../rules/rule.ts';
import { type ContentProjection, createContentProjection } from './content-projection.ts';
import { lacksPods } from './lacking-pods.ts';
import { replicaFailure } from './refusal-projection.ts';
import { currentRevision, podRevision } from './revision.ts';
import type { Pool } from './sharing.ts';

export const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';
const NO_CONTENT: PodContent = { annotations: {}, spec: { containers: [] } };

export interface PodProjection extends ContentProjection {
  pod(raw: RawObject): PodView;
  workload(raw: RawObject): WorkloadView;
}

/** Keeps the fields of a pod that `rules` read. The resulting view is small, because objects share equal content. */
export function createPodProjection(rules: readonly Rule[], pool?: Pool): PodProjection {
  const content = createContentProjection(rules, pool);
  const names = new Names();
  return {
    ...content,
    pod: (raw) => projectPod(raw, content, names),
    workload: (raw) => projectWorkload(raw, content, names),
  };
}

function projectPod(raw: RawObject, projection: ContentProjection, names: Names): PodView {
  const { annotations, spec } = projection.content(raw);
  const { phase } = objectOf(raw.status);
  const { namespace, name, uid } = raw.metadata ?? {};
  const owner = names.owner(raw);
  return {
    namespace: names.shared(namespace ?? ''),
    name: name ?? '',
    uid: uid ?? '',
    ...(owner && { owner }),
    serviceAccount: spec.serviceAccountName ?? 'default',
    ...names.revision(podRevision(raw, owner)),
    mirror: MIRROR_ANNOTATION in objectOf(raw.metadata?.annotations) && isNode(owner),
    finished: phase === 'Succeeded' || phase === 'Failed',
    annotations,
    spec,
  };
}

/** A kubelet sets its Node as the owner of its mirror pods (pkg/kubelet/pod/mirror_client.go, since 1.22). */
function isNode(owner: Owner | undefined): boolean {
  return owner?.kind === 'Node' && owner.apiVersion === 'v1';
}

function projectWorkload(raw: RawObject, projection: ContentProjection, names: Names): WorkloadView {
  const { replicas } = objectOf(raw.spec);
  const { namespace, name, uid } = raw.metadata ?? {};
  const owner = names.owner(raw);
  const failure = replicaFailure(raw);
  const view = {
    kind: raw.kind as WorkloadKind,
    namespace: names.shared(namespace ?? ''),
    name: name ?? '',
    uid: uid ?? '',
    ...(owner && { owner }),
    ...(typeof replicas === 'number' && { replicas }),
    finished: raw.kind === 'Job' && isFinishedJob(raw),
    ...(lacksPods(raw) && ({ lacksPods: true } as const)),
    ...(failure && { replicaFailure: failure }),
    ...names.revision(currentRevision(raw)),
    ...(raw.kind === 'DaemonSet' && isNodeAgent(raw) && { isNodeAgent: true as const }),
  };
  return { ...view, template: isHistory(view) ? NO_CONTENT : projection.content(templateIn(raw, view.kind)) };
}

/**
 * Returns the pod template with the volumes that the controller of the workload adds. The controller of a StatefulSet
 * adds volumes for the claims in the spec.
 */
function templateIn(raw: RawObject, kind: WorkloadKind): unknown {
  const template = valueAt(raw, templatePath(kind));
  const claims = claimsIn(raw);
  if (claims.size === 0) return template;
  const spec = objectOf(objectOf(template).spec);
  return { ...objectOf(template), spec: { ...spec, volumes: withClaims(arrayOf(spec.volumes), claims) } };
}

/**
 * The index of each claim of a StatefulSet. The key is the claim's name. If several claims have the same name, the last
 * claim counts (k8s.io/kubernetes/pkg/controller/statefulset, getPersistentVolumeClaims).
 */
export function claimsIn(raw: RawObject): ReadonlyMap<string, number> {
  const path = claimsPath(raw.kind ?? '');
  const claims = path ? arrayOf(valueAt(raw, path)) : [];
  return new Map(
    claims.flatMap((claim, index): [string, number][] => {
      const { name } = objectOf(objectOf(claim).metadata);
      return isText(name) && name !== '' ? [[name, index]] : [];
    }),
  );
}

/**
 * A claim replaces the volume that has the claim's name (updateStorage in
 * k8s.io/kubernetes/pkg/controller/statefulset).
 */
function withClaims(volumes: readonly unknown[], claims: ReadonlyMap<string, number>): unknown[] {
  const volumeOf = (name: string) => ({ name, persistentVolumeClaim: {} });
  const nameOf = (volume: unknown) => objectOf(volume).name as string;
  const own = new Set(volumes.map(nameOf));
  const replaced = volumes.map((volume) => (claims.has(nameOf(volume)) ? volumeOf(nameOf(volume)) : volume));
  return [...replaced, ...[...claims.keys()].filter((name) => !own.has(name)).map(volumeOf)];
}

/** A toleration without a key tolerates every taint. */
function isNodeAgent(raw: RawObject): boolean {
  const { tolerations, containers, initContainers } = objectOf(valueAt(raw, [...templatePath('DaemonSet'), 'spec']));
  const toleratesAll = arrayOf(tolerations)
    .map(objectOf)
    .some(({ key, operator }) => operator === 'Exists' && !key);
  const all = [...arrayOf(containers), ...arrayOf(initContainers)];
  return toleratesAll && all.some((one) => objectOf(objectOf(one).securityContext).privileged === true);
}

function isFinishedJob(raw: RawObject): boolean {
  return trueConditions(raw).some(({ type }) => type === 'Complete' || type === 'Failed');
}

/** The strings and owners that many objects share. The class keeps one copy of equal strings and of equal owners. */
class Names {
  readonly #texts = new Recent<string>();
  readonly #owners = new Recent<Owner>();

  shared(text: string): string {
    return this.#texts.get(text, (own) => own);
  }

  revision(revision: string | undefined): { readonly revision?: string } {
    return revision === undefined ? {} : { revision: this.shared(revision) };
  }

  owner({ metadata }: RawObject): Owner | undefined {
    const controller = metadata?.ownerReferences?.find((reference) => reference.controller);
    if (!controller) return undefined;
    const { apiVersion = '', kind = '', name = '', uid = '' } = controller;
    const make = () => ({ apiVersion: this.shared(apiVersion), kind: this.shared(kind), name, uid });
    return this.#owners.get(`${uid} ${apiVersion} ${kind} ${name}`, make);
  }
}
