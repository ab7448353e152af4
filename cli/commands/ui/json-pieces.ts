/** JSON text in pieces, so that a large document is never one string. */

/** In characters: small beside a document, and large enough to compress well. */
const PIECE = 64 * 1024;
/** Below this depth a value is one piece. */
const DEPTH = 3;

/** Joined, they are `JSON.stringify(value)`. */
export function* jsonPieces(value: unknown): Generator<string> {
  let piece = '';
  for (const part of parts(value, DEPTH)) {
    piece += part;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

function* parts(value: unknown, depth: number): Generator<string> {
  if (depth === 0 || typeof value !== 'object' || value === null) yield JSON.stringify(value) ?? 'null';
  else if (Array.isArray(value)) yield* itemParts(value, depth);
  else yield* fieldParts(value, depth);
}

function* itemParts(items: readonly unknown[], depth: number): Generator<string> {
  yield '[';
  for (const [index, item] of items.entries()) {
    if (index > 0) yield ',';
    yield* parts(item, depth - 1);
  }
  yield ']';
}

function* fieldParts(object: object, depth: number): Generator<string> {
  yield '{';
  let separator = '';
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined) continue;
    yield `${separator}${JSON.stringify(name)}:`;
    separator = ',';
    yield* parts(value, depth - 1);
  }
  yield '}';
}
