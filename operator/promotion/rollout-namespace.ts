/** A namespace in the form that a step of a rollout uses. */
import { type LabelSelector, ROLLOUT_PENDING } from '../api/capability-policy.ts';
import { isExcluded } from '../policy/deciding.ts';
import { matches } from '../policy/selector.ts';
import { isRecorded } from './enforced-record.ts';
import type { NamespaceLabels, StepInput } from './input.ts';
import { type Entry, isCovered, isPending, type Labelling, type RolloutState } from './state.ts';

export interface RolloutNamespace {
  readonly name: string;
  readonly uid: string;
  /**
   * The value of the rollout's label on the namespace. If the namespace does not have the label, the value is
   * undefined.
   */
  readonly label: string | undefined;
  /** Whether the selector of the spec selects the namespace. */
  readonly selected: boolean;
  /**
   * Whether the enforced part selects the namespace. The label `pending` is ignored. The field is true if the enforced
   * part in the state, or the enforced part in the cluster, selects the namespace.
   */
  readonly covered: boolean;
  /**
   * Whether the guard protects the label of the namespace. If the guard protects the label, only a user with the verb
   * `exempt` can have set the label.
   */
  readonly guarded: boolean;
  /**
   * Whether the namespace was created after the rollout began to label namespaces. In a namespace that was created
   * later, the policy is enforced from the beginning.
   */
  readonly isNew: boolean;
  /**
   * Whether the operator recorded on the namespace that the policy is enforced there. The record outlives the state of
   * the rollout and the programs.
   */
  readonly recorded: boolean;
  /** Whether the enforced part selects the namespace because the namespace was removed from `--excluded-namespaces`. */
  readonly leftExclusion: boolean;
  readonly entry: Entry | undefined;
}

export function rolloutNamespace(
  namespace: NamespaceLabels,
  { selector, state, existingSelector }: StepInput,
  label: string,
  labelling: Labelling | undefined,
): RolloutNamespace {
  const { name, uid, labels, created } = namespace;
  const entry = state.namespaces.get(name);
  const recorded = isRecorded(namespace, label);
  const covered =
    isCovered(state, namespace) ||
    (existingSelector !== undefined && isCovered({ ...state, selector: existingSelector }, namespace));
  return {
    name,
    uid,
    label: Object.hasOwn(labels, label) ? labels[label] : undefined,
    selected: matches(selector, labels),
    covered,
    guarded: isGuarded(state, namespace),
    isNew: labelling !== undefined && created !== undefined && created > labelling.since,
    recorded,
    leftExclusion:
      state.begun && isExcluded(name, state.excluded ?? []) && matchesAny(labels, state.selector, existingSelector),
    entry: entry && entryOf(entry, { uid, label: labels[label], recorded }),
  };
}

/**
 * The entry, if it is about this namespace. A namespace that was restored has another uid. If its entry and its label
 * both say that the namespace is pending, the namespace stays pending. Otherwise, the namespace is new. If the record of
 * a namespace without the label says that the policy is enforced, the entry is from an older backup.
 */
function entryOf(
  entry: Entry,
  { uid, label, recorded }: Pick<RolloutNamespace, 'uid' | 'label' | 'recorded'>,
): Entry | undefined {
  if (recorded && isPending(entry) && label === undefined) return undefined;
  if (entry.uid === uid) return entry;
  return isPending(entry) && label === ROLLOUT_PENDING ? { ...entry, uid } : undefined;
}

/**
 * Whether the guard protects the label of the namespace. The function uses the last selector that every API server
 * enforced. The guard protects the label if this selector selects the namespace.
 */
export function isGuarded({ begun, inForce, excluded }: RolloutState, namespace: NamespaceLabels): boolean {
  return begun && inForce !== undefined && isCovered({ selector: inForce, ...(excluded && { excluded }) }, namespace);
}

function matchesAny(labels: NamespaceLabels['labels'], ...selectors: readonly (LabelSelector | undefined)[]): boolean {
  return selectors.some((selector) => selector && matches(selector, labels));
}
