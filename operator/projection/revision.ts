/** Reads which revision of its controller's template a pod has. */
import type { Owner } from '../model/objects.ts';
import { objectOf, type RawObject } from '../model/raw.ts';
import { builtInKind } from '../model/workload-kinds.ts';

/** The label with the name of the ControllerRevision of a StatefulSet's pod (k8s.io/api/apps/v1). */
const REVISION_LABEL = 'controller-revision-hash';
/**
 * A DaemonSet does not say which ControllerRevision is the current one, but counts its templates
 * (k8s.io/api/apps/v1, DeprecatedTemplateGeneration; k8s.io/kubernetes/pkg/controller/daemon).
 */
const GENERATION_LABEL = 'pod-template-generation';
const GENERATION_ANNOTATION = 'deprecated.daemonset.template.generation';

/** The revision of a pod of a StatefulSet or DaemonSet. The result is undefined for other pods. */
export function podRevision({ metadata }: RawObject, owner: Owner | undefined): string | undefined {
  const kind = owner && builtInKind(owner.apiVersion, owner.kind)?.kind;
  if (kind === 'StatefulSet') return metadata?.labels?.[REVISION_LABEL];
  return kind === 'DaemonSet' ? metadata?.labels?.[GENERATION_LABEL] : undefined;
}

/** The revision of a controller's current template. The result is undefined until the controller has seen the template. */
export function currentRevision({ kind, metadata, status }: RawObject): string | undefined {
  if (kind === 'DaemonSet') return metadata?.annotations?.[GENERATION_ANNOTATION];
  if (kind !== 'StatefulSet') return undefined;
  const { updateRevision, observedGeneration } = objectOf(status);
  if (observedGeneration !== metadata?.generation) return undefined;
  return typeof updateRevision === 'string' && updateRevision !== '' ? updateRevision : undefined;
}
