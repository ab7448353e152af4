/** Finds and describes the conflicts of policies with Pod Security labels of another owner. */
import type { LabelConflict, LabelOutcome } from '../apply/outcome.ts';
import { labelOfMode } from '../compile/labels.ts';
import { MODES } from '../policy/deciding.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { compareLevels, LEVELS, type Level } from '../standards/level-version.ts';

/**
 * Finds the conflicts that concern a policy. If a policy has defaulting, its namespaces also need labels for the Pod
 * Security modes warn and audit (operator/compile/labels.ts).
 */
export function conflictsOf(
  { mode, defaulting }: Pick<ResolvedPolicy, 'mode' | 'defaulting'>,
  { conflicts }: LabelOutcome,
): readonly LabelConflict[] {
  const modes = defaulting ? MODES : [mode];
  const keys = modes.map(labelOfMode).flatMap((key) => [key, `${key}-version`]);
  return conflicts.filter(({ label }) => keys.includes(label));
}

/**
 * Describes a conflict for people: the owner of the label, the label's value, the value that the operator wants, the
 * consequence, and the command that removes a label with an effect on admission.
 *
 * @param namespace the name of the namespace
 */
export function describeConflict(conflict: LabelConflict, namespace: string): string {
  const { label, theirs, ours, managers, refuses } = conflict;
  const whose = managers.length > 0 ? [...managers].sort().join(', ') : 'somebody else';
  const instead = ours === undefined ? 'no label' : `"${ours}"`;
  const command = refuses ? `: run kubectl label namespace ${namespace} ${label}-` : '';
  return `label ${label} is "${theirs}" by ${whose}; the operator would set ${instead}${consequence(conflict)}${command}`;
}

/**
 * The consequence of a conflict. A tighter label changes which pods are admitted. A looser label does not change which
 * pods are admitted, because the admission policy still checks the pods that the label admits.
 */
function consequence({ label, theirs, ours = '', refuses }: LabelConflict): string {
  if (refuses) return ', so Pod Security Admission refuses pods that the policy admits';
  const isTighter = isLevel(theirs) && isLevel(ours) && compareLevels(theirs, ours) > 0;
  if (!isTighter || label === labelOfMode('Enforce')) return '';
  return ', so Pod Security Admission complains about pods that the policy admits';
}

function isLevel(text: string): text is Level {
  return (LEVELS as readonly string[]).includes(text);
}
