/** Random expressions, and random values of the names that they read. */
import fc from 'fast-check';
import {
  and,
  type Binary,
  binary,
  bool,
  bytes,
  call,
  conditional,
  double,
  type Expression,
  has,
  identifier,
  index,
  int,
  list,
  MACROS,
  macro,
  map,
  method,
  NULL,
  negate,
  not,
  OPERATORS,
  or,
  select,
  string,
  uint,
} from '../../../engine/cel/expression.ts';
import { Random } from '../../support/random.ts';

/** The types of the names that typed expressions read. */
export const DECLARATIONS = {
  b: 'bool',
  n: 'int',
  s: 'string',
  t: 'string',
  xs: 'list(string)',
  ns: 'list(int)',
  m: 'map(string, string)',
  c: 'dyn',
};

/** Characters that printers, parsers or servers treat differently. */
const LETTERS = [
  ...'aZ_09 "\'`\\?\n\r\t\0\x07\x1f\x7f\x85\xa0\u200b\u202e\u2028\ufeff\ufffeßéİ日𝔘😀\ue000\uffff\u{10ffff}$/',
];
export const TEXT = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('', 'a', 'ab', 'NET_RAW') },
  { weight: 1, arbitrary: fc.array(fc.constantFrom(...LETTERS), { maxLength: 6 }).map((letters) => letters.join('')) },
);
const TEXTS = fc.array(TEXT, { maxLength: 3 });
const INT = fc.bigInt({ min: -3n, max: 3n });
const FIELDS = ['f', 'g', 'namespace', 'type'];
const NAMES = ['b', 'n', 's', 'xs', 'c', 'r', 'x', 'x1', 'u8'];

/** Values of the names. */
export const CONTEXT = fc.record({
  b: fc.boolean(),
  n: INT,
  s: TEXT,
  t: TEXT,
  xs: TEXTS,
  ns: fc.array(INT, { maxLength: 3 }),
  m: fc.dictionary(fc.constantFrom('a', 'ab', 'f'), TEXT),
  c: fc.record(
    { f: fc.boolean(), g: fc.record({ f: fc.boolean(), g: TEXTS }, { requiredKeys: [] }) },
    { requiredKeys: [] },
  ),
});
export type Context = typeof CONTEXT extends fc.Arbitrary<infer One> ? One : never;

/** The literal for a value of a name. */
export function literalOf(value: unknown): Expression {
  if (Array.isArray(value)) return list(value.map(literalOf));
  if (typeof value === 'boolean') return bool(value);
  if (typeof value === 'bigint') return int(value);
  if (typeof value === 'string') return string(value);
  return map(Object.entries(value as object).map(([key, one]) => [string(key), literalOf(one)] as const));
}

/** Expressions of any shape, with or without sense. */
export const ANY_EXPRESSION = grown((g, depth) => anyExpression(g, depth));
/** Expressions of type bool that type-check. They may fail: they divide, and read items and fields that may be missing. */
export const CONDITION = grown((g, depth) => typed(g, 'bool', depth, DECLARATIONS));

/** A whole tree grows from one seed: fast-check's own generators take too long for each of its nodes. */
function grown(make: (g: Generator, depth: number) => Expression): fc.Arbitrary<Expression> {
  const seed = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  return fc.tuple(fc.nat({ max: 4 }), seed).map(([depth, one]) => make(new Generator(one), depth));
}

class Generator {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /** A number from 0 to `most`. */
  nat(most: number): number {
    return this.#random.int(most + 1);
  }

  one<Item>(...items: readonly Item[]): Item {
    return items[this.nat(items.length - 1)] as Item;
  }

  many<Item>(most: number, make: () => Item): Item[] {
    return Array.from({ length: this.nat(most) }, make);
  }

  bits(): bigint {
    return BigInt.asUintN(64, (BigInt(this.nat(2 ** 32 - 1)) << 32n) | BigInt(this.nat(2 ** 32 - 1)));
  }

  int(): bigint {
    return BigInt(this.nat(6) - 3);
  }

  double(): number {
    const bits = new DataView(new ArrayBuffer(8));
    bits.setBigUint64(0, this.bits());
    const found = this.one(bits.getFloat64(0), this.nat(20) / 4, -this.nat(3));
    return Number.isFinite(found) ? found : 0;
  }

  text(): string {
    if (this.nat(3) > 0) return this.one('', 'a', 'ab', 'NET_RAW');
    return this.many(6, () => this.one(this.one(...LETTERS), String.fromCodePoint(this.nat(0x10ffff))))
      .join('')
      .toWellFormed();
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.many(4, () => this.nat(255)));
  }
}

function anyExpression(g: Generator, depth: number): Expression {
  const one = () => anyExpression(g, depth - 1);
  const many = (least: number) => Array.from({ length: g.nat(2) + least }, one);
  const leaves = [
    () => identifier(g.one(...NAMES)),
    () => int(BigInt.asIntN(64, g.bits())),
    () => int(g.int()),
    () => uint(g.bits()),
    () => double(g.double()),
    () => string(g.text()),
    () => bytes(g.bytes()),
    () => bool(g.one(true, false)),
    () => NULL,
  ];
  const inner = [
    () => select(one(), g.one(...FIELDS), { optional: g.one(true, false) }),
    () => index(one(), one(), { optional: g.one(true, false) }),
    () => has(one(), g.one(...FIELDS)),
    () => call(g.one('size', 'dyn', 'sets.contains', 'optional.none'), ...many(0)),
    () => method(one(), g.one('size', 'orValue', 'namespace', 'f'), ...many(0)),
    () => macro(g.one(...MACROS), one(), g.one(...NAMES), one()),
    () => macro('map', one(), g.one(...NAMES), one(), one()),
    () => list(many(0)),
    () => map(Array.from({ length: g.nat(2) }, () => [one(), one()] as const)),
    () => not(one()),
    () => negate(one()),
    () => and(...many(2)),
    () => or(...many(2)),
    ...[1, 2, 3, 4].map(() => () => binary(one(), g.one(...OPERATORS), one())),
    () => conditional(one(), one(), one()),
  ];
  return chosen(g, depth <= 0 ? leaves : [...leaves.slice(0, 4), ...inner]);
}

type Type = 'bool' | 'int' | 'string' | 'list(string)' | 'list(int)';
type Scope = Readonly<Record<string, string>>;

function typed(g: Generator, type: Type, depth: number, scope: Scope): Expression {
  const of = (one: Type, inner = scope) => typed(g, one, depth - 1, inner);
  const names = Object.keys(scope).filter((name) => scope[name] === type);
  const read = names.length > 0 ? [() => identifier(g.one(...names))] : [];
  if (depth <= 0) return chosen(g, [...read, ...read, LITERALS[type](g)]);
  const conditionals = () => conditional(of('bool'), of(type), of(type));
  return chosen(g, [...read, LITERALS[type](g), conditionals, ...FORMS[type](g, of, scope)]);
}

type Of = (type: Type, scope?: Scope) => Expression;
type Make = () => Expression;

const LITERALS: Readonly<Record<Type, (g: Generator) => Make>> = {
  bool: (g) => () => bool(g.one(true, false)),
  int: (g) => () => int(g.int()),
  string: (g) => () => string(g.text()),
  'list(string)': (g) => () => list(g.many(3, () => string(g.text()))),
  'list(int)': (g) => () => list(g.many(2, () => int(g.int()))),
};

const FORMS: Readonly<Record<Type, (g: Generator, of: Of, scope: Scope) => Make[]>> = {
  bool: (g, of, scope) => {
    const item = g.one('string' as const, 'int' as const);
    const items = `list(${item})` as const;
    const comparable = g.one('bool' as const, 'int' as const, 'string' as const, 'list(string)' as const);
    const compared = (type: Type, ...operators: Binary['operator'][]) =>
      binary(of(type), g.one(...operators), of(type));
    return [
      () => and(of('bool'), of('bool'), ...(g.one(true, false) ? [of('bool')] : [])),
      () => or(of('bool'), of('bool'), ...(g.one(true, false) ? [of('bool')] : [])),
      () => not(of('bool')),
      () => not(of('bool')),
      () => compared(comparable, '==', '!='),
      () => compared('int', '<', '<=', '>', '>='),
      () => binary(double(g.double()), g.one('==', '<', '>='), double(g.double())),
      () => binary(bytes(g.bytes()), '==', bytes(g.bytes())),
      () => binary(of(item), 'in', of(items)),
      () => binary(of('string'), 'in', identifier('m')),
      () => has(identifier('m'), 'f'),
      () => has(index(list([identifier('c')]), int(0)), 'f'),
      () => select(identifier('c'), 'f'),
      () =>
        method(
          select(select(identifier('c'), 'g', { optional: true }), 'f', { optional: true }),
          'orValue',
          of('bool'),
        ),
      () => method(of('string'), g.one('startsWith', 'endsWith', 'contains'), of('string')),
      () => call(g.one('sets.contains', 'sets.intersects'), of(items), of(items)),
      () => quantified(g, of, scope, items, item),
      () => quantified(g, of, scope, items, item),
    ];
  },
  int: (g, of) => [
    () => binary(of('int'), g.one('+', '-', '*', '/', '%'), of('int')),
    // cel-go takes the negation of a value of unknown type, such as `[][0]`, for a double.
    () => negate(binary(of('int'), '+', int(g.int()))),
    () => method(of('list(string)'), 'size'),
    () => call('size', of('string')),
    () => index(of('list(int)'), of('int')),
  ],
  string: (g, of) => [
    () => binary(of('string'), '+', of('string')),
    () => index(of('list(string)'), of('int')),
    () => method(of('list(string)'), 'join', of('string')),
    () => method(of('string'), g.one('lowerAscii', 'upperAscii')),
    () => method(index(identifier('m'), of('string'), { optional: true }), 'orValue', of('string')),
    () => select(identifier('m'), 'f'),
  ],
  'list(string)': (g, of, scope) => [
    () => binary(of('list(string)'), '+', of('list(string)')),
    () => list([of('string')]),
    () => filtered(g, of, scope, 'list(string)', 'string'),
    () => mapped(g, of, scope, 'list(int)', 'int', 'string'),
  ],
  'list(int)': (g, of, scope) => [
    () => list([of('int'), of('int')]),
    () => filtered(g, of, scope, 'list(int)', 'int'),
    () => mapped(g, of, scope, 'list(string)', 'string', 'int'),
  ],
};

/** The variables of macros. Some of them hide names outside of the macro, or the variables of other macros. */
const BOUND = ['x', 'x1', 's', 'n', 'xs'];

function bound(g: Generator, scope: Scope, type: Type): { readonly variable: string; readonly inner: Scope } {
  const variable = g.one(...BOUND);
  return { variable, inner: { ...scope, [variable]: type } };
}

function quantified(g: Generator, of: Of, scope: Scope, range: Type, item: Type): Expression {
  const { variable, inner } = bound(g, scope, item);
  return macro(g.one('all', 'exists', 'exists_one'), of(range), variable, of('bool', inner));
}

function filtered(g: Generator, of: Of, scope: Scope, range: Type, item: Type): Expression {
  const { variable, inner } = bound(g, scope, item);
  return macro('filter', of(range), variable, of('bool', inner));
}

function mapped(g: Generator, of: Of, scope: Scope, range: Type, item: Type, result: Type): Expression {
  const { variable, inner } = bound(g, scope, item);
  const condition = g.one(true, false) ? of('bool', inner) : undefined;
  return macro('map', of(range), variable, of(result, inner), condition);
}

function chosen(g: Generator, makes: readonly Make[]): Expression {
  return g.one(...makes)();
}
