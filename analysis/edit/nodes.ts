/** Finds the positions of nodes in the text of a YAML document. The document must be parsed with its source tokens. */
import {
  type CST,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';

export type Path = readonly (string | number)[];
export type MapPair = Pair<Node, Node | null>;
export type MapNode = YAMLMap<Node, Node | null>;
export type SeqNode = YAMLSeq<Node>;
export type { Node };
export { isAlias, isMap, isScalar, isSeq };

/**
 * Thrown for a YAML or JSON document that the editor does not understand. The editor does not change the text of such a
 * document.
 */
export class NotEditable extends Error {}

export function pairsOf(map: MapNode): readonly MapPair[] {
  return map.items;
}

/**
 * The pair with the given key. The result is undefined if the mapping lacks the key, or has the key only through a
 * merge key.
 */
export function pairOf(map: MapNode, key: string): MapPair | undefined {
  return pairsOf(map).find((pair) => isScalar(pair.key) && !isMerge(pair) && keyText(pair.key) === key);
}

/** Whether the pair is a merge key, such as `<<: *defaults`. */
export function isMerge({ key }: MapPair): boolean {
  return isScalar(key) && (key as Scalar & { source?: string }).source === '<<';
}

export function keyText(key: Node): string {
  return isScalar(key) ? (key.source ?? String(key.value)) : '';
}

export function isFlow(node: Node | null | undefined): boolean {
  return isCollection(node) && node.srcToken?.type === 'flow-collection';
}

/** The offset at which a node begins, including its anchor and its tag. */
export function startOf(node: Node): number {
  if (!node.range) throw new NotEditable('a node without a position');
  return node.range[0];
}

/**
 * The offset at which a node ends, without the comments after the node. The end of a block scalar is after the scalar's
 * line break.
 */
export function contentEnd(node: Node): number {
  if (isFlow(node) || !isCollection(node)) {
    if (!node.range) throw new NotEditable('a node without a position');
    return node.range[1];
  }
  const last = node.items.at(-1);
  if (isPair(last)) return endOfPair(last as unknown as MapPair);
  if (!last) throw new NotEditable('a list has no item');
  return isEmpty(last as Node) ? dashOf(node as SeqNode, node.items.length - 1) + 1 : contentEnd(last as Node);
}

export function endOfPair(pair: MapPair): number {
  const { key, value } = pair;
  if (value && !isEmpty(value)) return contentEnd(value);
  const indicator = indicatorOf(pair);
  return indicator === undefined ? contentEnd(key) : (lastProperty(pair) ?? indicator + 1);
}

/** Whether the node is the empty value of a key, such as `key:`. */
function isEmpty(node: Node): boolean {
  return isScalar(node) && node.range !== null && node.range !== undefined && node.range[0] === node.range[1];
}

export function isNull(node: Node | null): boolean {
  return node === null || (isScalar(node) && node.value === null);
}

/** The offset of the colon after a key; undefined for a key without a colon. */
export function indicatorOf({ srcToken }: MapPair): number | undefined {
  return tokensOf(srcToken?.sep).find(({ type }) => type === 'map-value-ind')?.offset;
}

/** The offset at which the anchor or the tag after the colon ends. */
export function lastProperty({ srcToken }: MapPair): number | undefined {
  const token = tokensOf(srcToken?.sep).findLast(({ type }) => type === 'anchor' || type === 'tag');
  return token && token.offset + token.source.length;
}

/** Whether the key is written with a question mark, such as `? key`. */
export function isExplicit({ srcToken }: MapPair): boolean {
  return tokensOf(srcToken?.start).some(({ type }) => type === 'explicit-key-ind');
}

/** The offset of an item's dash in a list in block style. */
export function dashOf(list: SeqNode, index: number): number {
  const { srcToken } = list;
  const item = srcToken && 'items' in srcToken ? srcToken.items[index] : undefined;
  const dash = tokensOf(item?.start).find(({ type }) => type === 'seq-item-ind');
  if (!dash) throw new NotEditable('a list has an unknown form');
  return dash.offset;
}

/** The number of columns by which a collection in block style is indented. */
export function indentOf(node: MapNode | SeqNode): number {
  const { srcToken } = node;
  if (!srcToken || !('indent' in srcToken)) throw new NotEditable('a collection without a position');
  return srcToken.indent;
}

/**
 * The offset of the comma after the last item of a flow collection. The result is undefined if no comma follows the
 * last item.
 */
export function trailingComma(node: MapNode | SeqNode): number | undefined {
  const { srcToken } = node;
  if (srcToken?.type !== 'flow-collection') return undefined;
  const last = srcToken.items.at(-1);
  if (!last || last.key || last.value) return undefined;
  return tokensOf(last.start).find(({ type }) => type === 'comma')?.offset;
}

function tokensOf(tokens: readonly CST.SourceToken[] | undefined): readonly CST.SourceToken[] {
  return tokens ?? [];
}
