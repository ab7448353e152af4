/** The state of a roll-out: in which namespaces the policy is not enforced yet, and since when each has been compliant. */
import type { CompleteRollout, CompleteSpec, LabelSelector } from '../api/capability-policy.ts';
import { isExcluded } from '../policy/deciding.ts';
import type { Stage } from '../policy/parts.ts';
import { type Labels, matches } from '../policy/selector.ts';

/** All times are milliseconds since 1970. */
export interface RolloutState extends Pick<Stage, 'begun' | 'selector'> {
  /** The policy's. A policy that was deleted and created again has no state yet. */
  readonly uid: string;
  /**
   * The last selector whose namespaces have been labelled; undefined before the roll-out has begun for the first time. The
   * policy may have rested since (mode Audit, expired): then `begun` is false, and the roll-out goes on as it was.
   */
  readonly selector?: LabelSelector;
  /** The namespaces that no policy reached when the roll-out began last: `--excluded-namespaces` may change. */
  readonly excluded?: readonly string[];
  /**
   * The last selector whose text was in force everywhere. Before that, nothing guards the labels, and nothing counts as
   * enforced.
   */
  readonly inForce?: LabelSelector;
  /** While namespaces are labelled: for which selector, and since when. Namespaces that are created later are new. */
  readonly labelling?: Labelling;
  /** When a namespace was promoted last, as far as the pace counts it. */
  readonly lastPromotion?: number;
  /**
   * By name. A selected namespace without an entry is enforced once the roll-out has begun: it was promoted, or is new.
   */
  readonly namespaces: ReadonlyMap<string, Entry>;
}

export interface Labelling {
  readonly selector: LabelSelector;
  readonly since: number;
}

/** The states of a namespace: Entry says what each means. */
export const ENTRY_STATES = ['Undecided', 'Pending', 'Soaking', 'Blocked', 'Enforced'] as const;

export interface Entry {
  /** The namespace's. One that was deleted and created again is new. */
  readonly uid: string;
  /**
   * Undecided: with `soak: 0s` it is enforced from the beginning if nothing violates there then.
   * Pending: it has not been evaluated. Soaking: nothing has violated since that time. Blocked: something has violated
   * since that time. Enforced: the decision to enforce, or the policy does not select the namespace any more; the entry ends
   * when the label is gone.
   */
  readonly state: (typeof ENTRY_STATES)[number];
  readonly since: number;
  /**
   * The label is not there yet, so the policy's text leaves the namespace out by name: its label cannot be written, or
   * `--excluded-namespaces` contained it.
   */
  readonly byName?: true;
}

/** Whether the policy is not enforced in the namespace yet. */
export function isPending({ state }: Entry): boolean {
  return state !== 'Enforced';
}

/** Whether the namespace gets the label. */
export function isLabelled(entry: Entry): boolean {
  return isPending(entry) && entry.state !== 'Undecided';
}

/**
 * Whether the enforced part selects a namespace with these labels, unless it is pending; for a policy that rests, whether it
 * will when the roll-out goes on.
 */
export function isCovered(
  { selector, excluded = [] }: Pick<RolloutState, 'selector' | 'excluded'>,
  { name, labels }: { readonly name: string; readonly labels: Labels },
): boolean {
  return selector !== undefined && matches(selector, labels) && !isExcluded(name, excluded);
}

/** The namespaces that the policy's text leaves out by name; sorted. */
export function leftOutByName({ namespaces }: Pick<RolloutState, 'namespaces'>): string[] {
  return [...namespaces].flatMap(([name, { byName }]) => (byName ? [name] : [])).sort();
}

/**
 * The state of a policy that is not enforced for now: its mode is not Enforce, or it has expired. A roll-out whose text has
 * never existed has enforced nothing, whatever it had decided.
 *
 * @param existingSelector the selector of the enforced part that still exists
 */
export function resting(state: RolloutState, existingSelector: LabelSelector | undefined): RolloutState {
  const { inForce, labelling: _, selector: __, ...rest } = state;
  const selector = existingSelector ?? inForce;
  return { ...rest, begun: false, ...(selector && { selector }) };
}

/** Whether the policy is brought into force namespace by namespace. In another mode than Enforce, its roll-out rests. */
export function rollsOut(spec: CompleteSpec): spec is CompleteSpec & { readonly rollout: CompleteRollout } {
  return spec.rollout !== undefined && spec.mode === 'Enforce';
}
