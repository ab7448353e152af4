/** Compares the quick reader of manifests with js-yaml. */
import assert from 'node:assert/strict';
import { constructFromEvents, parseEvents } from 'js-yaml';
import { readBlockStyle } from '../../analysis/manifests/block-style.ts';
import { parseDocument } from '../../analysis/manifests/document.ts';
import { FieldPositions } from '../../analysis/manifests/field-positions.ts';
import { MANIFEST_SCHEMA } from '../../analysis/manifests/scalars.ts';
import type { FieldPath } from '../../analysis/schema/paths.ts';

/**
 * @returns whether the quick reader has read the text. If the quick reader leaves the text to js-yaml, the result is
 * false.
 * @throws an error if the quick reader accepts a text that js-yaml refuses. The function also throws if the two readers
 * differ in a value, in the order of keys, or in the line where a part begins.
 */
export function isReadAlike(text: string): boolean {
  const found = readBlockStyle(text);
  if (found === undefined) return false;
  const events = parseEvents(text, {});
  const [value] = constructFromEvents(events, { source: text, schema: MANIFEST_SCHEMA });
  assert.deepEqual(found.value, value);
  assert.equal(JSON.stringify(found.value), JSON.stringify(value));
  const document = parseDocument(text, 1);
  const positions = new FieldPositions(text, events);
  for (const path of pathsIn(value)) assert.equal(document?.lineOf(path), 1 + positions.lineOf(path), path.join('.'));
  return true;
}

/** The paths of all parts of a value. For each part, the list also has the paths of two children that do not exist. */
function pathsIn(value: unknown, path: FieldPath = []): FieldPath[] {
  const isObject = typeof value === 'object' && value !== null;
  const parts = Object.entries(isObject ? value : {}).flatMap(([key, part]) =>
    pathsIn(part, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return [path, [...path, 'missing'], [...path, 1_000], ...parts];
}
