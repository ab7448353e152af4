/**
 * Defines the form of the result of `check`. `-o json` prints this form, and docs/reference/check.schema.json describes
 * the form.
 */
import type { Mode } from '../../operator/api/capability-policy.ts';
import type { Verdict } from '../../operator/evaluate/verdict.ts';
import type { Reference } from '../../operator/standards/hardening-guides.ts';
import type { OtherDocuments } from '../manifests/other-documents.ts';

/** NotSelected: no policy decides about the pod. The field `notSelected` gives the reason. */
export type ItemVerdict = Verdict | 'NotSelected';

/**
 * The reason why no policy decides. ExcludedNamespace: no policy reaches the namespace. NoPolicy: no policy selects the
 * namespace. NoPods: the object makes no more pods. For example, a finished Job makes no more pods.
 */
export type NotSelectedReason = 'ExcludedNamespace' | 'NoPolicy' | 'NoPods';

/**
 * A pod or pod template that was checked. The pod or template is from an object of a file, or from a workload of a
 * cluster.
 */
export interface CheckedItem {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /**
   * The path of the template in a custom resource, such as `spec.template`. The value is null for the built-in kinds of
   * Kubernetes and for workloads of a cluster.
   */
  readonly template: string | null;
  readonly file: string | null;
  readonly line: number | null;
  readonly verdict: ItemVerdict;
  /** The reason why the verdict is NotSelected; null for all other verdicts. */
  readonly notSelected: NotSelectedReason | null;
  /** True if the template of a workload in a cluster complies, but pods of an older template violate policies. */
  readonly onlyOldPods: boolean;
  /**
   * The sorted names of containers in violations that the template of a workload in a cluster lacks: something injects
   * them into pods, or somebody added them to running pods.
   */
  readonly addedContainers: readonly string[];
  /** Why pods of the workload violate policies, if the workload's template is not the reason; null otherwise. */
  readonly remark: string | null;
  readonly violations: readonly CheckedViolation[];
  /** Advice on capabilities. The advice does not affect the verdict. */
  readonly findings: readonly CheckedFinding[];
}

/** A violation of one of the policies that decide about the item. */
export interface CheckedViolation {
  readonly policy: string;
  /**
   * The mode in which the policy decides in the namespace. A policy with `spec.rollout` warns or audits in the
   * namespaces where its rollout is pending.
   */
  readonly mode: Mode;
  readonly rule: string;
  readonly container: string | null;
  /** The message names the violation, and the values that would be accepted. */
  readonly message: string;
  /** The path of the field in the object: `spec.template.spec.containers[0].securityContext`. */
  readonly path: string;
  /**
   * The line of the field. If the field is absent, the value is the line of the field's nearest existing parent.
   */
  readonly line: number | null;
}

export interface CheckedFinding {
  readonly reason: string;
  readonly container: string | null;
  readonly message: string;
  readonly path: string;
  readonly line: number | null;
}

/**
 * A problem of the input: an object that could not be read or evaluated, or a field that the API server would refuse.
 */
export interface CheckedProblem {
  /** A problem of severity warning does not make the check fail. */
  readonly severity: 'error' | 'warning';
  readonly file: string;
  readonly line: number | null;
  readonly message: string;
}

/** A rule that at least one item breaks. */
export interface CheckedRule {
  readonly id: string;
  readonly title: string;
  /** The recommendations of hardening guides that the rule covers. */
  readonly references: readonly Reference[];
}

/** A policy that the check used, even if the policy decided about no item. */
export interface CheckedPolicy {
  readonly name: string;
  readonly mode: Mode;
  /** The mode that a policy with `spec.rollout` has in pending namespaces; null for a policy without a rollout. */
  readonly meanwhile: Mode | null;
  readonly priority: number;
  readonly level: string;
  /** `v1.N`: the version that `latest` means in this check. */
  readonly version: string;
  /** The file that the policy was read from; null for a live policy. */
  readonly file: string | null;
  readonly line: number | null;
}

/** Objects of one kind that could not be evaluated. */
export interface NotEvaluated {
  /** The kind with its API group, as kubectl names it: `Prometheus.monitoring.coreos.com`. */
  readonly kind: string;
  readonly count: number;
  /**
   * True if objects of this kind are known to make pods. The value is null if it is unknown whether the objects make
   * pods.
   */
  readonly makesPods: true | null;
}

export interface Summary {
  readonly items: number;
  readonly compliant: number;
  readonly violating: number;
  readonly unknown: number;
  readonly notSelected: number;
  /** The number of items in namespaces that no policy reaches. `notSelected` counts these items, too. */
  readonly excluded: number;
  /** The names of the namespaces that contain items, but that no policy reaches. */
  readonly excludedNamespaces: readonly string[];
  readonly violations: number;
  readonly findings: number;
  /** The number of objects of kinds that make no pods, such as services and roles. */
  readonly skipped: number;
  /** Objects that may make pods, but have no pod template that could be evaluated. Each kind has one entry. */
  readonly notEvaluated: readonly NotEvaluated[];
  /** The documents that the check skipped in folders, because the documents are not Kubernetes objects. */
  readonly notKubernetes: readonly OtherDocuments[];
  /** The number of problems that do not make the check fail. */
  readonly warnings: number;
  /**
   * The number of errors. An error is an object that could not be read or evaluated, or a field that the API server
   * would refuse.
   */
  readonly errors: number;
}
