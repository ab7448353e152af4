/** A long CEL text → its pieces: those that are a rule's own text, and what is between them. */
import type { RuleText } from '../worker/policy-facts.ts';

export interface Piece {
  readonly text: string;
  /** The rule whose text it is. */
  readonly rule?: string;
  /** Whether it is the rule's condition or its message. */
  readonly what?: 'condition' | 'message';
}

interface Known {
  readonly text: string;
  readonly rule: string;
  readonly what: 'condition' | 'message';
}

/** Joined, the pieces are the text. */
export function foldedCel(text: string, rules: readonly RuleText[]): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const { start, known } of occurrences(text, knownTexts(rules))) {
    if (start < at) continue;
    if (start > at) pieces.push({ text: text.slice(at, start) });
    pieces.push(known);
    at = start + known.text.length;
  }
  if (at < text.length) pieces.push({ text: text.slice(at) });
  return pieces;
}

function knownTexts(rules: readonly RuleText[]): Known[] {
  return rules.flatMap(({ rule, checks }) =>
    checks.flatMap(({ violates, message }): Known[] => [
      { text: violates, rule, what: 'condition' },
      { text: message, rule, what: 'message' },
    ]),
  );
}

/** By place; of several at the same place the longest first. */
function occurrences(text: string, all: readonly Known[]): { readonly start: number; readonly known: Known }[] {
  const found = all.flatMap((known) => startsOf(text, known.text).map((start) => ({ start, known })));
  return found.sort((a, b) => a.start - b.start || b.known.text.length - a.known.text.length);
}

function startsOf(text: string, part: string): number[] {
  const starts: number[] = [];
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) starts.push(at);
  return starts;
}
