/**
 * Finds the position of the cursor in a YAML text that the user is typing. The position has the path and the word at
 * the cursor. The path follows from the indentation. The code does not use a YAML parser, because a parser would fail
 * on an incomplete text.
 */

/** A path in a YAML document. Each step is a key of a mapping, or 0 for any item of a list. */
export type YamlPath = readonly (string | 0)[];

export interface Cursor {
  /** The path of the mapping or list around the word. */
  readonly around: YamlPath;
  /** Whether the word is a key or a value. An item of a list counts as a value. */
  readonly writes: 'key' | 'value';
  /** The offset at which the word begins. */
  readonly from: number;
  /** The other keys of the mapping, without the key at the cursor. */
  readonly siblings: readonly string[];
  /**
   * The apiVersion and kind of the object that contains the cursor, such as `v1 Pod`. If the object has no apiVersion
   * or kind, the value is undefined.
   */
  readonly type: string | undefined;
}

interface Token {
  readonly column: number;
  /** The key. If the token is the dash of a list item, the value is undefined. */
  readonly key?: string;
}

const WORD = /[\w.*/-]*$/;
const KEY = /^(?:"([^"]*)"|'([^']*)'|([^\s"'{}[\],#&*!|>][^:{}[\],#]*?))\s*:(?=\s|$)/;
const BOUNDARY = /^(?:---|\.\.\.)/;

/** @returns undefined if the cursor is in a comment */
export function cursorAt(text: string, offset: number): Cursor | undefined {
  const lines = text.slice(0, offset).split('\n');
  const current = lines.pop() ?? '';
  if (/(?:^|\s)#/.test(current)) return undefined;
  const after = text.slice(offset).split('\n');
  const [rest = ''] = after.splice(0, 1);
  const begin = lines.findLastIndex((line) => BOUNDARY.test(line)) + 1;
  const end = after.findIndex((line) => BOUNDARY.test(line));
  const before = lines.slice(begin);
  const below = end === -1 ? after : after.slice(0, end);
  const type = typeOf([...before, current + rest, ...below]);
  const word = WORD.exec(current)?.[0] ?? '';
  const from = offset - word.length;
  const [head, flow] = splitFlow(current.slice(0, current.length - word.length));
  const { tokens, rest: tail } = tokensIn(head);
  const last = tokens.at(-1);
  // A value either follows its key, or is a list item on its own line.
  const hasKey = last?.key !== undefined;
  const column = last === undefined ? head.length : hasKey ? last.column : head.length;
  const parents = pathTo(before, tokens[0]?.column ?? column, tokens[0] !== undefined && tokens[0].key === undefined);
  const own = [...parents, ...tokens.map(({ key }) => key ?? 0)];
  if (flow !== undefined) return inFlow(flow, own, { from, type });
  if (tail.trim() !== '') return undefined;
  if (hasKey) return { around: own, writes: 'value', from, siblings: [], type };
  const siblings = [...siblingsIn(before.toReversed(), column), ...siblingsIn(below, column)];
  // A list item that has just begun may become a mapping or a scalar.
  return { around: own, writes: 'key', from, siblings, type };
}

/**
 * Splits a line in which the user is writing a flow collection. The result has the text before the first bracket, and
 * the text from the first bracket to the end.
 */
function splitFlow(line: string): readonly [string, string | undefined] {
  const at = line.search(/[[{]/);
  return at === -1 ? [line, undefined] : [line.slice(0, at), line.slice(at)];
}

function inFlow(flow: string, around: YamlPath, rest: Pick<Cursor, 'from' | 'type'>): Cursor | undefined {
  const stack: { readonly open: string; key: string | undefined; readonly keys: string[] }[] = [];
  let word = '';
  for (const character of flow) {
    const top = stack.at(-1);
    if (character === '{' || character === '[') {
      stack.push({ open: character, key: undefined, keys: [] });
      word = '';
    } else if (character === '}' || character === ']') stack.pop();
    else if (top && character === ',') {
      top.key = undefined;
      word = '';
    } else if (top && character === ':') {
      top.key = word.trim().replaceAll(/^["']|["']$/g, '');
      top.keys.push(top.key);
      word = '';
    } else word += character;
  }
  const top = stack.at(-1);
  if (!top) return undefined;
  const path = [...around, ...stack.slice(0, -1).map(({ open, key }) => (open === '[' ? 0 : (key ?? '')))];
  if (top.open === '[') return { around: [...path, 0], writes: 'value', siblings: [], ...rest };
  if (top.key !== undefined) return { around: [...path, top.key], writes: 'value', siblings: [], ...rest };
  return { around: path, writes: 'key', siblings: top.keys, ...rest };
}

/** Splits the beginning of a line into its dashes and its key. `rest` is the text after the key. */
function tokensIn(line: string): { readonly tokens: readonly Token[]; readonly rest: string } {
  const tokens: Token[] = [];
  let column = /^ */.exec(line)?.[0].length ?? 0;
  while (/^-(?:\s|$)/.test(line.slice(column))) {
    tokens.push({ column });
    column += 1 + (/^ */.exec(line.slice(column + 1))?.[0].length ?? 0);
  }
  const found = KEY.exec(line.slice(column));
  if (!found) return { tokens, rest: line.slice(column) };
  tokens.push({ column, key: found[1] ?? found[2] ?? found[3] ?? '' });
  return { tokens, rest: line.slice(column + found[0].length) };
}

/** @param isItem whether the column has a dash. The dash may be in the same column as the key of its list */
function pathTo(before: readonly string[], column: number, isItem: boolean): YamlPath {
  const path: (string | 0)[] = [];
  let [limit, below] = [column, isItem];
  for (const line of before.toReversed()) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    for (const token of tokensIn(line).tokens.toReversed()) {
      const isParent = token.column < limit || (below && token.key !== undefined && token.column === limit);
      if (!isParent) continue;
      path.unshift(token.key ?? 0);
      [limit, below] = [token.column, token.key === undefined];
    }
    if (limit === 0 && !below) break;
  }
  return path;
}

/** The keys of the mapping in the given column, up to the end of the mapping. */
function siblingsIn(lines: readonly string[], column: number): string[] {
  const keys: string[] = [];
  for (const line of lines) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const { tokens } = tokensIn(line);
    const own = tokens.find((token) => token.column === column && token.key !== undefined);
    if (own?.key !== undefined) keys.push(own.key);
    if ((tokens[0]?.column ?? 0) < column) break;
  }
  return keys;
}

function typeOf(lines: readonly string[]): string | undefined {
  const stated = (key: string) =>
    lines
      .map((line) => new RegExp(`^${key}:\\s*["']?([\\w./-]+)`).exec(line)?.[1])
      .find((value) => value !== undefined);
  const [apiVersion, kind] = [stated('apiVersion'), stated('kind')];
  return apiVersion === undefined || kind === undefined ? undefined : `${apiVersion} ${kind}`;
}
