/** The state of a roll-out: in which namespaces the policy is not enforced yet, and since when each has been compliant. */
import type { LabelSelector } from '../api/capability-policy.ts';
import type { Stage } from '../policy/parts.ts';

/** All times are milliseconds since 1970. */
export interface RolloutState extends Stage {
  /** The policy's. A policy that was deleted and created again has no state yet. */
  readonly uid: string;
  /** The last selector whose namespaces have been labelled; undefined before the roll-out has begun. */
  readonly selector?: LabelSelector;
  /** When a namespace was promoted last, as far as the pace counts it. */
  readonly lastPromotion?: number;
  /**
   * By name. A selected namespace without an entry is enforced once the roll-out has begun: it was promoted, or is new.
   */
  readonly namespaces: ReadonlyMap<string, Entry>;
}

/** The states of a namespace: Entry says what each means. */
export const ENTRY_STATES = ['Undecided', 'Pending', 'Soaking', 'Blocked', 'Enforced'] as const;

export interface Entry {
  /** The namespace's. One that was deleted and created again is new. */
  readonly uid: string;
  /**
   * Undecided: with `soak: 0s` it is enforced from the beginning if nothing violates there, which is not known yet.
   * Pending: it has not been evaluated. Soaking: nothing has violated since that time. Blocked: something has violated
   * since that time. Enforced: the decision to enforce, or the policy does not select the namespace any more; the entry ends
   * when the label is gone.
   */
  readonly state: (typeof ENTRY_STATES)[number];
  readonly since: number;
}

/** Whether the policy is not enforced in the namespace yet. */
export function isPending({ state }: Entry): boolean {
  return state !== 'Enforced';
}

/** Whether the namespace gets the label. */
export function isLabelled(entry: Entry): boolean {
  return isPending(entry) && entry.state !== 'Undecided';
}
