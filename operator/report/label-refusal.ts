/** Finds the policies that a refused write of a label affects, and describes the refused writes. */
import type { LabelOutcome } from '../apply/outcome.ts';
import { LABEL_PREFIX } from '../compile/labels.ts';
import { rolloutLabel } from '../policy/parts.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { firstOf } from '../text/wording.ts';
import type { BareCondition } from './bare-condition.ts';
import * as reasons from './reasons.ts';

const NAMED = 3;

export interface RefusedLabels {
  /**
   * The sorted descriptions of the label writes that the API server refused. Each namespace with a refused write has
   * one description.
   */
  readonly texts: readonly string[];
  /** Whether some namespace is still pending after the operator decided to enforce the policy in the namespace. */
  readonly keepsPending: boolean;
}

export const NONE_REFUSED: RefusedLabels = { texts: [], keepsPending: false };

export function refusedLabels(
  { name }: Pick<ResolvedPolicy, 'name'>,
  outcomes: readonly LabelOutcome[],
): RefusedLabels {
  const own = rolloutLabel(name);
  const concerns = (label: string) => label === own || label.startsWith(LABEL_PREFIX);
  const refused = outcomes.flatMap(({ namespace, refusal }) => {
    if (!refusal) return [];
    const writes = [
      ...refusal.set.map((label) => ({ label, how: 'set' })),
      ...refusal.remove.map((label) => ({ label, how: 'removed' })),
    ].filter(({ label }) => concerns(label));
    if (writes.length === 0) return [];
    const what = writes
      .sort((a, b) => Number(b.label === own) - Number(a.label === own))
      .map(({ label, how }) => `label ${label} cannot be ${how}`);
    // The message may come from a webhook and have several lines.
    const why = refusal.message.replaceAll(/\s+/g, ' ');
    const keepsPending = refusal.remove.includes(own);
    return [{ text: `namespace ${namespace}: ${what.join(', ')}: ${why}`, keepsPending }];
  });
  return {
    texts: refused.map(({ text }) => text).sort(),
    keepsPending: refused.some(({ keepsPending }) => keepsPending),
  };
}

export function labelRefusedCondition({ texts, keepsPending }: RefusedLabels): BareCondition[] {
  if (texts.length === 0) return [];
  const consequence = keepsPending
    ? 'The policy is not enforced there until the label is gone'
    : 'Other namespaces are not affected';
  const message = `${firstOf(texts, NAMED, '; ')}. ${consequence}; the operator tries again`;
  return [{ type: 'LabelRefused', status: 'True', reason: reasons.WRITE_REFUSED, message }];
}
