/** Finds the policies that a refused write of a label affects, and describes the refused writes. */
import type { LabelOutcome } from '../apply/outcome.ts';
import { LABEL_PREFIX } from '../compile/labels.ts';
import { rolloutLabel } from '../policy/parts.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { counted, firstOf } from '../text/wording.ts';
import type { BareCondition } from './bare-condition.ts';
import * as reasons from './reasons.ts';

const NAMED = 3;
const NAMED_OF_PLATFORM = 10;

export interface RefusedLabels {
  /**
   * The sorted descriptions of the label writes that the API server refused. Each namespace with a refused write has
   * one description. The namespaces of a platform are left out.
   */
  readonly texts: readonly string[];
  /** Whether some namespace is still pending after the operator decided to enforce the policy in the namespace. */
  readonly keepsPending: boolean;
  /** The sorted namespaces of a platform where the API server refused a write. Some platforms refuse every write. */
  readonly ofPlatform: readonly RefusedByPlatform[];
}

interface RefusedByPlatform {
  readonly namespace: string;
  readonly text: string;
}

export const NONE_REFUSED: RefusedLabels = { texts: [], keepsPending: false, ofPlatform: [] };

/** @param platform the names of the namespaces that carry the cluster's platform */
export function refusedLabels(
  { name }: Pick<ResolvedPolicy, 'name'>,
  outcomes: readonly LabelOutcome[],
  platform: ReadonlySet<string>,
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
    return [{ namespace, text: `namespace ${namespace}: ${what.join(', ')}: ${why}`, keepsPending }];
  });
  const [ofPlatform = [], others = []] = [true, false].map((is) =>
    refused.filter(({ namespace }) => platform.has(namespace) === is),
  );
  return {
    texts: others.map(({ text }) => text).sort(),
    keepsPending: others.some(({ keepsPending }) => keepsPending),
    ofPlatform: ofPlatform
      .map(({ namespace, text }) => ({ namespace, text }))
      .sort((a, b) => (a.namespace < b.namespace ? -1 : 1)),
  };
}

export function labelRefusedCondition(refused: RefusedLabels): BareCondition[] {
  const message = [...refusedText(refused), ...platformText(refused)].join('. ');
  return message === '' ? [] : [{ type: 'LabelRefused', status: 'True', reason: reasons.WRITE_REFUSED, message }];
}

/**
 * The condition Ready while a label is refused. The result is undefined if only a platform's namespaces refuse labels,
 * because these refusals may last forever, and would make every policy unready.
 */
export function unreadyByLabels(refused: RefusedLabels): BareCondition | undefined {
  const [message] = refusedText(refused);
  return message === undefined ? undefined : { type: 'Ready', status: 'False', reason: reasons.APPLY_FAILED, message };
}

function refusedText({ texts, keepsPending }: RefusedLabels): string[] {
  if (texts.length === 0) return [];
  const consequence = keepsPending
    ? 'The policy is not enforced there until the label is gone'
    : 'Other namespaces are not affected';
  return [`${firstOf(texts, NAMED, '; ')}. ${consequence}; the operator tries again`];
}

function platformText({ ofPlatform }: RefusedLabels): string[] {
  const [first] = ofPlatform;
  if (!first) return [];
  const names = ofPlatform.map(({ namespace }) => namespace);
  return [
    `${counted(names.length, 'namespace')} of the platform (${firstOf(names, NAMED_OF_PLATFORM)}) may refuse labels forever, and Ready leaves them out: add them to --excluded-namespaces, or leave them out in namespaceSelector. ${first.text}`,
  ];
}
