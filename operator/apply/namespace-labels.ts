/**
 * Plans which Pod Security labels to set on a namespace, and finds the labels that belong to other field managers. The
 * functions are pure.
 *
 * An annotation records the labels that the operator set. If somebody changed a recorded label by hand, the operator
 * sets the label again. Another field manager may have set a label before the operator. Another field manager such as
 * Argo CD may also have changed a label by server-side apply. If another field manager has set the label before the
 * operator, or has applied a change, the operator does not change the label, and reports the conflict.
 *
 * If another field manager applies the operator's value of a label, the other field manager does not take over the
 * label. Without this rule, anyone who can edit a namespace could take over the label from the operator. To take over a
 * label, a user would only have to apply the label, or remove the operator's managedFields entry. A user who changes
 * the value of a label needs the verb `exempt`. The guard checks this verb (compile/guard-label.ts). If the record is
 * lost, managedFields still show which labels to remove.
 */
import { FIELD_MANAGER } from '../api/capability-policy.ts';
import { LABEL_PREFIX } from '../compile/labels.ts';
import type { FieldOwner, NamespaceView } from '../model/objects.ts';
import type { LabelConflict, LabelOutcome } from './outcome.ts';

export interface LabelPlan {
  /** The labels that the operator will own. */
  readonly labels: Readonly<Record<string, string>>;
  /**
   * The labels to record. If there are no labels to record, the value is undefined. The operator then removes the
   * annotation. If another field manager set a label first, the operator does not record the label.
   */
  readonly record: string | undefined;
  /**
   * Whether the operator has to force the apply, because somebody changed one of the operator's labels or the record.
   */
  readonly force: boolean;
  /** Whether the namespace differs from this plan. */
  readonly changes: boolean;
  readonly conflicts: readonly LabelConflict[];
}

/** @param wanted the labels that policies want. The labels with the level and the version of a mode belong together */
export function planLabels(namespace: NamespaceView, wanted: Readonly<Record<string, string>>): LabelPlan {
  const ours = recordedLabels(namespace);
  const conflicts = Object.entries(wanted).flatMap(([label, value]): LabelConflict[] =>
    isForeign(namespace, label, value, ours)
      ? [{ label, theirs: namespace.labels[label] ?? '', ours: value, managers: managersOf(namespace, label) }]
      : [],
  );
  const lost = new Set(conflicts.map(({ label }) => modeOf(label)));
  const labels = Object.fromEntries(Object.entries(wanted).filter(([label]) => !lost.has(modeOf(label))));
  const own = Object.entries(labels).filter(([label, value]) => !isStatedBefore(namespace, label, value, ours));
  const record = own.length === 0 ? undefined : JSON.stringify(Object.fromEntries(own));
  const differing = Object.entries(labels).filter(([label, value]) => namespace.labels[label] !== value);
  const held = Object.keys(namespace.labelOwners).filter((label) => ownersOf(namespace, label).us);
  const leaving = [...Object.keys(ours), ...held].some((label) => !(label in labels));
  return {
    labels,
    record,
    force: differing.some(([label]) => namespace.labels[label] !== undefined) || isRewritten(namespace, record),
    changes: differing.length > 0 || leaving || record !== namespace.recorded,
    conflicts,
  };
}

/**
 * Returns the labels to set now. If a mode is held back, the namespace keeps the labels that the operator set for this
 * mode. If a label belongs to another owner, the result contains the wanted value of this label. `planLabels` therefore
 * reports the conflict and does not change the label.
 *
 * @param isHeld decides whether to hold back a mode. The arguments of `isHeld` are the label of the mode and the labels
 * that the operator set
 */
export function heldBack(
  namespace: NamespaceView,
  wanted: Readonly<Record<string, string>>,
  isHeld: (label: string, ours: Readonly<Record<string, string>>) => boolean,
): Record<string, string> {
  const ours = recordedLabels(namespace);
  const isConflict = (label: string) => isForeign(namespace, label, wanted[label] ?? '', ours);
  const modes = Map.groupBy(Object.keys(wanted), modeOf);
  const held = new Set(
    [...modes].flatMap(([mode, labels]) =>
      !labels.some(isConflict) && isHeld(`${LABEL_PREFIX}${mode}`, ours) ? [mode] : [],
    ),
  );
  const entries = [
    ...Object.entries(wanted).filter(([label]) => !held.has(modeOf(label))),
    ...Object.entries(ours).filter(([label]) => held.has(modeOf(label))),
  ];
  return Object.fromEntries(entries);
}

export function labelOutcome(
  namespace: string,
  { labels, conflicts }: Pick<LabelPlan, 'labels' | 'conflicts'>,
): LabelOutcome {
  return { namespace, applied: labels, conflicts };
}

/** The Pod Security labels that the plan changes. */
export function differingLabels(namespace: NamespaceView, { labels }: Pick<LabelPlan, 'labels'>) {
  const ours = Object.keys(recordedLabels(namespace));
  return {
    set: Object.keys(labels).filter((label) => namespace.labels[label] !== labels[label]),
    remove: ours.filter((label) => !(label in labels) && namespace.labels[label] !== undefined),
  };
}

/**
 * Derives the label outcome of a namespace from the namespace's current labels. The result is reported, for example,
 * before the first label pass. The API server may refuse a planned label that is not on the namespace yet. So this
 * label does not count.
 */
export function presentLabels(namespace: NamespaceView, wanted: Readonly<Record<string, string>>): LabelOutcome {
  const { labels, conflicts } = planLabels(namespace, wanted);
  const there = Object.entries(labels).filter(([key, value]) => namespace.labels[key] === value);
  return labelOutcome(namespace.name, { labels: Object.fromEntries(there), conflicts });
}

/**
 * The labels with their values in the operator's record. The function does not read the current values of the labels.
 * The result is empty if the record cannot be read.
 */
function recordedLabels(namespace: NamespaceView): Record<string, string> {
  try {
    const record: unknown = JSON.parse(namespace.recorded ?? '{}');
    if (typeof record !== 'object' || record === null) return {};
    return Object.fromEntries(
      Object.entries(record).filter(([label, value]) => label.startsWith(LABEL_PREFIX) && typeof value === 'string'),
    );
  } catch {
    return {};
  }
}

/**
 * Whether the apply changes an existing record. The record belongs to the field manager that edited the record last. So
 * the operator must force an apply that changes the record.
 */
function isRewritten({ recorded }: NamespaceView, record: string | undefined): boolean {
  return recorded !== undefined && record !== undefined && recorded !== record;
}

function isForeign(namespace: NamespaceView, label: string, value: string, ours: Record<string, string>): boolean {
  const live = namespace.labels[label];
  if (live === undefined || live === value || live === ours[label]) return false;
  const { us, others } = ownersOf(namespace, label);
  // The operator does not change a label that another owner set to the wanted value.
  if (us) return others.length > 0;
  return !(label in ours) || others.some(({ operation }) => operation === 'Apply');
}

/**
 * Whether another field manager set the label to the same value before the operator set the label. The operator must
 * not change a label that another field manager set first.
 */
function isStatedBefore(namespace: NamespaceView, label: string, value: string, ours: Record<string, string>): boolean {
  return !(label in ours) && namespace.labels[label] === value && ownersOf(namespace, label).others.length > 0;
}

function managersOf(namespace: NamespaceView, label: string): string[] {
  return [...new Set(ownersOf(namespace, label).others.map(({ manager }) => manager))].sort();
}

function ownersOf({ labelOwners }: NamespaceView, label: string): { us: boolean; others: FieldOwner[] } {
  const owners = labelOwners[label] ?? [];
  const others = owners.filter(({ manager }) => manager !== FIELD_MANAGER);
  return { us: others.length < owners.length, others };
}

/** The mode in the key of a label, such as `enforce` for `pod-security.kubernetes.io/enforce-version`. */
function modeOf(label: string): string {
  return label.slice(LABEL_PREFIX.length).replace(/-version$/, '');
}
