/** The progress of a policy with `spec.rollout`, as plain values for the status, metrics, Events and `cappol`. */
import type { PromotionVerdict } from '../evaluate/promotion.ts';
import { matches } from '../policy/selector.ts';
import type { NamespaceLabels, StepInput, StepResult } from './input.ts';
import { soakOf } from './promote.ts';
import { isGuarded } from './rollout-namespace.ts';
import type { Entry } from './state.ts';

export interface RolloutProgress {
  /**
   * Whether the policy is enforced anywhere. Before the policy is enforced anywhere, namespaces get the label
   * `pending`.
   */
  readonly begun: boolean;
  readonly paused: boolean;
  /** Every reached namespace that the policy's selector selects, sorted by name. The key is the namespace. */
  readonly namespaces: ReadonlyMap<string, NamespaceProgress>;
  /** The next promotion. If no promotion is due or the rollout is paused, the field is absent. */
  readonly next?: { readonly namespace: string; readonly at: number };
  /** The time of the last promotion. Before the first promotion, the field is absent. */
  readonly lastPromotion?: number;
}

/** The progress of one namespace. All times are in milliseconds since 1970. */
export type NamespaceProgress =
  /** Enforced: the label is gone, and API servers enforce the policy in the namespace. */
  | { readonly state: 'Enforced' }
  /**
   * Decided: the operator decided to promote the namespace at the time `since`, but the promotion has not taken effect.
   * Either the namespace still has the label, or API servers do not enforce the policy in the namespace yet.
   */
  | { readonly state: 'Decided'; readonly since: number }
  /** Pending: the namespace has not been evaluated yet. */
  | { readonly state: 'Pending'; readonly since: number }
  /**
   * Soaking: the namespace is pending, and has been compliant since the time `since`. The operator promotes the
   * namespace when two conditions hold: the namespace has been compliant for the time `soak`, and the pace allows the
   * promotion.
   */
  | { readonly state: 'Soaking'; readonly since: number; readonly soakedAt: number }
  /**
   * Blocked: the namespace is pending, and workloads have violated the policy since the time `since`. After a change of
   * the policy, the verdict is absent until the namespace has been evaluated again.
   */
  | { readonly state: 'Blocked'; readonly since: number; readonly verdict?: PromotionVerdict };

export function progressOf(input: StepInput, result: StepResult): RolloutProgress {
  const { state, next } = result;
  const selected = input.namespaces.filter(({ labels }) => matches(input.selector, labels));
  return {
    begun: state.begun,
    paused: input.rollout.paused,
    namespaces: new Map(selected.map((one) => [one.name, progressIn(one, input, result)])),
    ...(next && { next }),
    ...(state.lastPromotion !== undefined && { lastPromotion: state.lastPromotion }),
  };
}

function progressIn(namespace: NamespaceLabels, input: StepInput, { state }: StepResult): NamespaceProgress {
  const entry = state.namespaces.get(namespace.name);
  if (!entry) {
    return isGuarded(state, namespace)
      ? { state: 'Enforced' }
      : { state: 'Decided', since: state.labelling?.since ?? 0 };
  }
  const { since } = entry;
  if (entry.state === 'Enforced') return { state: 'Decided', since };
  return pendingProgress(namespace.name, entry, input);
}

function pendingProgress(name: string, { state, since }: Entry, input: StepInput): NamespaceProgress {
  if (state === 'Soaking') return { state: 'Soaking', since, soakedAt: since + soakOf(input) };
  if (state !== 'Blocked') return { state: 'Pending', since };
  const verdict = input.verdict(name);
  return { state: 'Blocked', since, ...(verdict && { verdict }) };
}
