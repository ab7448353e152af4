/**
 * The state of a rollout lists the namespaces in which the policy is not enforced yet. For each of these namespaces,
 * the state says since when the namespace has been compliant.
 */
import type { CompleteRollout, CompleteSpec, LabelSelector } from '../api/capability-policy.ts';
import { isExcluded } from '../policy/deciding.ts';
import type { Stage } from '../policy/parts.ts';
import { type Labels, matches } from '../policy/selector.ts';

/** The state of a rollout. All times are in milliseconds since 1970. */
export interface RolloutState extends Pick<Stage, 'begun' | 'selector'> {
  /**
   * The uid of the policy that wrote the state. If the policy was deleted and created again, for example by a restore,
   * the policy goes on from the state of the earlier policy with the same name.
   */
  readonly uid: string;
  /** The time at which the operator saw that the policy was deleted. */
  readonly deleted?: number;
  /**
   * The operator has labelled all namespaces that this selector selects. If the operator has labelled the namespaces of
   * several selectors, the field has the newest selector. The field is undefined before the rollout begins for the
   * first time. A policy rests if its mode is Audit, or if it has expired. While the policy rests, `begun` is false.
   * When the policy no longer rests, the rollout continues from this selector.
   */
  readonly selector?: LabelSelector;
  /**
   * The namespaces that were excluded when the rollout last began. `--excluded-namespaces` may change later.
   */
  readonly excluded?: readonly string[];
  /**
   * The last selector that every API server enforced. If this field is undefined, nothing guards the labels, and no
   * namespace counts as enforced.
   */
  readonly inForce?: LabelSelector;
  /**
   * The selector that was in force before the rollout rested. The field is set while a rollout continues after a rest,
   * until every API server enforces the policy again.
   */
  readonly rested?: LabelSelector;
  /**
   * The labelling of namespaces that is in progress. The field has the selector of the namespaces that are being
   * labelled, and the start time of the labelling. Namespaces that are created after this time are new.
   */
  readonly labelling?: Labelling;
  /** The time of the last promotion. The pace of the rollout depends on this time. */
  readonly lastPromotion?: number;
  /**
   * The entries. The key is the namespace. If a selected namespace has no entry after the rollout has begun, the policy
   * is enforced in the namespace. A namespace without an entry was promoted or is new.
   */
  readonly namespaces: ReadonlyMap<string, Entry>;
}

export interface Labelling {
  readonly selector: LabelSelector;
  readonly since: number;
}

/** The states of a namespace. `Entry` explains each state. */
export const ENTRY_STATES = ['Undecided', 'Pending', 'Soaking', 'Blocked', 'Enforced'] as const;

export interface Entry {
  /**
   * The namespace's uid. A namespace that was deleted and created again is new, unless it was restored with the label
   * `pending`.
   */
  readonly uid: string;
  /**
   * Undecided: the rollout has `soak: 0s`. If no workload in the namespace violates the policy, the policy is enforced
   * in the namespace from the beginning. Pending: the namespace has not been evaluated. Soaking: no workload has
   * violated the policy since the time in `since`. Blocked: workloads have violated the policy since the time in
   * `since`. Enforced: the operator decided to enforce the policy, or the policy no longer selects the namespace. The
   * entry of an enforced namespace is removed when the label is gone.
   */
  readonly state: (typeof ENTRY_STATES)[number];
  readonly since: number;
  /**
   * Whether the enforced part leaves out the namespace by name, because the namespace does not have the label yet. The
   * label is missing if the operator cannot write the label, or if `--excluded-namespaces` contained the namespace.
   */
  readonly byName?: true;
}

/** Whether the namespace is pending. In a pending namespace, the policy is not enforced yet. */
export function isPending({ state }: Entry): boolean {
  return state !== 'Enforced';
}

/** Whether the namespace must have the rollout's label `pending`. */
export function isLabelled(entry: Entry): boolean {
  return isPending(entry) && entry.state !== 'Undecided';
}

/**
 * Whether the enforced part selects a namespace with these labels. The function ignores whether the namespace is
 * pending. While the policy rests, the function returns whether the enforced part will select the namespace when the
 * rollout continues.
 */
export function isCovered(
  { selector, excluded = [] }: Pick<RolloutState, 'selector' | 'excluded'>,
  { name, labels }: { readonly name: string; readonly labels: Labels },
): boolean {
  return selector !== undefined && matches(selector, labels) && !isExcluded(name, excluded);
}

/** The sorted names of the namespaces that the enforced part leaves out by name. */
export function leftOutByName({ namespaces }: Pick<RolloutState, 'namespaces'>): string[] {
  return [...namespaces].flatMap(([name, { byName }]) => (byName ? [name] : [])).sort();
}

/**
 * Returns the state of a resting policy. The mode of a resting policy is not Enforce, or the policy has expired. If the
 * enforced part never existed, the policy was never enforced in any namespace, even if the state contains a selector.
 *
 * @param existingSelector the selector of the enforced part that still exists
 */
export function resting(state: RolloutState, existingSelector: LabelSelector | undefined): RolloutState {
  const { inForce, labelling: _, selector: __, rested: ___, ...rest } = state;
  // A rollout that has not begun again has no enforced part. Its selector is from the time before the rest.
  const selector = existingSelector ?? inForce ?? (state.begun ? state.rested : state.selector);
  return { ...rest, begun: false, ...(selector && { selector }) };
}

/** Whether the policy has never been enforced in any namespace by this rollout, so that the state says nothing. */
export function isUnbegun({ begun, inForce, selector, rested }: RolloutState): boolean {
  return !begun && !(inForce || selector || rested);
}

/** Whether the policy is rolled out namespace by namespace. If the policy's mode is not Enforce, its rollout rests. */
export function rollsOut(spec: CompleteSpec): spec is CompleteSpec & { readonly rollout: CompleteRollout } {
  return spec.rollout !== undefined && spec.mode === 'Enforce';
}
