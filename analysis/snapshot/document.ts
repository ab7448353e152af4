/**
 * A snapshot is a cluster as one JSON document. The document contains everything that the evaluation reads, and the
 * results of the evaluation. A page, a report or another program can read the document without access to the cluster.
 * docs/reference/snapshot.schema.json describes the document for programs in other languages.
 *
 * The document contains data only if some rule reads it. The document has no environment variables, no Secrets and no
 * image pull secrets. The document contains only annotations of the Pod Security Standards.
 */
import type { CapabilityPolicyStatus, CompleteSpec, Mode } from '../../operator/api/capability-policy.ts';
import type { Verdict } from '../../operator/evaluate/verdict.ts';
import type { Violation } from '../../operator/evaluate/violations.ts';
import type {
  NamespaceView,
  PodContent,
  RefusalText,
  RoleBindingView,
  RoleView,
} from '../../operator/model/objects.ts';
import type { WorkloadKind } from '../../operator/model/workload-kinds.ts';
import type { Finding } from '../capabilities/findings.ts';
import type { ContainerRuntime } from '../capabilities/runtimes.ts';

export const SNAPSHOT_VERSION = 'snapshot.capabilitypolicy.dev/v1';
export const SNAPSHOT_KIND = 'Snapshot';

export interface Snapshot {
  readonly apiVersion: typeof SNAPSHOT_VERSION;
  readonly kind: typeof SNAPSHOT_KIND;
  /** The time at which the cluster was read, in RFC 3339 format. */
  readonly taken: string;
  /** The name of the kubeconfig's context. */
  readonly context: string;
  /** The Kubernetes version of the oldest API server, in the form `v1.N`. */
  readonly serverVersion: string;
  readonly operatorNamespace: string;
  /** The patterns of the namespaces that no policy reaches. */
  readonly excludedNamespaces: readonly string[];
  /**
   * Sentences about the kinds that could not be read. Each sentence also says what is missing in the document as a
   * result. The list is empty if the document is complete.
   */
  readonly missing: readonly string[];
  /**
   * Whether all roles and role bindings could be read. If some roles or role bindings could not be read, everybody
   * counts as a user of every policy. Documents of earlier versions lack the field. Earlier versions of cappol wrote a
   * document only when roles and role bindings could be read.
   */
  readonly usersKnown?: boolean;
  /**
   * The value is false in a cluster without the CRD. If the value is false, the snapshot's policies are the policies of
   * ASSESSED_LEVELS. In a cluster with the CRD, the field is absent.
   */
  readonly installed?: false;
  /** The policies, sorted by name. */
  readonly policies: readonly SnapshotPolicy[];
  /** The namespaces, sorted by name. */
  readonly namespaces: readonly SnapshotNamespace[];
  /**
   * The distinct pods and templates. A pod or template occurs only once in the list. Namespaces refer to a shape by its
   * index in this list.
   */
  readonly shapes: readonly Shape[];
  /**
   * The distinct violations. A violation occurs only once in the list. Verdicts refer to a violation by its index in
   * this list.
   */
  readonly violations: readonly Violation[];
  /** The roles that grant a verb on CapabilityPolicies. */
  readonly roles: readonly RoleView[];
  /** The role bindings that refer to `roles`. */
  readonly roleBindings: readonly RoleBindingView[];
}

export interface SnapshotPolicy {
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  /** The time at which the object was created, in RFC 3339 format. */
  readonly created?: string;
  /** The spec, in which the defaults are filled in. */
  readonly spec: CompleteSpec;
  readonly status: CapabilityPolicyStatus;
  /** The spec that is in force; absent if the current spec is accepted. */
  readonly accepted?: CompleteSpec;
  /**
   * True if a role in the cluster records the accepted spec. If new policies and a policy with a recorded spec together
   * exceed a limit of the API servers, the policy with the recorded spec stays in force.
   */
  readonly recorded?: true;
}

export interface SnapshotNamespace extends Omit<NamespaceView, 'uid'> {
  /**
   * Whether policies can decide in the namespace. No policy decides in a namespace that is excluded or is being
   * deleted.
   */
  readonly reached: boolean;
  /** For each mode, the names of the policies that decide in the namespace. */
  readonly deciding: Readonly<Partial<Record<Mode, readonly string[]>>>;
  readonly controllers: readonly Controller[];
  readonly pods: readonly PodGroup[];
  /** The verdicts, sorted by mode, kind and name. */
  readonly verdicts: readonly SnapshotVerdict[];
  /** The containers about which evidence exists. The list is absent if no evidence exists about any container. */
  readonly used?: readonly UsedByContainer[];
}

export interface UsedByContainer {
  /** The kind and name of the workload. */
  readonly kind: string;
  readonly name: string;
  readonly container: string;
  /** The capabilities that the container both holds and used, in the order of the kernel's numbers. */
  readonly used: readonly string[];
}

/** A reference to the owner of a pod or workload. The ID replaces a UID, and is unique only within the namespace. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly id: number;
}

/** An object with a pod template. */
export interface Controller {
  readonly kind: WorkloadKind;
  readonly name: string;
  readonly id: number;
  readonly owner?: OwnerReference;
  readonly replicas?: number;
  /** True for a finished Job. */
  readonly finished?: true;
  /** The API server's refusal of pods that the controller lacks. */
  readonly refused?: RefusalText;
  /** The index of the pod template in `shapes`. */
  readonly shape: number;
}

/** A group of equal pods. The pods have the same owner and the same shape. */
export interface PodGroup {
  /** The name of the first pod of the group. */
  readonly name: string;
  readonly count: number;
  readonly owner?: OwnerReference;
  /** True for the mirror pod of a static pod. Admission cannot refuse such a pod. */
  readonly mirror?: true;
  readonly shape: number;
}

export interface SnapshotVerdict {
  readonly mode: Mode;
  readonly kind: string;
  readonly name: string;
  readonly verdict: Verdict;
  /** The number of the workload's pods that violate policies now. */
  readonly pods: number;
  /**
   * The name of the Enforce policy that admits the workload. The field exists only if the workload violates a policy of
   * another mode.
   */
  readonly admittedBy?: string;
  /**
   * The violations of each policy, as indexes into the document's `violations`. The field is absent if the verdict is
   * Compliant.
   */
  readonly violations?: Readonly<Record<string, readonly number[]>>;
}

export interface Shape extends PodContent {
  readonly capabilities: readonly ContainerCapabilities[];
  readonly findings: readonly Finding[];
}

/**
 * The capabilities that a container requests. The field `held` has the capabilities that a container run as root gets
 * from each container runtime.
 */
export interface ContainerCapabilities {
  readonly container: string;
  readonly privileged: boolean;
  readonly add: readonly string[];
  readonly drop: readonly string[];
  /** The bounding set on each runtime, or an error if the runtime does not start the container. */
  readonly held: Readonly<Record<ContainerRuntime['name'], readonly string[] | { readonly error: string }>>;
}
