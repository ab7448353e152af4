/**
 * Edits the text of a YAML or JSON document to give the document a new value. The edits are as small as possible.
 * Everything else stays unchanged: comments, quotes, the order of keys, and line breaks.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Document, isCollection, isPair, parseDocument as parse } from 'yaml';
import { valueAt } from '../../operator/model/raw.ts';
import { parseDocument } from '../manifests/document.ts';
import { mayMerge } from '../manifests/merge-keys.ts';
import { Editing, type Parent } from './editing.ts';
import {
  indentOf,
  isAlias,
  isFlow,
  isMap,
  isMerge,
  isSeq,
  keyText,
  type MapNode,
  type Node,
  NotEditable,
  type Path,
  pairsOf,
  type SeqNode,
  startOf,
} from './nodes.ts';
import { type TextEdit, withEdits } from './text-edits.ts';
import type { Style } from './written.ts';

export type Edited =
  | {
      readonly text: string;
      /**
       * The aliases, such as `*name`, that the edit replaced by their values. An alias is replaced if its anchor got
       * another value or was removed.
       */
      readonly writtenOut: readonly string[];
    }
  | { readonly refused: string };

/**
 * @param text the text of one document
 * @param before the document's value, as `analysis/manifests/document.ts` reads it
 */
export function editedDocument(text: string, before: unknown, after: unknown): Edited {
  try {
    const { edits, writtenOut } = editsFor(text, before, after);
    const edited = withEdits(text, edits);
    return isDeepStrictEqual(parseDocument(edited, 1)?.value, after)
      ? { text: edited, writtenOut }
      : { refused: mayMerge(text) ? OVERRIDDEN : NOT_UNDERSTOOD };
  } catch (error) {
    if (error instanceof NotEditable) return { refused: error.message };
    return { refused: NOT_UNDERSTOOD };
  }
}

const OVERRIDDEN = 'a merge key (<<) may override the field: write the merge key above the other fields';
const NOT_UNDERSTOOD = 'the document has a form that cannot be edited without changing other values';

function editsFor(text: string, before: unknown, after: unknown) {
  const document = parse(text, {
    keepSourceTokens: true,
    strict: false,
    uniqueKeys: false,
    version: '1.1',
    merge: true,
    logLevel: 'silent',
  }) as unknown as Document<Node>;
  const { contents } = document;
  if (!contents) throw new NotEditable(NOT_UNDERSTOOD);
  const editing = new Editing(text, styleOf(contents));
  editing.change(contents, before, after);
  const aliases = aliasesIn(contents, []);
  const writtenOut = new Set<string>();
  for (const { node, path, merging, parent } of aliases) {
    const name = `*${node.source}`;
    if (editing.isReplaced(startOf(node))) {
      writtenOut.add(name);
      continue;
    }
    const source = node.resolve(document as never) as Node | undefined;
    const at = source && pathOf(contents, source, []);
    if (!at) throw new NotEditable(NOT_UNDERSTOOD);
    const isGone = editing.isReplaced(startOf(source)) || valueAt(after, at) === undefined;
    if (merging) {
      if (isGone || !isDeepStrictEqual(valueAt(after, at), valueAt(before, at)))
        throw new NotEditable(
          `"<<: ${name}" merges the value to change into another mapping: copy the value in place of the merge key`,
        );
      continue;
    }
    const wanted = valueAt(after, path);
    if (!isGone && isDeepStrictEqual(valueAt(after, at), wanted)) continue;
    editing.writeOut(node, wanted, parent);
    writtenOut.add(name);
  }
  return { edits: editing.edits as readonly TextEdit[], writtenOut: [...writtenOut].sort() };
}

interface FoundAlias {
  readonly node: Node & { source: string; resolve(document: never): unknown };
  readonly path: Path;
  readonly merging: boolean;
  readonly parent: Parent;
}

function aliasesIn(node: Node | null, path: Path, merging = false, parent: Parent = undefined): FoundAlias[] {
  if (isAlias(node)) return [{ node: node as unknown as FoundAlias['node'], path, merging, parent }];
  return childrenOf(node).flatMap(({ child, step, merge, parent: inside }) =>
    aliasesIn(child, [...path, step], merging || merge, inside),
  );
}

function pathOf(node: Node | null, wanted: Node, path: Path): Path | undefined {
  if (node === wanted) return path;
  for (const { child, step } of childrenOf(node)) {
    const found = pathOf(child, wanted, [...path, step]);
    if (found) return found;
  }
  return undefined;
}

interface Child {
  readonly child: Node | null;
  readonly step: string | number;
  readonly merge: boolean;
  readonly parent: Parent;
}

function childrenOf(node: Node | null): Child[] {
  if (isMap(node)) {
    const map = node as MapNode;
    return pairsOf(map).map((pair) => ({
      child: pair.value,
      step: keyText(pair.key),
      merge: isMerge(pair),
      parent: { map, pair },
    }));
  }
  if (!isSeq(node)) return [];
  const list = node as SeqNode;
  return list.items.map((child, step) => ({ child, step, merge: false, parent: { list } }));
}

/** The indentation that most collections of the document use. */
function styleOf(contents: Node): Style {
  const steps: number[] = [];
  const listSteps: number[] = [];
  const visit = (node: Node | null): void => {
    if (!isCollection(node)) return;
    for (const item of node.items) {
      const child = (isPair(item) ? item.value : item) as Node | null;
      if (isPair(item) && !isFlow(node as Node) && child && !isFlow(child)) {
        if (isMap(child)) steps.push(indentOf(child as MapNode) - indentOf(node as MapNode));
        if (isSeq(child)) listSteps.push(indentOf(child as never) - indentOf(node as MapNode));
      }
      visit(child);
    }
  };
  visit(contents);
  return { step: mostCommon(steps.filter((step) => step > 0)) ?? 2, listStep: mostCommon(listSteps) ?? 2 };
}

function mostCommon(numbers: readonly number[]): number | undefined {
  const counts = Map.groupBy(numbers, (number) => number);
  return [...counts].toSorted(([, a], [, b]) => b.length - a.length)[0]?.[0];
}
