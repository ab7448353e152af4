/**
 * The state of a rollout: the namespaces in which the policy is not enforced yet, and since when each has been
 * compliant.
 */
import type { CompleteRollout, CompleteSpec, LabelSelector } from '../api/capability-policy.ts';
import { isExcluded } from '../policy/deciding.ts';
import type { Stage } from '../policy/parts.ts';
import { type Labels, matches } from '../policy/selector.ts';

/** All times are milliseconds since 1970. */
export interface RolloutState extends Pick<Stage, 'begun' | 'selector'> {
  /** The policy's uid. A policy that was deleted and created again has no state yet. */
  readonly uid: string;
  /**
   * The last selector whose namespaces have all been labelled; undefined before the rollout has begun for the first
   * time. If the policy has rested since (mode Audit, expired), `begun` is false, and the rollout later goes on from
   * this selector.
   */
  readonly selector?: LabelSelector;
  /** The excluded namespaces when the rollout last began: `--excluded-namespaces` may change. */
  readonly excluded?: readonly string[];
  /**
   * The last selector whose text was in force everywhere. Before that, nothing guards the labels, and no namespace counts
   * as enforced.
   */
  readonly inForce?: LabelSelector;
  /**
   * While namespaces are labelled: the selector for which they get the label, and the beginning of the labelling.
   * Namespaces that are created after that time are new.
   */
  readonly labelling?: Labelling;
  /** The time of the last promotion, as the pace counts it. */
  readonly lastPromotion?: number;
  /**
   * The entries, by namespace. Once the rollout has begun, the policy is enforced in every selected namespace without
   * an entry, because the namespace was promoted or is new.
   */
  readonly namespaces: ReadonlyMap<string, Entry>;
}

export interface Labelling {
  readonly selector: LabelSelector;
  readonly since: number;
}

/** The states of a namespace; `Entry` explains each of them. */
export const ENTRY_STATES = ['Undecided', 'Pending', 'Soaking', 'Blocked', 'Enforced'] as const;

export interface Entry {
  /** The namespace's uid. A namespace that was deleted and created again is new. */
  readonly uid: string;
  /**
   * Undecided: with `soak: 0s` the policy is enforced from the beginning if nothing violates at that time. Pending: the
   * namespace has not been evaluated. Soaking: nothing has violated since that time. Blocked: something has violated
   * since that time. Enforced: the operator decided to enforce the policy, or the policy does not select the namespace
   * any more. The entry ends when the label is gone.
   */
  readonly state: (typeof ENTRY_STATES)[number];
  readonly since: number;
  /**
   * The namespace does not have the label yet, because the label cannot be written or `--excluded-namespaces` contained
   * the namespace. So the policy's text leaves the namespace out by name.
   */
  readonly byName?: true;
}

/** Whether the policy is not enforced in the namespace yet. */
export function isPending({ state }: Entry): boolean {
  return state !== 'Enforced';
}

/** Whether the namespace must have the label. */
export function isLabelled(entry: Entry): boolean {
  return isPending(entry) && entry.state !== 'Undecided';
}

/**
 * Whether the enforced part selects a namespace with these labels, unless it is pending. While the policy rests:
 * whether the enforced part will select the namespace once the rollout goes on.
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
 * The state of a policy that is not enforced for now: its mode is not Enforce, or it has expired. If the enforced part
 * never existed, the policy was enforced nowhere, whatever the state says.
 *
 * @param existingSelector the selector of the enforced part that still exists
 */
export function resting(state: RolloutState, existingSelector: LabelSelector | undefined): RolloutState {
  const { inForce, labelling: _, selector: __, ...rest } = state;
  const selector = existingSelector ?? inForce;
  return { ...rest, begun: false, ...(selector && { selector }) };
}

/**
 * Whether the policy is rolled out namespace by namespace. In another mode than Enforce, the rollout of the policy
 * rests.
 */
export function rollsOut(spec: CompleteSpec): spec is CompleteSpec & { readonly rollout: CompleteRollout } {
  return spec.rollout !== undefined && spec.mode === 'Enforce';
}
