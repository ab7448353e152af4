/**
 * The part of a namespace's record that says which policies with a rollout are enforced there. A backup of the
 * namespace contains the record. So these policies stay enforced after a restore in which everything else is lost.
 */
import { ROLLOUT_ENFORCED, ROLLOUT_LABEL_PREFIX } from '../api/capability-policy.ts';
import { objectOf } from '../model/raw.ts';

interface Recorded {
  /** The annotation with the record, as JSON. The key of an entry is the label of the rollout. */
  readonly recorded?: string;
}

/** Matches the key of a rollout's label. */
const LABEL = new RegExp(`^${ROLLOUT_LABEL_PREFIX.replaceAll('.', '\\.')}[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$`);

/** Whether the record says that the policy of this rollout's label is enforced in the namespace. */
export function isRecorded({ recorded }: Recorded, label: string): boolean {
  return recorded?.includes(`${JSON.stringify(label)}:${JSON.stringify(ROLLOUT_ENFORCED)}`) === true;
}

/** The labels of the rollouts in the record, sorted. Unreadable records have no labels. */
export function recordedRollouts({ recorded }: Recorded): string[] {
  if (!recorded?.includes(ROLLOUT_LABEL_PREFIX)) return [];
  try {
    const entries = Object.entries(objectOf(JSON.parse(recorded)));
    return entries.flatMap(([key, value]) => (value === ROLLOUT_ENFORCED && LABEL.test(key) ? [key] : [])).sort();
  } catch {
    return [];
  }
}

/** The entries of the record for these labels of rollouts. */
export function rolloutRecord(labels: readonly string[]): Record<string, string> {
  return Object.fromEntries(labels.map((label) => [label, ROLLOUT_ENFORCED]));
}
