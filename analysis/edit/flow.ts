/** Edits collections in flow style, such as `{a: 1}`, `[a]` and JSON. */
import {
  contentEnd,
  endOfPair,
  isMap,
  isScalar,
  type MapNode,
  type MapPair,
  type Node,
  pairsOf,
  type SeqNode,
  startOf,
  trailingComma,
} from './nodes.ts';
import { isFirstInLine, lineBreak, lineEnd, lineStart, type TextEdit } from './text-edits.ts';
import { type FlowStyle, flowField, flowText, indentedText } from './written.ts';

interface Ends {
  readonly start: number;
  readonly end: number;
}

/** A field of a mapping or an item of a list, and whether the edit removes it. */
export interface Entry extends Ends {
  readonly gone: boolean;
}

export function endsOf(pair: MapPair): Ends {
  return { start: startOf(pair.key), end: endOfPair(pair) };
}

/** Removes entries with their commas. */
export function removeFromFlow(entries: readonly Entry[]): TextEdit[] {
  const edits: TextEdit[] = [];
  for (let index = 0; index < entries.length; index += 1) {
    if (!entries[index]?.gone) continue;
    const first = index;
    while (entries[index + 1]?.gone) index += 1;
    const [before, begin, last, next] = [entries[first - 1], entries[first], entries[index], entries[index + 1]];
    if (!begin || !last) continue;
    if (before) edits.push({ start: before.end, end: last.end, text: '' });
    else if (next) edits.push({ start: begin.start, end: next.start, text: '' });
  }
  return edits;
}

/**
 * Adds entries after an existing entry. If the existing entry has its own line, each added entry gets its own line,
 * too.
 * @param added the fields of a mapping, or the items of a list
 */
export function appendToFlow(
  text: string,
  collection: MapNode | SeqNode,
  last: Ends,
  added: readonly (readonly [string, unknown])[] | readonly unknown[],
): TextEdit[] {
  const style = styleOfFlow(text, collection);
  const comma = trailingComma(collection);
  const at = comma === undefined || comma < last.end ? last.end : comma + 1;
  const first = at === last.end ? ',' : '';
  const entryText = (entry: unknown, write: (value: unknown) => string) => {
    if (!isMap(collection)) return write(entry);
    const [key, value] = entry as [string, unknown];
    return flowField(key, write(value), style);
  };
  if (!isFirstInLine(text, last.start)) {
    const entries = added.map((entry) => entryText(entry, (value) => flowText(value, style)));
    return [{ start: at, end: at, text: `${first}${style.space}${entries.join(`,${style.space}`)}` }];
  }
  const indent = text.slice(lineStart(text, last.start), last.start);
  const outer = /^[ \t]*/.exec(text.slice(lineStart(text, startOf(collection))))?.[0] ?? '';
  const step = indent.startsWith(outer) && indent.length > outer.length ? indent.slice(outer.length) : '  ';
  const end = lineBreak(text, last.start);
  const lines = added.map(
    (entry) => `${end}${indent}${entryText(entry, (value) => indentedText(value, indent, step, end, style))}`,
  );
  const below = lines.join(',');
  // A comment after the existing entry stays on that entry's line.
  const hasComment = text.slice(at, lineEnd(text, at)).trim().startsWith('#');
  if (!hasComment) return [{ start: at, end: at, text: first + below }];
  return [
    { start: at, end: at, text: first },
    { start: lineEnd(text, at), end: lineEnd(text, at), text: below },
  ];
}

/** The style of a flow collection. The collection's first entry shows the style. */
export function styleOfFlow(text: string, collection: MapNode | SeqNode): FlowStyle {
  const inside = text.slice(startOf(collection) + 1, contentEnd(collection) - 1);
  const padding = /^ +\S/.test(inside) && / $/.test(inside) ? ' ' : '';
  if (!isMap(collection)) {
    const [first] = collection.items as readonly Node[];
    const json = isScalar(first) && first.srcToken?.type === 'double-quoted-scalar';
    return { json, space: /,\S/.test(inside) && !/, /.test(inside) ? '' : ' ', padding };
  }
  const [pair] = pairsOf(collection as MapNode);
  const json = isScalar(pair?.key) && pair.key.srcToken?.type === 'double-quoted-scalar';
  const colon = pair ? contentEnd(pair.key) : 0;
  return { json, space: json && /^:\S/.test(text.slice(colon)) ? '' : ' ', padding };
}
