/** Pod Security labels of another owner: which policies they concern, and the text about them. */
import type { LabelConflict, LabelOutcome } from '../apply/outcome.ts';
import { labelOfMode } from '../compile/labels.ts';
import { MODES } from '../policy/deciding.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { LEVELS, type Level } from '../standards/level-version.ts';

/** With defaulting a policy asks for the labels of warn and audit as well (operator/compile/labels.ts). */
export function conflictsOf(
  { mode, defaulting }: Pick<ResolvedPolicy, 'mode' | 'defaulting'>,
  { conflicts }: LabelOutcome,
): readonly LabelConflict[] {
  const modes = defaulting ? MODES : [mode];
  const keys = modes.map(labelOfMode).flatMap((key) => [key, `${key}-version`]);
  return conflicts.filter(({ label }) => keys.includes(label));
}

/** The text about a conflict: the owner of the label, its value, the operator's value, and the consequence. */
export function describeConflict({ label, theirs, ours, managers }: LabelConflict): string {
  const whose = managers.length > 0 ? [...managers].sort().join(', ') : 'somebody else';
  return `label ${label} is "${theirs}" by ${whose}; the operator would set "${ours}"${consequence(theirs, ours)}`;
}

/**
 * Only a tighter label changes which pods are admitted: the admission policy still checks the pods that a looser label
 * lets pass.
 */
function consequence(theirs: string, ours: string): string {
  const tighter = isLevel(theirs) && isLevel(ours) && LEVELS.indexOf(theirs) > LEVELS.indexOf(ours);
  return tighter ? ', so Pod Security Admission objects to pods that the policy admits' : '';
}

function isLevel(text: string): text is Level {
  return (LEVELS as readonly string[]).includes(text);
}
