/**
 * The operator's view of the cluster. When the operator reads an API object, a projection makes a plain value from the
 * object.
 *
 * A projection keeps the fields that some rule reads (see `reads` in operator/rules), and the fields that reports
 * mention. A projection drops all other fields.
 */
import type { CompletePolicy } from '../api/capability-policy.ts';
import type { WorkloadKind } from './workload-kinds.ts';

/** The parts of a pod or pod template that rules evaluate. */
export interface PodContent {
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly ephemeralContainers?: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly serviceAccountName?: string;
  readonly [field: string]: unknown;
}

export interface Container {
  readonly name: string;
  readonly [field: string]: unknown;
}

export interface Volume {
  readonly name: string;
  readonly [field: string]: unknown;
}

/** The controlling owner (metadata.ownerReferences with controller: true). */
export interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

export interface NamespaceView {
  readonly name: string;
  readonly uid: string;
  /**
   * The creation time of the namespace, in milliseconds since 1970, by the API server's clock. If the time is unknown,
   * the field is undefined.
   */
  readonly created?: number;
  readonly terminating: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /**
   * The record of the labels that the operator set, from the annotation capabilitypolicy.dev/labels. If the annotation
   * is missing, the field is absent.
   */
  readonly recorded?: string;
  /** The field is true if the annotation management.cattle.io/system-namespace of Rancher is `true`. */
  readonly isSystemOfRancher?: true;
  /**
   * The field managers that own each pod-security.kubernetes.io label, from managedFields. The key is the key of the
   * label.
   */
  readonly labelOwners: Readonly<Record<string, readonly FieldOwner[]>>;
  /**
   * The other field managers that apply `recorded`. They apply a copy of the whole namespace, such as a backup. If there
   * are none, the field is absent.
   */
  readonly recordedBy?: readonly string[];
}

export interface FieldOwner {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
}

export interface PodView extends PodContent {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly owner?: Owner;
  readonly serviceAccount: string;
  /**
   * The revision of the template from which the pod was made, as its StatefulSet or DaemonSet names it. Absent for other
   * pods.
   */
  readonly revision?: string;
  /**
   * Whether the pod is a mirror pod. A node creates a mirror pod for a static pod. Admission can't stop the static pod.
   */
  readonly mirror: boolean;
  /** Whether the pod has succeeded or failed. A finished pod holds no capability. */
  readonly finished: boolean;
}

export interface WorkloadView {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly owner?: Owner;
  /**
   * The desired number of pods, if the kind has such a number. An old ReplicaSet with 0 desired pods does not count as
   * a workload, because this ReplicaSet only keeps an earlier template.
   */
  readonly replicas?: number;
  /** Whether the workload is a Job that has finished. */
  readonly finished: boolean;
  /** Whether the workload wants more pods than exist. If not, or if a manifest has no status, the field is absent. */
  readonly lacksPods?: true;
  /**
   * The refusal in the condition ReplicaFailure. Controllers do not update the condition while further attempts fail.
   */
  readonly replicaFailure?: RefusalText;
  /** The last refusal of a pod of this workload. The field is absent unless the workload lacks pods. */
  readonly refused?: Refusal;
  /**
   * The revision that a StatefulSet or DaemonSet gives to pods of its current template. Absent for other kinds, and until
   * the controller has seen the current template.
   */
  readonly revision?: string;
  /** The field is true for a DaemonSet with a privileged container whose pods tolerate every taint. */
  readonly isNodeAgent?: true;
  readonly template: PodContent;
}

/** An API server's answer to a controller that tried to create a pod. */
export interface RefusalText {
  /** The part of the API server that refused the pod: one of the operator's programs, or Pod Security Admission. */
  readonly by: 'Program' | 'PodSecurity';
  /** The API server's message, without the name of the pod. Each attempt has another name. */
  readonly message: string;
}

export interface Refusal extends RefusalText {
  /**
   * The time of the last attempt, in milliseconds since 1970. The operator uses the time at which it heard of the
   * attempt, by its own clock. `cappol` uses the time in the Event, by the cluster's clock. Without an Event, the value
   * is 0, and the refusal counts as current.
   */
  readonly at: number;
}

/** An Event about a controller that could not create a pod. */
export interface RefusalEvent extends RefusalText {
  readonly namespace: string;
  /** The workload. */
  readonly uid: string;
  readonly kind: string;
  readonly name: string;
  /** Changes with each attempt: the number of attempts and the time of the last attempt. */
  readonly attempt: string;
  /** The time of the last attempt, in milliseconds since 1970. If the Event has no time, the value is 0. */
  readonly time: number;
}

export type SeenObject = PodView | WorkloadView;

/**
 * A rule of a Role or ClusterRole that grants verbs on capabilitypolicies. The rule names the resource or uses a
 * wildcard.
 */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
}

export interface RoleView {
  /** The namespace of a Role. For a ClusterRole, the field is absent. */
  readonly namespace?: string;
  readonly name: string;
  /** The role's rules that may grant a verb on capabilitypolicies. All other rules are left out. */
  readonly rules: readonly PolicyRule[];
}

export interface RbacSubject {
  readonly kind: 'User' | 'Group' | 'ServiceAccount';
  readonly name: string;
  readonly namespace?: string;
}

export interface RoleBindingView {
  /** The namespace of a RoleBinding. For a ClusterRoleBinding, the field is absent. */
  readonly namespace?: string;
  readonly name: string;
  /** The binding's metadata.creationTimestamp. */
  readonly created?: string;
  readonly role: { readonly kind: 'Role' | 'ClusterRole'; readonly name: string };
  readonly subjects: readonly RbacSubject[];
}

/**
 * A complete object in the cluster. The object's managed-by label shows that the operator rendered the object. To find
 * drift, the operator compares the object with the version that the operator wrote last.
 */
export interface RenderedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly unknown[];
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly managedFields?: readonly unknown[];
  };
  readonly [field: string]: unknown;
}

/**
 * An object that is being deleted and that has the operator's finalizer. The deletion waits until the operator has
 * removed everything that it wrote for deleted policies.
 */
export interface FinalizingView {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly resourceVersion: string;
  readonly finalizers: readonly string[];
}

/** A change in the cluster, with enough details to find the policies and namespaces that controllers must reconcile. */
export type Change =
  | { readonly of: 'policy'; readonly name: string }
  | { readonly of: 'namespace'; readonly name: string }
  | {
      readonly of: 'pod' | 'workload';
      readonly namespace: string;
      readonly name: string;
      /** The object before and after the change. After a deletion, the list has only the deleted object. */
      readonly seen?: readonly SeenObject[];
    }
  /** An API server refused a pod again, for the same reason. */
  | { readonly of: 'refused-again'; readonly namespace: string }
  | { readonly of: 'rbac' }
  | { readonly of: 'rendered'; readonly kind: string; readonly name: string }
  | { readonly of: 'finalizing' }
  /** Somebody changed or deleted one of the operator's policy reports. */
  | { readonly of: 'report'; readonly namespace: string }
  /** An API for policy reports was installed or removed. All reports may have to be written again. */
  | { readonly of: 'reports' }
  /**
   * The API servers changed. `oldest` is true if the version of the oldest API server changed. `fields` is true if the
   * unknown pod fields have changed, or if the values that API servers fill in have changed.
   */
  | { readonly of: 'servers'; readonly oldest: boolean; readonly fields?: boolean };

/** Read access to the last known state of the cluster. Lists are sorted by name, so that results are stable. */
export interface Cluster {
  policies(): readonly CompletePolicy[];
  policy(name: string): CompletePolicy | undefined;
  namespaces(): readonly NamespaceView[];
  namespace(name: string): NamespaceView | undefined;
  pods(namespace: string): Iterable<PodView>;
  workloads(namespace: string): Iterable<WorkloadView>;
  workload(namespace: string, kind: string, name: string): WorkloadView | undefined;
  roles(): Iterable<RoleView>;
  roleBindings(): Iterable<RoleBindingView>;
  rendered(): readonly RenderedObject[];
  /** The minor version of the oldest API server that answered, such as 33 for Kubernetes 1.33. */
  readonly oldestServer: number;
  /**
   * The sorted paths of pod fields. The list has the fields that at least one API server has, but that this release of
   * the operator does not know. The list is absent if no API server is known.
   */
  readonly unknownPodFields?: readonly string[] | undefined;
  /**
   * The fields that API servers fill in, but that this release does not know. The list has the format of the field
   * `serverDefaults` in the type `Standard`. The list is undefined if the running process does not ask the API servers
   * about these fields. If a process does not ask the API servers, the process reads the fields in the statuses of
   * policies.
   */
  readonly serverDefaults?: readonly string[] | undefined;
  /** The answers that do not count in `serverDefaults`. The value is undefined if every answer counts. */
  readonly unlearnedDefaults?: UnlearnedDefaults | undefined;
}

/** Values in API servers' answers that a webhook or mutating policy may have set instead of the API server. */
export interface UnlearnedDefaults {
  /** The values of fields that this release does not know, in the format of `serverDefaults` in the type `Standard`. */
  readonly values: readonly string[];
  /** The webhooks and mutating policies for people. The list is empty if the API does not show them. */
  readonly mutators: readonly string[];
  /** The namespace that the operator asked in. */
  readonly namespace: string;
}
