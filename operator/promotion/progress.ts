/** How far a policy with `spec.rollout` has come: plain values, for the status, metrics, Events and `cappol`. */
import type { PromotionVerdict } from '../evaluate/promotion.ts';
import { matches } from '../policy/selector.ts';
import type { Entry } from './state.ts';
import { isCovered, type StepInput, type StepResult, soakOf } from './step.ts';

export interface RolloutProgress {
  /** Whether the policy is enforced anywhere. Before that, namespaces get the label `pending`. */
  readonly begun: boolean;
  readonly paused: boolean;
  /** Every reached namespace that the policy's selector selects, by name and in the order of names. */
  readonly namespaces: ReadonlyMap<string, NamespaceProgress>;
  /** The next promotion; absent when none is on its way, or the roll-out is paused. */
  readonly next?: { readonly namespace: string; readonly at: number };
  /** When a namespace was promoted last; absent before the first promotion. */
  readonly lastPromotion?: number;
}

/** All times are milliseconds since 1970. */
export type NamespaceProgress =
  | { readonly state: 'Enforced' }
  /** Pending and not evaluated yet. */
  | { readonly state: 'Pending'; readonly since: number }
  /** Pending and compliant since that time; promoted when it has been compliant for `soak`, and it is its turn. */
  | { readonly state: 'Soaking'; readonly since: number; readonly soakedAt: number }
  /** Pending and violating since that time. The verdict is absent while it is evaluated again by a new text. */
  | { readonly state: 'Blocked'; readonly since: number; readonly verdict?: PromotionVerdict };

export function progressOf(input: StepInput, { state, next }: StepResult): RolloutProgress {
  const soakMs = soakOf(input);
  const selected = input.namespaces.filter(({ labels }) => matches(input.selector, labels));
  const namespaces = selected.map(({ name, labels }) => {
    const entry = state.namespaces.get(name);
    const isEnforced = entry ? entry.state === 'Enforced' && state.begun : isCovered(state, labels);
    const progress: NamespaceProgress = isEnforced
      ? { state: 'Enforced' }
      : pendingProgress(name, entry, input, soakMs);
    return [name, progress] as const;
  });
  return {
    begun: state.begun,
    paused: input.rollout.paused,
    namespaces: new Map(namespaces),
    ...(next && { next }),
    ...(state.lastPromotion !== undefined && { lastPromotion: state.lastPromotion }),
  };
}

function pendingProgress(name: string, entry: Entry | undefined, input: StepInput, soakMs: number): NamespaceProgress {
  const since = entry?.since ?? input.now;
  if (entry?.state === 'Soaking') return { state: 'Soaking', since, soakedAt: since + soakMs };
  if (entry?.state !== 'Blocked') return { state: 'Pending', since };
  const verdict = input.verdict(name);
  return { state: 'Blocked', since, ...(verdict && { verdict }) };
}
