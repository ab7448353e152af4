/**
 * Makes the pod that a workload's controller would create. The labels, annotations and owner of the pod are those that
 * selectors and conditions of webhooks may read.
 */
import { arrayOf, objectOf, type RawObject, textsIn, valueAt } from '../../operator/model/raw.ts';
import { claimsPath, hasTemplateOf, templatePath } from '../../operator/model/workload-kinds.ts';

/** The annotation with the number of a Deployment's template (k8s.io/kubernetes/pkg/controller/deployment/util). */
const REVISION = 'deployment.kubernetes.io/revision';
const TEMPLATE_HASH = 'pod-template-hash';
/** The hash of a template that no ReplicaSet has yet. Only the Deployment's controller can compute it. */
const UNKNOWN_HASH = 'unknown';

/**
 * @param raw the workload, with its apiVersion and kind
 * @param replicaSets the ReplicaSets of the namespace. A Deployment's pods belong to one of them
 */
export function podOf(raw: RawObject, replicaSets: readonly RawObject[]): object {
  const template = objectOf(valueAt(raw, templatePath(raw.kind ?? '')));
  const { labels, annotations } = objectOf(template.metadata);
  const { name = '', namespace = '' } = raw.metadata ?? {};
  const added = controllerFields(raw, replicaSets);
  const metadata = {
    generateName: `${added.owner.name}-`.slice(0, MOST_CHARACTERS),
    namespace,
    labels: { ...textsIn(labels), ...added.labels },
    annotations: textsIn(annotations),
    ownerReferences: [{ ...added.owner, controller: true }],
  };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: withClaims(objectOf(template.spec), raw, name ?? '') };
}

/** The API server adds five characters to `generateName`, and a name has at most 63 (k8s.io/apiserver/storage/names). */
const MOST_CHARACTERS = 58;

interface ControllerFields {
  readonly owner: { readonly apiVersion: string; readonly kind: string; readonly name: string; readonly uid: string };
  readonly labels: Readonly<Record<string, string>>;
}

function controllerFields(raw: RawObject, replicaSets: readonly RawObject[]): ControllerFields {
  const { apiVersion = '', kind = '', metadata, status } = raw;
  const { name, uid } = { name: metadata?.name ?? '', uid: metadata?.uid ?? '' };
  const owner = { apiVersion, kind, name, uid };
  switch (kind) {
    case 'Deployment': {
      const current = currentReplicaSet(raw, replicaSets);
      const labels = textsIn(objectOf(valueAt(current, ['spec', 'template', 'metadata'])).labels);
      const hash = labels[TEMPLATE_HASH] ?? UNKNOWN_HASH;
      const own = { name: current?.metadata?.name ?? `${name}-${hash}`, uid: current?.metadata?.uid ?? uid };
      return { owner: { apiVersion, kind: 'ReplicaSet', ...own }, labels: { [TEMPLATE_HASH]: hash } };
    }
    case 'CronJob': {
      // The controller names a Job by the minute of its start.
      const job = { apiVersion, kind: 'Job', name: `${name}-0`, uid };
      const labels = { 'job-name': job.name, 'controller-uid': uid };
      const prefixed = Object.entries(labels).map(([key, value]) => [`batch.kubernetes.io/${key}`, value]);
      return { owner: job, labels: { ...labels, ...Object.fromEntries(prefixed) } };
    }
    case 'StatefulSet': {
      const { updateRevision } = textsIn(status);
      const labels = { 'statefulset.kubernetes.io/pod-name': `${name}-0`, 'apps.kubernetes.io/pod-index': '0' };
      return { owner, labels: { ...labels, ...(updateRevision && { 'controller-revision-hash': updateRevision }) } };
    }
    case 'DaemonSet': {
      const generation = metadata?.annotations?.['deprecated.daemonset.template.generation'];
      return { owner, labels: generation === undefined ? {} : { 'pod-template-generation': generation } };
    }
    default:
      return { owner, labels: {} };
  }
}

/** The ReplicaSet with the Deployment's current template. The result is undefined if the controller has not made it yet. */
function currentReplicaSet({ metadata, status }: RawObject, replicaSets: readonly RawObject[]): RawObject | undefined {
  if (objectOf(status).observedGeneration !== metadata?.generation) return undefined;
  const revision = metadata?.annotations?.[REVISION];
  return replicaSets.find(
    (one) =>
      one.metadata?.annotations?.[REVISION] === revision &&
      one.metadata?.ownerReferences?.some(({ uid, controller }) => controller && uid === metadata?.uid),
  );
}

/** The volumes of a StatefulSet's first pod (updateStorage in k8s.io/kubernetes/pkg/controller/statefulset). */
function withClaims(spec: Readonly<Record<string, unknown>>, raw: RawObject, name: string): object {
  const claims = new Set(
    arrayOf(valueAt(raw, claimsPath(raw.kind ?? '') ?? []))
      .map((claim) => objectOf(objectOf(claim).metadata).name)
      .filter((claim) => typeof claim === 'string'),
  );
  if (claims.size === 0) return spec;
  const others = arrayOf(spec.volumes).filter((volume) => !claims.has(objectOf(volume).name as string));
  const own = [...claims].map((claim) => ({
    name: claim,
    persistentVolumeClaim: { claimName: `${claim}-${name}-0` },
  }));
  return { ...spec, volumes: [...others, ...own] };
}

/** Whether the pods of the workload come from an owner with the same template, such as the Deployment of a ReplicaSet. */
export function isMadeByOwner({ kind = '', metadata }: RawObject): boolean {
  return (metadata?.ownerReferences ?? []).some(
    ({ controller, apiVersion = '', kind: owner = '' }) =>
      controller && hasTemplateOf({ apiVersion, kind: owner }, kind),
  );
}
