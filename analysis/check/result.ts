/** The findings of `check`, as `-o json` prints them: docs/reference/check.schema.json describes them. */
import type { Mode } from '../../operator/api/capability-policy.ts';
import type { Verdict } from '../../operator/evaluate/verdict.ts';
import type { Reference } from '../../operator/standards/hardening-guides.ts';
import type { OtherDocuments } from '../manifests/other-documents.ts';

/** NotSelected: no policy decides, for the reason that `notSelected` gives. */
export type ItemVerdict = Verdict | 'NotSelected';

/**
 * Why no policy decides. ExcludedNamespace: the namespace is excluded from all policies. NoPolicy: no policy selects
 * the namespace. NoPods: the object no longer makes pods, as a finished Job.
 */
export type NotSelectedReason = 'ExcludedNamespace' | 'NoPolicy' | 'NoPods';

/** One pod or pod template: an object of a file, or a workload of a cluster, which has no file. */
export interface CheckedItem {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** The path of the template in a custom resource, `spec.template`; null for the kinds of Kubernetes, and in a cluster. */
  readonly template: string | null;
  readonly file: string | null;
  readonly line: number | null;
  readonly verdict: ItemVerdict;
  /** Null unless the verdict is NotSelected. */
  readonly notSelected: NotSelectedReason | null;
  readonly violations: readonly CheckedViolation[];
  /** Advice; nothing is refused for it. */
  readonly findings: readonly CheckedFinding[];
}

/** One of several deciding policies has to be satisfied. */
export interface CheckedViolation {
  readonly policy: string;
  /** The mode in which the policy decides there: one with `spec.rollout` warns or audits where it is pending. */
  readonly mode: Mode;
  readonly rule: string;
  readonly container: string | null;
  /** The violation, and what would be accepted. */
  readonly message: string;
  /** The path in the object: `spec.template.spec.containers[0].securityContext`. */
  readonly path: string;
  /** The line of the field, or of the nearest existing field around it. */
  readonly line: number | null;
}

export interface CheckedFinding {
  readonly reason: string;
  readonly container: string | null;
  readonly message: string;
  readonly path: string;
  readonly line: number | null;
}

/** A problem of the input: an object that could not be read or evaluated, or a field that the API server would refuse. */
export interface CheckedProblem {
  /** A warning does not fail the check. */
  readonly severity: 'error' | 'warning';
  readonly file: string;
  readonly line: number | null;
  readonly message: string;
}

/** A rule that some item breaks. */
export interface CheckedRule {
  readonly id: string;
  readonly title: string;
  /** The recommendations of hardening guides that it covers. */
  readonly references: readonly Reference[];
}

/** A policy that was used for evaluating, whether or not it decided anything. */
export interface CheckedPolicy {
  readonly name: string;
  readonly mode: Mode;
  /** For a policy with `spec.rollout`, the mode in pending namespaces; null for every other one. */
  readonly meanwhile: Mode | null;
  readonly priority: number;
  readonly level: string;
  /** `v1.N`: the version that `latest` means here. */
  readonly version: string;
  /** The file that it was read from; null for a live policy. */
  readonly file: string | null;
  readonly line: number | null;
}

/** Objects of one kind that were not evaluated. */
export interface NotEvaluated {
  /** With its API group, as kubectl names it: `Prometheus.monitoring.coreos.com`. */
  readonly kind: string;
  readonly count: number;
  /** Whether objects of this kind are known to make pods; null: unknown. */
  readonly makesPods: true | null;
}

export interface Summary {
  readonly items: number;
  readonly compliant: number;
  readonly violating: number;
  readonly unknown: number;
  readonly notSelected: number;
  /** How many of `notSelected` are in namespaces that no policy reaches. */
  readonly excluded: number;
  /** These namespaces, by name. */
  readonly excludedNamespaces: readonly string[];
  readonly violations: number;
  readonly findings: number;
  /** Objects of kinds that make no pods: services, roles. */
  readonly skipped: number;
  /** Objects that may make pods but have no pod template that could be evaluated, by kind. */
  readonly notEvaluated: readonly NotEvaluated[];
  /** Skipped documents in folders. */
  readonly notKubernetes: readonly OtherDocuments[];
  /** Problems that do not fail the check. */
  readonly warnings: number;
  /** Objects that could not be read or evaluated, and fields that the API server would refuse. */
  readonly errors: number;
}
