import assert from 'node:assert/strict';
import type { Note } from '../../analysis/migrate/migrate.ts';

/**
 * Asserts that exactly the expected notes exist, in any order.
 * @param expected `field: beginning of the text` for each note. An inexact note begins with `~`.
 */
export function assertNotes(notes: readonly Note[], expected: readonly string[]): void {
  const texts = notes.map(({ field, text, exact }) => `${exact ? '' : '~'}${field}: ${text}`);
  for (const beginning of expected) {
    const found = texts.findIndex((text) => text.startsWith(beginning));
    assert.ok(found >= 0, `nothing says ${beginning}, but ${JSON.stringify(texts)}`);
    texts.splice(found, 1);
  }
  assert.deepEqual(texts, []);
}
