/**
 * The functions that cel-js lacks, or computes differently from cel-go. test/differential/cel-functions.test.ts compares
 * each function with a real API server.
 */

type Compute = (text: string, ...rest: never[]) => unknown;

/**
 * The functions of cel-go ext/strings.go that differ from cel-js, as methods of a string. JavaScript counts UTF-16
 * units, but some of these functions count code points. The other functions change only ASCII characters. For `size`,
 * `startsWith`, `endsWith`, `contains`, `join` and `==`, cel-js itself gives the same results as cel-go.
 */
export const STRING_FUNCTIONS: Readonly<Record<string, Compute>> = {
  'lowerAscii(): string': (text) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()),
  'upperAscii(): string': (text) => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase()),
  'indexOf(string): int': (text, search: string) => BigInt(pointsBefore(text, text.indexOf(search))),
  'substring(int): string': (text, start: bigint) => substring(text, start),
  'substring(int, int): string': (text, start: bigint, end: bigint) => substring(text, start, end),
  'replace(string, string): string': (text, old: string, by: string) =>
    old === '' ? by + [...text].map((point) => point + by).join('') : text.replaceAll(old, () => by),
  // RE2 counts code points, so the expression needs the flag `u`.
  'matches(string): bool': (text, pattern: string) => expression(pattern, 'u').test(text),
  'findAll(string): list<string>': (text, pattern: string) => text.match(expression(pattern, 'gu')) ?? [],
  'split(string): list<string>': (text, separator: string) => (separator === '' ? [...text] : text.split(separator)),
};

/** The names of the string functions above. */
export const REPLACED: ReadonlySet<string> = new Set(
  Object.keys(STRING_FUNCTIONS).map((signature) => signature.slice(0, signature.indexOf('('))),
);

/**
 * The prefix of the string functions above, because a caller cannot replace a function of cel-js. Engines rewrite
 * expressions to call the prefixed function.
 */
export const OWN = 'asApiServer_';

/** The string functions above that cel-js lacks. cel-js has other functions with the names of the rest. */
export const LACKING = ['replace(string, string): string', 'findAll(string): list<string>'];

/** The functions of cel-go ext/sets.go. cel-js lacks them. An item is a string, an int or a bool. */
export const SETS: Readonly<Record<string, (a: readonly unknown[], b: readonly unknown[]) => boolean>> = {
  contains: includesAll,
  equivalent: (a, b) => includesAll(a, b) && includesAll(b, a),
  intersects: (a, b) => {
    const items = setOf(a);
    return setOf(b)
      .values()
      .some((item) => items.has(item));
  },
};

function includesAll(list: readonly unknown[], sublist: readonly unknown[]): boolean {
  const items = setOf(list);
  return setOf(sublist).isSubsetOf(items);
}

function setOf(items: readonly unknown[]): ReadonlySet<unknown> {
  for (const item of items) {
    if (typeof item !== 'string' && typeof item !== 'bigint' && typeof item !== 'boolean')
      throw new Error(`sets: an item is no string, no int and no bool: ${item}`);
  }
  return new Set(items);
}

/** Supports the part of RE2's syntax that the rules and programs use. */
function expression(pattern: string, flags: string): RegExp {
  return new RegExp(pattern.replaceAll('\\x{', '\\u{'), flags);
}

/** @returns the number of code points before the UTF-16 unit at this index. For the index -1, the result is -1 */
function pointsBefore(text: string, unit: number): number {
  return unit === -1 ? -1 : [...text.slice(0, unit)].length;
}

function substring(text: string, start: bigint, end?: bigint): string {
  const points = [...text];
  const [from, to] = [Number(start), end === undefined ? points.length : Number(end)];
  if (from < 0 || to > points.length || from > to)
    throw new Error(`substring: index out of range in a text of ${points.length}`);
  return points.slice(from, to).join('');
}
