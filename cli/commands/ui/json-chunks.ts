/**
 * Converts a value to JSON text in chunks. The chunks avoid a single string with the whole text of a large document.
 */

/** The size of a chunk in characters. A chunk is small compared to a document, but large enough to compress well. */
const CHUNK = 64 * 1024;

/** The chunks together are `JSON.stringify(value)`. Each item of a list is completely in one chunk. */
export function* jsonChunks(value: unknown): Generator<string> {
  let chunk = '';
  for (const part of parts(value)) {
    chunk += part;
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}

function* parts(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) yield JSON.stringify(value) ?? 'null';
  else if (Array.isArray(value)) yield* itemParts(value);
  else yield* fieldParts(value);
}

function* itemParts(items: readonly unknown[]): Generator<string> {
  yield '[';
  for (const [index, item] of items.entries()) yield `${index > 0 ? ',' : ''}${JSON.stringify(item) ?? 'null'}`;
  yield ']';
}

function* fieldParts(object: object): Generator<string> {
  yield '{';
  let separator = '';
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined) continue;
    yield `${separator}${JSON.stringify(name)}:`;
    separator = ',';
    yield* parts(value);
  }
  yield '}';
}
