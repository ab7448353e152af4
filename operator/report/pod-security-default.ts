/** Texts about the default of Pod Security, which decides in namespaces without a label. */
import type { LabelOutcome } from '../apply/outcome.ts';
import { labelOfMode } from '../compile/labels.ts';
import { counted, firstOf } from '../text/wording.ts';

export interface WrongFlag {
  /** The level and version that the flag --psa-defaults names. */
  readonly flag: string;
  /** The level and version that API servers enforce. */
  readonly enforced: string;
}

const NAMED = 3;

/** The message about namespaces where the default refuses pods that the policy admits. */
export function refusingDefaultText(
  outcomes: readonly Pick<LabelOutcome, 'namespace' | 'refusingDefault'>[],
): string[] {
  const refusing = outcomes.filter(({ refusingDefault }) => refusingDefault !== undefined);
  const [first] = refusing;
  if (!first) return [];
  const levels = [...new Set(refusing.map(({ refusingDefault }) => refusingDefault))].sort().join(', ');
  const names = refusing.map(({ namespace }) => namespace).sort();
  const where = `${counted(names.length, 'namespace')} without the label ${labelOfMode('Enforce')}: ${firstOf(names, NAMED)}`;
  return [
    `warning: the default of Pod Security, ${levels}, refuses pods that the policy admits, in ${where}. To admit them, run kubectl label namespace ${names[0]} ${labelOfMode('Enforce')}=privileged`,
  ];
}

/** The message about a wrong flag. */
export function wrongFlagText(wrong: WrongFlag | undefined): string[] {
  if (!wrong) return [];
  return [
    `warning: --psa-defaults says enforce=${wrong.flag}, but API servers enforce ${wrong.enforced} by default; correct the flag`,
  ];
}
