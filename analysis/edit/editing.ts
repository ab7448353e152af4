/** Makes the edits that change the values of nodes in a document. */
import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../schema/problems.ts';
import { appendToFlow, type Entry, endsOf, removeFromFlow, styleOfFlow } from './flow.ts';
import { matchedItems } from './matched-items.ts';
import {
  contentEnd,
  dashOf,
  endOfPair,
  indentOf,
  indicatorOf,
  isAlias,
  isExplicit,
  isFlow,
  isMap,
  isNull,
  isScalar,
  isSeq,
  keyText,
  lastProperty,
  type MapNode,
  type MapPair,
  type Node,
  NotEditable,
  pairOf,
  pairsOf,
  type SeqNode,
  startOf,
} from './nodes.ts';
import { insertedLines, isFirstInLine, lineBreak, lineEnd, lineStart, nextLine, type TextEdit } from './text-edits.ts';
import {
  blockLines,
  type FlowStyle,
  flowText,
  isFilledMapping,
  itemLine,
  type Style,
  scalarText,
  YAML_FLOW,
} from './written.ts';

/** The collection that contains a node; undefined for the root node of the document. */
export type Parent = { readonly map: MapNode; readonly pair: MapPair } | { readonly list: SeqNode } | undefined;

type Fields = Readonly<Record<string, unknown>>;

export class Editing {
  readonly edits: TextEdit[] = [];
  readonly #text: string;
  readonly #style: Style;
  /** The ranges of the original text that edits have replaced. */
  readonly #replaced: { readonly start: number; readonly end: number }[] = [];

  constructor(text: string, style: Style) {
    this.#text = text;
    this.#style = style;
  }

  /** Whether the node that begins at the offset was removed or rewritten. */
  isReplaced(offset: number): boolean {
    return this.#replaced.some(({ start, end }) => start <= offset && offset < end);
  }

  /**
   * Gives a node another value. The method does not change aliases. The anchor of an alias decides whether the alias
   * must be replaced by its value.
   */
  change(node: Node, before: unknown, after: unknown, parent?: Parent): void {
    if (isDeepStrictEqual(before, after) || isAlias(node)) return;
    if (isMap(node) && isObject(before) && isObject(after)) this.#changeMap(node as MapNode, before, after, parent);
    else if (isSeq(node) && Array.isArray(before) && Array.isArray(after))
      this.#changeList(node as SeqNode, before, after, parent);
    else this.#replace(node, after, parent);
  }

  writeOut(node: Node, value: unknown, parent: Parent): void {
    this.#replace(node, value, parent);
  }

  #changeMap(map: MapNode, before: Fields, after: Fields, parent: Parent): void {
    const removed = new Set(Object.keys(before).filter((key) => !Object.hasOwn(after, key)));
    if (!isFilledMapping(after)) {
      this.#empty(map, '{}', parent);
      return;
    }
    const isWhole = pairsOf(map).every(({ key }) => removed.has(keyText(key)));
    if (isWhole && (isFlow(map) || pairsOf(map).length === 0)) {
      this.#replace(map, after, parent);
      return;
    }
    const added: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(after)) {
      const pair = pairOf(map, key);
      // If the mapping has the key only through a merge, the mapping gets a separate key. The separate key overrides
      // the merged key.
      if (!pair) {
        if (!isDeepStrictEqual(before[key], value)) added[key] = value;
      } else if (isNull(pair.value) && value !== null) this.#fill(map, pair, value);
      else if (pair.value) this.change(pair.value, before[key], value, { map, pair });
    }
    this.#remove(map, removed);
    if (Object.keys(added).length > 0) this.#insert(map, added, removed, parent);
  }

  #remove(map: MapNode, keys: ReadonlySet<string>): void {
    const pairs = [...keys].map((key) => pairOf(map, key));
    if (pairs.includes(undefined))
      throw new NotEditable(
        'the field to remove comes from a merge key (<<): first replace the merge key by the merged fields',
      );
    const gone = new Set(pairs as MapPair[]);
    const entries = pairsOf(map).map((pair) => ({ ...endsOf(pair), gone: gone.has(pair) }));
    this.#removeEntries(map, entries);
  }

  /** @param entries all entries of the collection */
  #removeEntries(collection: MapNode | SeqNode, entries: readonly Entry[]): void {
    for (const { start, end, gone } of entries) if (gone) this.#replaced.push({ start, end });
    if (isFlow(collection)) this.edits.push(...removeFromFlow(entries));
    else this.#removeLines(entries);
  }

  /** @param entries the entries of a block collection */
  #removeLines(entries: readonly Entry[]): void {
    const text = this.#text;
    for (const [index, { start, end, gone }] of entries.entries()) {
      if (!gone) continue;
      if (isFirstInLine(text, start)) {
        this.edits.push({ start: lineStart(text, start), end: afterLine(text, end), text: '' });
        continue;
      }
      // The removed entry is the first field of an item, on the same line as the item's dash.
      const next = entries.slice(index + 1).find((one) => !one.gone)?.start;
      const isClose = next !== undefined && text.slice(end, next).trim() === '';
      this.edits.push({ start, end: isClose ? next : lineEnd(text, Math.max(start, end - 1)), text: '' });
    }
  }

  #insert(map: MapNode, fields: Fields, removed: ReadonlySet<string>, parent: Parent): void {
    const kept = pairsOf(map).filter(({ key }) => !removed.has(keyText(key)));
    if (isFlow(map)) {
      const last = kept.at(-1);
      if (!last) throw new NotEditable('a mapping without a field');
      this.edits.push(...appendToFlow(this.#text, map, endsOf(last), Object.entries(fields)));
      return;
    }
    const lines = blockLines(fields, indentOf(map), this.#style);
    const text = this.#text;
    const oneLine = pairsOf(map).findLast((pair) => this.#isOneLine(pair));
    const first = pairsOf(map)[0];
    const last = pairsOf(map).at(-1);
    if (!first || !last) throw new NotEditable('a mapping without a field');
    if (oneLine) this.edits.push(insertedLines(text, endOfPair(oneLine), lines));
    else if (isFirstInLine(text, startOf(first.key)) && !isExplicit(first)) {
      // The new lines go above the comments that precede the first field.
      const above =
        parent && 'pair' in parent ? nextLine(text, endOfKey(parent.pair)) : lineStart(text, startOf(first.key));
      this.edits.push({ start: above, end: above, text: lines.map((line) => line + lineBreak(text, above)).join('') });
    } else if (
      text[endOfPair(last) - 1] !== '\n' &&
      isBlockScalar(last.value) &&
      nextLine(text, endOfPair(last)) === text.length
    ) {
      // The last value may be a block scalar without a line break at its end. A line break after this scalar would
      // become part of the scalar's text.
      const begin = startOf(first.key);
      const indent = ' '.repeat(indentOf(map));
      const end = lineBreak(text, begin);
      this.edits.push({
        start: begin,
        end: begin,
        text:
          lines
            .map((line) => `${line}${end}`)
            .join('')
            .trimStart() + indent,
      });
    } else this.edits.push(insertedLines(text, endOfPair(last), lines));
  }

  #isOneLine(pair: MapPair): boolean {
    if (isExplicit(pair) || isBlockScalar(pair.value)) return false;
    return !this.#text.slice(startOf(pair.key), endOfPair(pair)).includes('\n');
  }

  /** Writes the value of a key. Before the edit, the value is missing or null. */
  #fill(map: MapNode, pair: MapPair, value: unknown): void {
    const end = endOfKey(pair);
    const { value: node } = pair;
    const old = node?.range && node.range[0] < node.range[1] ? node : undefined;
    if (old) this.#replace(old, value, { map, pair });
    else if (isFlow(map) || !isFilledMapping(value)) {
      const begin = indicatorOf(pair) === undefined ? ': ' : ' ';
      this.edits.push({
        start: end,
        end,
        text: begin + flowText(value, isFlow(map) ? styleOfFlow(this.#text, map) : YAML_FLOW),
      });
    } else this.#write(end, value, map);
  }

  /** Writes the lines of a value below the line of its key. */
  #write(below: number, value: Fields | readonly unknown[], map: MapNode): void {
    const indent = indentOf(map);
    const lines = isList(value)
      ? value.map((item) => itemLine(item, indent + this.#style.listStep))
      : blockLines(value, indent + this.#style.step, this.#style);
    this.edits.push(insertedLines(this.#text, below, lines));
  }

  #replace(node: Node, value: unknown, parent: Parent): void {
    const [start, end] = [startOf(node), contentEnd(node)];
    const text = this.#text;
    if (isBlockScalar(node)) throw new NotEditable('the value to replace is a block scalar');
    const around = parent && ('map' in parent ? parent.map : parent.list);
    const isInFlow = isFlow(around) || (isFlow(node) && !parent);
    const isBlock = !isFlow(node) && (isMap(node) || isSeq(node));
    if (isBlock) throw new NotEditable('the value to replace is a mapping or a list in block style');
    if (!isScalar(node) || typeof value === 'object') this.#replaced.push({ start, end });
    const isLong = isFilledMapping(value) || (Array.isArray(value) && value.length > 0);
    if (isLong && !isInFlow && parent && 'pair' in parent && !text.slice(start, end).includes('\n')) {
      const before = text.slice(0, start).trimEnd().length;
      this.edits.push({ start: before, end, text: '' });
      this.#write(end, value as Fields, parent.map);
      return;
    }
    const quotes = isScalar(node) ? node.srcToken?.type : undefined;
    const style: FlowStyle =
      isInFlow && around ? styleOfFlow(text, around) : isFlow(node) ? styleOfFlow(text, node as MapNode) : YAML_FLOW;
    const json = style.json ? 'double-quoted-scalar' : quotes;
    this.edits.push({ start, end, text: typeof value === 'object' ? flowText(value, style) : scalarText(value, json) });
  }

  /** @param brackets the brackets of the empty collection, `{}` or `[]` */
  #empty(node: MapNode | SeqNode, brackets: string, parent: Parent): void {
    const [start, end] = [startOf(node), contentEnd(node)];
    this.#replaced.push({ start, end });
    if (!isFlow(node) && parent && 'pair' in parent && isFirstInLine(this.#text, start)) {
      const at = endOfKey(parent.pair);
      this.edits.push({ start: at, end: at, text: ` ${brackets}` });
      this.edits.push({ start: lineStart(this.#text, start), end: afterLine(this.#text, end), text: '' });
    } else this.edits.push({ start, end, text: brackets });
  }

  #changeList(list: SeqNode, before: readonly unknown[], after: readonly unknown[], parent: Parent): void {
    const items = list.items as readonly Node[];
    if (after.length === 0) {
      this.#empty(list, '[]', parent);
      return;
    }
    if (items.length === 0) {
      this.#replace(list, after, parent);
      return;
    }
    const { kept, added } = matchedItems(before, after);
    for (const [index, value] of kept) {
      const item = items[index];
      if (!item) throw new NotEditable('a list has items without a position');
      this.change(item, before[index], value, { list });
    }
    const entries = items.map((item, index) => ({
      start: isFlow(list) ? startOf(item) : dashOf(list, index),
      end: contentEnd(item),
      gone: !kept.has(index),
    }));
    this.#removeEntries(list, entries);
    const last = entries.findLast(({ gone }) => !gone);
    if (added.length === 0) return;
    if (!last) throw new NotEditable('a list has no item');
    if (isFlow(list)) this.edits.push(...appendToFlow(this.#text, list, last, added));
    else {
      const column = last.start - lineStart(this.#text, last.start);
      this.edits.push(
        insertedLines(
          this.#text,
          last.end,
          added.map((item) => itemLine(item, column)),
        ),
      );
    }
  }
}

function isList(value: Fields | readonly unknown[]): value is readonly unknown[] {
  return Array.isArray(value);
}

/** The offset after the key's colon. An anchor or a tag that follows the colon is skipped, too. */
function endOfKey(pair: MapPair): number {
  const indicator = indicatorOf(pair);
  return lastProperty(pair) ?? (indicator === undefined ? contentEnd(pair.key) : indicator + 1);
}

function isBlockScalar(node: Node | null): boolean {
  return isScalar(node) && node.srcToken?.type === 'block-scalar';
}

/**
 * The beginning of the line after an entry. The end of a block scalar is after its line break, so the end is already
 * the beginning of the next line.
 */
function afterLine(text: string, end: number): number {
  return text[end - 1] === '\n' ? end : nextLine(text, end);
}
