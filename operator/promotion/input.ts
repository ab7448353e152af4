/** The input and the result of a step of a rollout. */
import type { CompleteRollout, LabelSelector } from '../api/capability-policy.ts';
import type { PromotionVerdict } from '../evaluate/promotion.ts';
import type { Labels } from '../policy/selector.ts';
import type { RolloutState } from './state.ts';

export interface StepInput {
  readonly policy: string;
  readonly rollout: CompleteRollout;
  /** The selector in the spec. */
  readonly selector: LabelSelector;
  readonly state: RolloutState;
  /**
   * The selector of the enforced part that exists in the cluster. The enforced part in the cluster may still enforce
   * the policy in namespaces that the current spec does not select. This difference between the enforced part and the
   * spec comes from a refused or reverted edit of the selector.
   */
  readonly existingSelector?: LabelSelector;
  /** Every namespace that policies reach, sorted by name. */
  readonly namespaces: readonly NamespaceLabels[];
  /** The namespaces that no policy reaches. Each item is a name, or a prefix that ends in `*`. */
  readonly excluded: readonly string[];
  /**
   * Returns the verdict of the last evaluation of the namespace. The result is undefined if the namespace was never
   * evaluated with the newest version of the policy.
   */
  verdict(namespace: string): PromotionVerdict | undefined;
  /** Returns the verdict at this moment. A decision to enforce the policy in a namespace needs the current verdict. */
  currentVerdict(namespace: string): PromotionVerdict | undefined;
  /** Whether the API server refuses to set or to remove the label of the rollout. */
  isRefused(namespace: string): boolean;
  /**
   * Whether every API server enforces the newest version of the policy, and no API server enforces an older version.
   */
  readonly settled: boolean;
  /** The current time, in milliseconds since 1970. */
  readonly now: number;
}

export interface NamespaceLabels {
  readonly name: string;
  readonly uid: string;
  readonly labels: Labels;
  /** The creation time of the namespace, in milliseconds since 1970. If the time is unknown, the value is undefined. */
  readonly created?: number;
  /** The operator's record on the namespace. If there is no record, the value is undefined. */
  readonly recorded?: string;
}

export interface StepResult {
  readonly state: RolloutState;
  /** The namespaces in which this step decided to enforce the policy. */
  readonly promoted: readonly string[];
  /** The namespaces where an earlier decision to enforce has taken effect. */
  readonly enforced: readonly string[];
  /** The next promotion, if no workload violates the policy before the promotion. */
  readonly next?: { readonly namespace: string; readonly at: number };
}
