/** The metadata of rendered objects: their owners, and the labels by which the operator finds the objects again. */
import { FIELD_MANAGER, GROUP, KIND, MANAGED_BY_LABEL, PLURAL, VERSION } from '../api/capability-policy.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';

/** The label of a rendered object. The label's value is the name of the policy for which the object was rendered. */
export const POLICY_LABEL = `${GROUP}/policy`;
/**
 * The label of an object that was rendered for the pending part of a policy with `rollout`. The label's value is
 * "pending".
 */
export const PART_LABEL = `${GROUP}/part`;
/** An annotation of a policy's role. The value is the last accepted spec, as JSON. */
export const SPEC_ANNOTATION = `${GROUP}/spec`;
/** An annotation of a policy's role. The value is the policy's uid. */
export const UID_ANNOTATION = `${GROUP}/policy-uid`;
/**
 * An annotation of the role of a policy with a rollout. The value has the names of the namespaces that the enforced part
 * leaves out by name, separated by spaces.
 */
export const LEFT_OUT_ANNOTATION = `${GROUP}/left-out`;

/**
 * An annotation of a program with the mode Enforce. The value is a list, separated by spaces. The first item is the
 * hash of the program. Each other item is the hash (`shortHash`) of the uid of a policy that has a row. A row has only
 * the policy's name, and a deleted policy may have had the same name.
 */
export const UIDS_ANNOTATION = `${GROUP}/policy-uids`;

export const RBAC = 'rbac.authorization.k8s.io';

/** A Kubernetes object to apply. The object has only the fields that the operator owns. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences: readonly unknown[];
  };
  readonly [field: string]: unknown;
}

export type Owner = Pick<ResolvedPolicy, 'name' | 'uid'>;

/**
 * The metadata of a rendered object. A rendered object does not get the labels and annotations of its policy. If the
 * object had the tracking label of Argo CD, Argo CD would prune the object.
 * @param owners the policies that own the object. The garbage collector deletes the object when the last owner is
 * deleted. A single owner is the object's controller. No owner has blockOwnerDeletion. With blockOwnerDeletion, a
 * foreground deletion of a policy would wait for the deletion of reports. The operator would write these reports again,
 * because the policy is still in force
 */
export function metadata(owners: readonly Owner[], name: string, labels: Readonly<Record<string, string>>) {
  return {
    name,
    labels: { [MANAGED_BY_LABEL]: FIELD_MANAGER, ...labels },
    ownerReferences: owners.map(({ name, uid }) => ({
      apiVersion: `${GROUP}/${VERSION}`,
      kind: KIND,
      name,
      uid,
      ...(owners.length === 1 && { controller: true }),
    })),
  };
}

/**
 * The metadata of an object that the CustomResourceDefinition owns. The garbage collector deletes the object only after
 * somebody has deleted the CustomResourceDefinition.
 * @param uid the uid of the CustomResourceDefinition. The uid is empty if there is no cluster
 */
export function ownedMetadata(uid: string, name: string, labels: Readonly<Record<string, string>>) {
  const owner = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    name: `${PLURAL}.${GROUP}`,
    uid,
  };
  return {
    name,
    labels: { [MANAGED_BY_LABEL]: FIELD_MANAGER, ...labels },
    ownerReferences: uid === '' ? [] : [owner],
  };
}
