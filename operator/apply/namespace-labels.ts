/**
 * Plans which Pod Security labels to set on a namespace, and finds the labels that belong to other field managers. The
 * functions are pure.
 *
 * An annotation records the labels that the operator set. If somebody changed a recorded label by hand, the operator
 * sets the label again. Another field manager may have set a label before the operator. Another field manager such as
 * Argo CD may also have changed a label by server-side apply. If another field manager has set the label before the
 * operator, or has applied a change, the operator does not change the label, and reports the conflict.
 *
 * A recorded label with the recorded value belongs to the operator, also if the namespace was restored from a backup by
 * another field manager. When the label is due, the operator removes it even if the restoring tool owns it too. It
 * keeps the label only for a tool that applies it, as GitOps tools do (docs/decisions/0061).
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
import { recordedRollouts, rolloutRecord } from '../promotion/enforced-record.ts';
import type { LabelConflict, LabelOutcome } from './outcome.ts';

const ENFORCE = `${LABEL_PREFIX}enforce`;

export interface LabelPlan {
  /** The labels that the operator will own. */
  readonly labels: Readonly<Record<string, string>>;
  /**
   * The labels to record, and the rollouts whose policies are enforced. If there is nothing to record, the value is
   * undefined. The operator then removes the annotation. If another field manager set a label first, the operator does
   * not record the label.
   */
  readonly record: string | undefined;
  /**
   * Whether the operator has to force the apply, because somebody changed one of the operator's labels or the record.
   */
  readonly force: boolean;
  /** The operator's labels that are due to be removed, even if another field manager owns them, too. */
  readonly remove: readonly string[];
  /** The operator's labels that stay, because another field manager applies them. */
  readonly kept: readonly string[];
  /** Whether the namespace differs from this plan. */
  readonly changes: boolean;
  readonly conflicts: readonly LabelConflict[];
}

type Refuses = (labels: Readonly<Record<string, string>>) => boolean;

/**
 * @param wanted the labels that policies want. The labels with the level and the version of a mode belong together
 * @param refuses whether Pod Security refuses pods that the deciding policies admit, if the namespace has these labels
 * @param enforced the labels of the rollouts whose policies are enforced in the namespace. The default is what the record
 * says
 */
export function planLabels(
  namespace: NamespaceView,
  wanted: Readonly<Record<string, string>>,
  refuses: Refuses = () => false,
  enforced: readonly string[] = recordedRollouts(namespace),
): LabelPlan {
  const ours = recordedLabels(namespace);
  const conflicts = Object.entries(wanted).flatMap(([label, value]): LabelConflict[] =>
    isForeign(namespace, label, value, ours)
      ? [{ label, theirs: namespace.labels[label] ?? '', ours: value, managers: managersOf(namespace, label) }]
      : [],
  );
  const lost = new Set(conflicts.map(({ label }) => modeOf(label)));
  const labels = Object.fromEntries(Object.entries(wanted).filter(([label]) => !lost.has(modeOf(label))));
  const own = Object.entries(labels).filter(([label, value]) => !isStatedBefore(namespace, label, value, ours));
  const recorded = { ...Object.fromEntries(own), ...rolloutRecord(enforced) };
  const record = Object.keys(recorded).length === 0 ? undefined : JSON.stringify(recorded);
  const differing = Object.entries(labels).filter(([label, value]) => namespace.labels[label] !== value);
  const held = Object.keys(namespace.labelOwners).filter((label) => ownersOf(namespace, label).us);
  const leaving = [...new Set([...Object.keys(ours), ...held])].filter((label) => !(label in labels));
  const kept = leaving.filter((label) => namespace.labels[label] !== undefined && isKept(namespace, label, ours));
  const remove = leaving.filter((label) => namespace.labels[label] !== undefined && !kept.includes(label));
  const isAdopted = Object.keys(labels).some((label) => label in ours && isUnowned(namespace, label, ours));
  const stay = Object.entries(namespace.labels).filter(([label]) => !remove.includes(label));
  return {
    labels,
    record,
    force: differing.some(([label]) => namespace.labels[label] !== undefined) || isRewritten(namespace, record),
    remove,
    kept,
    changes: differing.length > 0 || leaving.length > 0 || isAdopted || record !== namespace.recorded,
    conflicts: withRefusing(namespace, conflicts, labels, refuses({ ...Object.fromEntries(stay), ...labels })),
  };
}

/**
 * Adds the label `enforce` of another owner to the conflicts, if this label refuses pods that the policies admit.
 *
 * @param planned the labels that the operator will own
 */
function withRefusing(
  namespace: NamespaceView,
  conflicts: readonly LabelConflict[],
  planned: Readonly<Record<string, string>>,
  refuses: boolean,
): LabelConflict[] {
  const isEnforce = (label: string) => modeOf(label) === 'enforce';
  if (!refuses || Object.keys(planned).some(isEnforce)) return [...conflicts];
  const marked = conflicts.map((one) => (isEnforce(one.label) ? { ...one, refuses: true as const } : one));
  if (marked.some((one) => one.refuses)) return marked;
  const theirs = namespace.labels[ENFORCE] ?? '';
  return [...marked, { label: ENFORCE, theirs, managers: managersOf(namespace, ENFORCE), refuses: true }];
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
export function differingLabels(namespace: NamespaceView, { labels, remove }: Pick<LabelPlan, 'labels' | 'remove'>) {
  return {
    set: Object.keys(labels).filter((label) => namespace.labels[label] !== labels[label]),
    remove,
  };
}

/**
 * Derives the label outcome of a namespace from the namespace's current labels. The result is reported, for example,
 * before the first label pass. The API server may refuse a planned label that is not on the namespace yet. So this
 * label does not count.
 */
export function presentLabels(
  namespace: NamespaceView,
  wanted: Readonly<Record<string, string>>,
  refuses: Refuses,
): LabelOutcome {
  const { labels, conflicts } = planLabels(namespace, wanted, refuses);
  const there = Object.entries(labels).filter(([key, value]) => namespace.labels[key] === value);
  return labelOutcome(namespace.name, { labels: Object.fromEntries(there), conflicts });
}

/** Whether the namespace has a label `enforce` above the level privileged, or had one according to the record. */
export function isEnforcedByLabel(namespace: NamespaceView): boolean {
  const levels = [namespace.labels[ENFORCE], recordedLabels(namespace)[ENFORCE]];
  return levels.some((level) => level !== undefined && level !== 'privileged');
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
 * Whether a label that is due to be removed stays. It stays if somebody changed its value, or if another field manager
 * applies it. If the record lacks the label, managedFields alone say that the operator set it. It then stays for every
 * other owner.
 */
function isKept(namespace: NamespaceView, label: string, ours: Record<string, string>): boolean {
  const { us, others } = ownersOf(namespace, label);
  if (!(label in ours)) return others.length > 0;
  if (namespace.labels[label] !== ours[label]) return !us || others.length > 0;
  return others.some(({ manager, operation }) => operation === 'Apply' && !namespace.recordedBy?.includes(manager));
}

/** Whether managedFields name only other owners of a label that has the recorded value, as after a restore. */
function isUnowned(namespace: NamespaceView, label: string, ours: Record<string, string>): boolean {
  const { us, others } = ownersOf(namespace, label);
  return !us && others.length > 0 && namespace.labels[label] === ours[label];
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
