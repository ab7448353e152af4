/** What all rendered objects share: who owns them, and how they are found again. */
import { FIELD_MANAGER, GROUP, KIND, VERSION } from '../api/capability-policy.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';

export const MANAGED_BY = { 'app.kubernetes.io/managed-by': FIELD_MANAGER };
/** The policy that an object was rendered for. */
export const POLICY_LABEL = `${GROUP}/policy`;
/** The hash of everything that an admission policy and its bindings say. */
export const RULESET_LABEL = `${GROUP}/ruleset`;

/** A Kubernetes object to be applied: just the fields that we own. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly ownerReferences: readonly unknown[];
  };
  readonly [field: string]: unknown;
}

/** Never the policy's own labels or annotations: Argo CD would prune what carries its tracking label. */
export function metadata(policy: ResolvedPolicy, name: string, labels: Readonly<Record<string, string>> = {}) {
  return {
    name,
    labels: { ...MANAGED_BY, [POLICY_LABEL]: policy.name, ...labels },
    ownerReferences: [
      {
        apiVersion: `${GROUP}/${VERSION}`,
        kind: KIND,
        name: policy.name,
        uid: policy.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  };
}
