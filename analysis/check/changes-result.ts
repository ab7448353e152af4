/**
 * Defines the form of the result that says what a policy would change. `-o json` prints this form, and
 * docs/reference/check-changes.schema.json describes the form.
 */
import type { Effect } from './effect.ts';
import type { CheckedItem, CheckedPolicy, CheckedViolation } from './result.ts';

export interface Changes {
  /** The candidate policies, and the live policies that no candidate policy replaces. */
  readonly policies: readonly CheckedPolicy[];
  readonly candidates: readonly string[];
  /** The namespaces that a candidate policy selects, and the namespaces in which the effect on a workload changes. */
  readonly namespaces: readonly NamespaceChange[];
  /** The workloads for which the effect changes, sorted by namespace, kind and name. */
  readonly changes: readonly WorkloadChange[];
  readonly summary: ChangeSummary;
}

/**
 * How the candidates change the effect on a workload. NewlyRefused: the live policies do not refuse the workload, but
 * the candidates refuse it. PerhapsRefused: whether the candidates refuse or admit the workload depends on who creates
 * the pod. NewlyAdmitted: the live policies refuse or perhaps refuse the workload, but the candidates admit it.
 * ReportedOtherwise: the workload is admitted before and after the change, but a warning or an audit annotation appears
 * or disappears.
 */
export type ChangeKind = 'NewlyRefused' | 'PerhapsRefused' | 'NewlyAdmitted' | 'ReportedOtherwise';

export interface WorkloadChange extends Pick<CheckedItem, 'addedContainers' | 'remark'> {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly change: ChangeKind;
  /** The worst effect over all modes, before the change. */
  readonly before: Effect;
  readonly after: Effect;
  /**
   * The violations that cause the new effect. Because of these violations, the candidates refuse, warn about or audit
   * the workload.
   */
  readonly violations: readonly CheckedViolation[];
}

/** The number of workloads with each effect. */
export type EffectCounts = Readonly<Record<Lowercase<Effect>, number>>;

export interface ChangeCounts {
  readonly workloads: number;
  readonly newlyRefused: number;
  readonly perhapsRefused: number;
  readonly newlyAdmitted: number;
  readonly reportedOtherwise: number;
  readonly unchanged: number;
}

export interface NamespaceChange extends ChangeCounts {
  readonly namespace: string;
  readonly before: EffectCounts;
  readonly after: EffectCounts;
  /**
   * Whether candidates in mode Enforce would admit every workload that runs in the namespace. If no candidate selects
   * the namespace, the value is null.
   */
  readonly safeToEnforce: boolean | null;
  /**
   * The workloads that candidates in mode Enforce would refuse. The list is empty if the namespace is safe to enforce.
   */
  readonly refusedIfEnforced: readonly RefusedIfEnforced[];
  /**
   * How the rollouts of the candidates would begin in this namespace. The list is empty if no candidate with
   * `spec.rollout` selects the namespace.
   */
  readonly rollouts: readonly RolloutStart[];
}

/**
 * How a rollout begins in a namespace. Enforced: the live policy is already enforced in the namespace. EnforcedAtOnce:
 * no workload violates the policy, `soak` is 0s, and neither `paused` nor `namespacesPerHour` holds the namespace back.
 * Soaking: no workload violates the policy, but the policy is not enforced at once. Blocked: the workloads in
 * `refusedIfEnforced` have to be repaired first.
 */
export interface RolloutStart {
  readonly policy: string;
  readonly state: 'Enforced' | 'EnforcedAtOnce' | 'Soaking' | 'Blocked';
}

export interface RefusedIfEnforced extends Pick<CheckedItem, 'addedContainers' | 'remark'> {
  readonly kind: string;
  readonly name: string;
  /** Unknown: it depends on who creates the pod, or the pods are refused today and nobody knows what they contain. */
  readonly effect: 'Refused' | 'Unknown';
  readonly violations: readonly CheckedViolation[];
}

export interface ChangeSummary extends ChangeCounts {
  readonly namespaces: number;
  /** The number of namespaces that are safe to enforce. Only namespaces that a candidate selects are counted. */
  readonly safeToEnforce: number;
  readonly candidateNamespaces: number;
  /** For each candidate with `spec.rollout`, how many namespaces begin in each state. */
  readonly rollouts: readonly RolloutSummary[];
}

export interface RolloutSummary extends Readonly<Record<Uncapitalize<RolloutStart['state']>, number>> {
  readonly policy: string;
  readonly paused: boolean;
  readonly soak: string;
}
