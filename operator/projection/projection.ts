/**
 * Projects API objects to the content that some rule reads, and to the names that appear in reports.
 *
 * The functions are pure. The functions work for events of a watch and for manifests from files. Manifests may contain
 * null, and may lack fields that the API server fills in.
 */
import { type CapabilityPolicy, type CompletePolicy, RECORD, WITHDRAWAL_FINALIZER } from '../api/capability-policy.ts';
import { completePolicy } from '../api/defaults.ts';
import type {
  FinalizingView,
  NamespaceView,
  RefusalEvent,
  RenderedObject,
  RoleBindingView,
  RoleView,
} from '../model/objects.ts';
import { objectOf, type RawObject, textsIn, withoutNulls } from '../model/raw.ts';
import { SharedTexts } from '../model/shared-texts.ts';
import type { Rule } from '../rules/rule.ts';
import { LAST_APPLIED_ANNOTATION, labelOwners, recordAppliers } from './label-owners.ts';
import { createPodProjection, type PodProjection } from './pod-projection.ts';
import { projectRole, projectRoleBinding } from './rbac-projection.ts';
import { createRefusalProjection } from './refusal-projection.ts';
import type { Pool } from './sharing.ts';

const RANCHER_SYSTEM = 'management.cattle.io/system-namespace';

export interface Projection extends PodProjection {
  namespace(raw: RawObject): NamespaceView;
  policy(raw: RawObject): CompletePolicy;
  /** For an Event that is not about a pod refused by a program or by Pod Security, the result is undefined. */
  refusal(raw: RawObject): RefusalEvent | undefined;
  role(raw: RawObject): RoleView | undefined;
  roleBinding(raw: RawObject): RoleBindingView;
  rendered(raw: RawObject): RenderedObject;
  /**
   * Returns the view of an object whose deletion waits for the operator. For any other object, the result is undefined.
   */
  finalizing(raw: RawObject): FinalizingView | undefined;
}

/** @param pool keeps one copy of equal content of pods. The default is a new pool */
export function createProjection(rules: readonly Rule[], pool?: Pool): Projection {
  const texts = new SharedTexts();
  return {
    ...createPodProjection(rules, pool),
    namespace: projectNamespace,
    policy: projectPolicy,
    refusal: createRefusalProjection(),
    role: projectRole,
    roleBinding: projectRoleBinding,
    rendered: (raw) => texts.share(projectRendered(raw)),
    finalizing: projectFinalizing,
  };
}

function projectNamespace(raw: RawObject): NamespaceView {
  const annotations = textsIn(raw.metadata?.annotations);
  const recorded = annotations[RECORD];
  const recorders = recordAppliers(raw.metadata ?? {});
  const created = Date.parse(String(raw.metadata?.creationTimestamp ?? ''));
  return {
    name: raw.metadata?.name ?? '',
    uid: raw.metadata?.uid ?? '',
    ...(!Number.isNaN(created) && { created }),
    terminating: Boolean(raw.metadata?.deletionTimestamp) || objectOf(raw.status).phase === 'Terminating',
    labels: textsIn(raw.metadata?.labels),
    ...(recorded !== undefined && { recorded }),
    ...(annotations[RANCHER_SYSTEM] === 'true' && { isSystemOfRancher: true }),
    labelOwners: labelOwners(raw.metadata ?? {}),
    ...(recorders.length > 0 && { recordedBy: recorders }),
  };
}

/** Fills in the defaults. Drops fields that change at every write, and fields of kubectl. */
function projectPolicy({ apiVersion, kind, metadata, spec, status }: RawObject): CompletePolicy {
  const { managedFields: _, resourceVersion: __, annotations, ...kept } = metadata ?? {};
  const { [LAST_APPLIED_ANNOTATION]: ___, ...texts } = textsIn(annotations);
  const described = { ...kept, ...(Object.keys(texts).length > 0 && { annotations: texts }) };
  return completePolicy(withoutNulls({ apiVersion, kind, metadata: described, spec, status }) as CapabilityPolicy);
}

/**
 * The function keeps only the parts of managedFields about owner references. Changes of other parts do not count as
 * drift.
 */
function projectRendered({ metadata, ...rest }: RawObject): RenderedObject {
  const managedFields = (metadata?.managedFields ?? []).map(({ manager, fieldsV1 }) => {
    const owners = objectOf(objectOf(fieldsV1)['f:metadata'])['f:ownerReferences'];
    return { manager, fieldsV1: { 'f:metadata': { 'f:ownerReferences': owners } } };
  });
  return { ...rest, metadata: { ...metadata, managedFields } } as unknown as RenderedObject;
}

function projectFinalizing({ apiVersion = '', kind = '', metadata }: RawObject): FinalizingView | undefined {
  const finalizers = metadata?.finalizers ?? [];
  if (!metadata?.deletionTimestamp || !finalizers.includes(WITHDRAWAL_FINALIZER)) return undefined;
  return { apiVersion, kind, name: metadata.name ?? '', resourceVersion: metadata.resourceVersion ?? '', finalizers };
}
