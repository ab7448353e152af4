/** Common parts of all rendered objects: their owners, and the labels by which they are found again. */
import { FIELD_MANAGER, GROUP, KIND, MANAGED_BY_LABEL, VERSION } from '../api/capability-policy.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';

/** The policy that an object was rendered for. */
export const POLICY_LABEL = `${GROUP}/policy`;
/** On what was rendered for the pending part of a policy with `rollout`: pending. */
export const PART_LABEL = `${GROUP}/part`;
/** The hash of the text of a set of admission policies and bindings. */
export const RULESET_LABEL = `${GROUP}/ruleset`;
/** On a validating policy: the spec that it was rendered from, as JSON. */
export const SPEC_ANNOTATION = `${GROUP}/spec`;

/** A Kubernetes object to be applied: only the fields that we own. */
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
 * Never the policy's own labels or annotations: Argo CD would prune objects with its tracking label. @param owners the
 * object is deleted when the last of them is; a single one is its controller
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
      ...(owners.length === 1 && { controller: true, blockOwnerDeletion: true }),
    })),
  };
}
