/**
 * Gives names to types in the generated model of the API. `npm run generate` makes the model from `crds/`.
 *
 * The generated interface is the only definition of the fields. This file gives names to the parts of the interface.
 */
import type { ICapabilityPolicy } from './generated/capabilitypolicy.dev/v1alpha1/CapabilityPolicy.ts';
import type { ROLLOUT_DEFAULTS, SPEC_DEFAULTS } from './spec-defaults.ts';

export const GROUP = 'capabilitypolicy.dev';
export const VERSION = 'v1alpha1';
export const PLURAL = 'capabilitypolicies';
export const KIND = 'CapabilityPolicy';

/**
 * The field manager of all writes of the operator. The name is public API. Users of Argo CD list this name in
 * `managedFieldsManagers`.
 */
export const FIELD_MANAGER = 'capabilitypolicy.dev';
/** The label of every rendered object. The label's value is FIELD_MANAGER. */
export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
/**
 * Every namespace has this label, and the value of the label is the namespace's name. API servers set this label, and
 * users cannot change the label.
 */
export const NAME_LABEL = 'kubernetes.io/metadata.name';
/** The annotation of a namespace with the Pod Security labels that the operator set, as JSON. */
export const RECORD = `${GROUP}/labels`;
/**
 * The prefix of the label that marks a namespace where a policy with `rollout` is not enforced yet. The policy's name
 * follows the prefix. A policy's name fits into the label key, because the name has at most 63 characters.
 */
export const ROLLOUT_LABEL_PREFIX = `rollout.${GROUP}/`;
/**
 * The values of the label of a rollout on a namespace. `pending` means that the policy is not enforced yet. `enforced`
 * means that somebody has decided to enforce the policy in this namespace now.
 */
export const ROLLOUT_PENDING = 'pending';
export const ROLLOUT_ENFORCED = 'enforced';
/** The state of a rollout is in ConfigMaps named `rollout-N.POLICY`, in the operator's namespace. */
export const ROLLOUT_CONFIG_MAP_PREFIX = 'rollout-';
/**
 * This finalizer delays the deletion of an object. The deletion waits until the operator has removed everything that
 * the operator wrote for deleted policies.
 */
export const WITHDRAWAL_FINALIZER = `${GROUP}/withdrawal`;

type Spec = ICapabilityPolicy['spec'];

/**
 * A CEL rule of the CRD requires `namespaceSelector`, because the message of a CEL rule can explain what `{}` means.
 * OpenAPI's `required` does not list the selector, so the selector is an optional field of the model.
 */
export type CapabilityPolicySpec = Spec & { namespaceSelector: NonNullable<Spec['namespaceSelector']> };
/** The spec as the author wrote it. */
export type CapabilityPolicy = Omit<ICapabilityPolicy, 'spec'> & { spec: CapabilityPolicySpec };
/** The spec with the defaults filled in. All code after the projection reads specs with defaults. */
export type CompleteSpec = Omit<CapabilityPolicySpec, 'rollout'> &
  Required<Pick<CapabilityPolicySpec, keyof typeof SPEC_DEFAULTS>> & { rollout?: CompleteRollout };
type StatedRollout = NonNullable<Spec['rollout']>;
export type CompleteRollout = StatedRollout & Required<Pick<StatedRollout, keyof typeof ROLLOUT_DEFAULTS>>;
export type CompletePolicy = Omit<CapabilityPolicy, 'spec'> & { spec: CompleteSpec };
export type CapabilityPolicyOverrides = NonNullable<CapabilityPolicySpec['overrides']>;
/** An entry of `spec.containers`. */
export type NamedContainers = Omit<NonNullable<Spec['containers']>[number], 'overrides'> & {
  overrides?: ContainerOverrides;
};
/**
 * The overrides of an entry of `spec.containers`. This type omits the fields that concern the whole pod. In the CRD, an
 * entry of `spec.containers` has the fields about the whole pod too. If an entry sets a field about the whole pod, a
 * CEL rule refuses the entry with a message.
 */
export type ContainerOverrides = Omit<
  CapabilityPolicyOverrides,
  | 'hostNetwork'
  | 'hostPID'
  | 'hostIPC'
  | 'hostProcess'
  | 'volumes'
  | 'serviceAccountTokenVolumes'
  | 'serviceAccountToken'
  | 'hostPaths'
  | 'flexVolumeDrivers'
  | 'csiDrivers'
  | 'supplementalGroups'
  | 'fsGroup'
  | 'sysctls'
  | 'runtimeClasses'
  | 'userNamespaces'
  | 'unknownFields'
  | 'allowedUnknownFields'
>;
export type CapabilityPolicyStatus = NonNullable<ICapabilityPolicy['status']>;
export type LabelSelector = CapabilityPolicySpec['namespaceSelector'];
export type Subject = NonNullable<CapabilityPolicySpec['subjects']>[number];
export type Mode = NonNullable<CapabilityPolicySpec['mode']>;
export type UsableBy = NonNullable<CapabilityPolicySpec['usableBy']>;
export type Condition = NonNullable<CapabilityPolicyStatus['conditions']>[number];
export type Violation = NonNullable<CapabilityPolicyStatus['violations']>[number];
