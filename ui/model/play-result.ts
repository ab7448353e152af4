/**
 * Converts the worker's answer to the content of the playground. Each object gets a headline, and the editors get
 * markers.
 */
import { EFFECTS, type Effect, effectOf } from '../../analysis/check/effect.ts';
import { type MergedViolation, mergeViolations } from '../../analysis/check/merged.ts';
import { NotEvaluatedObjects, notEvaluatedLines } from '../../analysis/check/not-evaluated.ts';
import type { CheckedViolation, ItemVerdict } from '../../analysis/check/result.ts';
import type { Trouble } from '../../analysis/manifests/trouble.ts';
import type { CheckAnswer, CheckedText, PlacedItem } from '../worker/check.ts';

/** A message at a position of a text. */
export interface Marker {
  /** The line of the marker. The first line is 1. */
  readonly line: number;
  /** The column of the marker. The first column is 1. If the marker is for the whole line, the column is absent. */
  readonly column?: number;
  readonly endColumn?: number;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
}

export interface ShownItem {
  /** The kind, namespace and name of the object, such as `Deployment default/web`. */
  readonly name: string;
  readonly verdict: ItemVerdict;
  /** The effect of admission on the object. If no policy decides, the effect is undefined. */
  readonly effect: Effect | undefined;
  /** The result as a sentence. */
  readonly text: string;
  readonly violations: readonly MergedViolation<CheckedViolation>[];
  readonly findings: PlacedItem['findings'];
}

export function shownItems({ items, policies }: CheckAnswer): ShownItem[] {
  return items.map((item) => {
    const violations = mergeViolations(item.violations);
    const effect = effectFor(item);
    const template = item.template === null ? '' : ` (${item.template})`;
    return {
      name: `${item.kind} ${item.namespace}/${item.name}${template}`,
      verdict: item.verdict,
      effect,
      text: textOf(item, effect, policies.length),
      violations,
      findings: item.findings,
    };
  });
}

function effectFor({ verdict, violations }: PlacedItem): Effect | undefined {
  if (verdict === 'NotSelected') return undefined;
  if (verdict === 'Compliant') return 'Admitted';
  if (verdict === 'Unknown') return 'Unknown';
  const effects = violations.map(({ mode }) => effectOf(mode));
  return EFFECTS.find((effect) => effects.includes(effect)) ?? 'Refused';
}

const TEXTS: Readonly<Record<Effect, string>> = {
  Refused: 'The API server refuses the object.',
  Unknown: 'Whether the API server refuses the object depends on who creates the object.',
  Warned: 'The API server admits the object, with a warning.',
  Audited: 'The API server admits the object, and the audit log names the violations.',
  Admitted: 'The API server admits the object.',
};

function textOf({ notSelected, namespace }: PlacedItem, effect: Effect | undefined, policies: number): string {
  if (effect) return TEXTS[effect];
  if (policies === 0) return 'There is no valid policy, so nothing evaluates the object.';
  switch (notSelected) {
    case 'ExcludedNamespace':
      return `No policy reaches namespace ${namespace}.`;
    case 'NoPods':
      return 'It makes no more pods.';
    default:
      return `No policy selects namespace ${namespace}: give the namespace the labels that a policy asks for.`;
  }
}

/** The reasons why objects of the manifests have no verdict. The list is empty if all objects have a verdict. */
export function leftOutText({ notEvaluated, skipped }: CheckAnswer): string[] {
  const kinds = new NotEvaluatedObjects();
  for (const one of notEvaluated) kinds.add(one);
  const makeNone = skipped === 1 ? '1 object makes' : `${skipped} objects make`;
  return [
    ...notEvaluatedLines(kinds.all),
    ...(skipped > 0 ? [`${makeNone} no pods, so no policy evaluates ${skipped === 1 ? 'it' : 'them'}.`] : []),
  ];
}

/** The markers for one of the two texts: the policies or the manifests. */
export function markersOf(answer: CheckAnswer, text: CheckedText): Marker[] {
  const troubles = troubleMarkers(answer.troubles, text);
  return text === 'policies' ? troubles : [...troubles, ...answer.items.flatMap(itemMarkers)];
}

/** The markers for the problems in the given text. */
export function troubleMarkers(troubles: readonly Trouble[], text: CheckedText): Marker[] {
  return troubles
    .filter(({ file }) => file === text)
    .map(({ line = 1, message, severity = 'error' }) => ({ line, severity, message }));
}

function itemMarkers({ violations, findings, ranges }: PlacedItem): Marker[] {
  const ofViolations = violations.map(({ policy, mode, message }, index): Marker => {
    const severity = effectOf(mode) === 'Refused' ? 'error' : 'warning';
    return { ...(ranges.violations[index] ?? { line: 1 }), severity, message: `${policy}: ${message}` };
  });
  const ofFindings = findings.map(
    ({ message }, index): Marker => ({ ...(ranges.findings[index] ?? { line: 1 }), severity: 'info', message }),
  );
  return [...ofViolations, ...ofFindings];
}
