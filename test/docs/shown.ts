/** Compares the output on a page with the output of the command. */
import { AssertionError } from 'node:assert/strict';

/** Patterns for the parts of an output that differ in each run. On a page, `…` matches any text. */
const SHAPES: readonly (readonly [what: string, shape: RegExp, as: string])[] = [
  ['anything left out', /\s*…\s*/, '[^]*?'],
  ['a hash', /\b[0-9a-f]{12}\b/, '[0-9a-f]{12}'],
  ['a time', /\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ/, '20\\d\\d-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ'],
  // Namespaces get their labels one after the other. The order of the namespaces depends on the time, in whole seconds,
  // at which each namespace got its label.
  ['the namespace that is next', /\bnext is [a-z0-9-]+/, 'next is [a-z0-9-]+'],
  ['an age or a duration', /(?:\b\d+m)?\b\d+(?:\.\d+)? ?m?s\b/, '(?:\\d+m)?\\d+(?:\\.\\d+)? ?m?s'],
];
const PARTS = new RegExp(`(${[...SHAPES.map(([, shape]) => shape.source), '\\s+'].join('|')})`);

/**
 * Compares the texts, with any white space counted as one space. Columns have the width of their content, and pages
 * fold long lines.
 *
 * @throws an AssertionError with both texts
 */
export function assertShown(shown: string, printed: string): void {
  const parts = shown.trim().split(PARTS);
  const pattern = parts.map((part, index) => (index % 2 === 0 ? literally(part) : shapeOf(part))).join('');
  if (new RegExp(`^${pattern}$`).test(printed.trim())) return;
  throw new AssertionError({
    message: 'the page shows other output than the command printed',
    actual: printed,
    expected: shown,
    operator: 'assertShown',
  });
}

function shapeOf(part: string): string {
  return SHAPES.find(([, shape]) => shape.test(part))?.[2] ?? '\\s+';
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
