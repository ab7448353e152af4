/**
 * A cluster as one JSON document: everything that evaluation reads, and its results. A page, a report or another
 * program reads the document without access to the cluster. docs/reference/snapshot.schema.json describes it for
 * readers in other languages.
 *
 * The document contains only data that some rule reads. The document has no environment variables, no Secrets and no
 * image pull secrets. The only annotations in the document are those of the Pod Security Standards.
 */
import type { CapabilityPolicyStatus, CompleteSpec, Mode } from '../../operator/api/capability-policy.ts';
import type { Verdict } from '../../operator/evaluate/verdict.ts';
import type { Violation } from '../../operator/evaluate/violations.ts';
import type { NamespaceView, PodContent, RoleBindingView, RoleView } from '../../operator/model/objects.ts';
import type { WorkloadKind } from '../../operator/model/workload-kinds.ts';
import type { Finding } from '../capabilities/findings.ts';
import type { ContainerRuntime } from '../capabilities/runtimes.ts';

export const SNAPSHOT_VERSION = 'snapshot.capabilitypolicy.dev/v1';
export const SNAPSHOT_KIND = 'Snapshot';

export interface Snapshot {
  readonly apiVersion: typeof SNAPSHOT_VERSION;
  readonly kind: typeof SNAPSHOT_KIND;
  /** The time at which the cluster was read, in the form of RFC 3339. */
  readonly taken: string;
  /** The context of the kubeconfig. */
  readonly context: string;
  /** The Kubernetes version of the oldest API server, `v1.N`. */
  readonly serverVersion: string;
  readonly operatorNamespace: string;
  /** Patterns of namespaces that no policy reaches. */
  readonly excludedNamespaces: readonly string[];
  /** The kinds that could not be read, with the consequences; empty if the document is complete. */
  readonly missing: readonly string[];
  /**
   * Whether roles and bindings could be read. If roles or bindings could not be read, everybody counts as a user of
   * every policy. Documents of earlier versions do not have the field, because they were written only if roles and
   * bindings could be read.
   */
  readonly usersKnown?: boolean;
  /**
   * False in a cluster without the CRD, where the policies are those of ASSESSED_LEVELS. In a cluster with the CRD, the
   * field is absent.
   */
  readonly installed?: false;
  /** The policies, sorted by name. */
  readonly policies: readonly SnapshotPolicy[];
  /** The namespaces, sorted by name. */
  readonly namespaces: readonly SnapshotNamespace[];
  /** The distinct pods and templates: each is listed once. Namespaces refer to a shape by its index. */
  readonly shapes: readonly Shape[];
  /** Each distinct violation once. Verdicts refer to a violation by its index. */
  readonly violations: readonly Violation[];
  /** The roles that grant something on CapabilityPolicies. */
  readonly roles: readonly RoleView[];
  /** The bindings to `roles`. */
  readonly roleBindings: readonly RoleBindingView[];
}

export interface SnapshotPolicy {
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  /** The time of creation, in the form of RFC 3339. */
  readonly created?: string;
  /** The spec with the defaults filled in. */
  readonly spec: CompleteSpec;
  readonly status: CapabilityPolicyStatus;
  /** The spec that is in force, if the current spec is not accepted. */
  readonly accepted?: CompleteSpec;
  /**
   * True if a role in the cluster records a spec as accepted. A policy with a recorded spec stays in force when new
   * policies do not fit beside it.
   */
  readonly recorded?: true;
}

export interface SnapshotNamespace extends Omit<NamespaceView, 'uid'> {
  /** Whether policies can decide in the namespace: it is neither excluded nor being deleted. */
  readonly reached: boolean;
  /** The names of the policies that decide in the namespace, by mode. */
  readonly deciding: Readonly<Partial<Record<Mode, readonly string[]>>>;
  readonly controllers: readonly Controller[];
  readonly pods: readonly PodGroup[];
  /** The verdicts, sorted by mode, kind and name. */
  readonly verdicts: readonly SnapshotVerdict[];
  /** The containers about which there is evidence; absent if there are none. */
  readonly used?: readonly UsedByContainer[];
}

export interface UsedByContainer {
  /** The kind and name of the workload. */
  readonly kind: string;
  readonly name: string;
  readonly container: string;
  /** The capabilities that the container holds and used, in the order of the kernel's numbers. */
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
  /** The template, by its index in `shapes`. */
  readonly shape: number;
}

/** Pods that are alike: the same owner and the same shape. */
export interface PodGroup {
  /** The first pod of the group. */
  readonly name: string;
  readonly count: number;
  readonly owner?: OwnerReference;
  /** True for a mirror pod of a static pod, which admission can't refuse. */
  readonly mirror?: true;
  readonly shape: number;
}

export interface SnapshotVerdict {
  readonly mode: Mode;
  readonly kind: string;
  readonly name: string;
  readonly verdict: Verdict;
  /** The number of the workload's pods that violate now. */
  readonly pods: number;
  /** The Enforce policy that admits a workload that violates in another mode. */
  readonly admittedBy?: string;
  /** The violations of each policy, as indexes of the document's `violations`; absent if the verdict is Compliant. */
  readonly violations?: Readonly<Record<string, readonly number[]>>;
}

export interface Shape extends PodContent {
  readonly capabilities: readonly ContainerCapabilities[];
  readonly findings: readonly Finding[];
}

/** The capabilities that a container asks for, and the capabilities that each container runtime gives to it as root. */
export interface ContainerCapabilities {
  readonly container: string;
  readonly privileged: boolean;
  readonly add: readonly string[];
  readonly drop: readonly string[];
  /** The bounding set, or an error if the runtime does not start the container. */
  readonly held: Readonly<Record<ContainerRuntime['name'], readonly string[] | { readonly error: string }>>;
}
