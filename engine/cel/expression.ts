/**
 * A CEL expression as an immutable tree. The words are the words of the CEL specification (cel-spec doc/langdef.md). The
 * functions of this file make the nodes. They keep each tree in one form, so that printing and parsing give the same
 * tree: `&&` and `||` have no operand with the same operator, and a literal has its own sign.
 */

export type Expression =
  | Literal
  | { readonly kind: 'identifier'; readonly name: string }
  /** `operand.field`, or `operand.?field` if optional. */
  | {
      readonly kind: 'select';
      readonly operand: Expression;
      readonly field: string;
      readonly optional: boolean;
    }
  /** `operand[index]`, or `operand[?index]` if optional. */
  | { readonly kind: 'index'; readonly operand: Expression; readonly index: Expression; readonly optional: boolean }
  /** The macro `has(operand.field)`. */
  | { readonly kind: 'has'; readonly operand: Expression; readonly field: string }
  /** `target.name(arguments)` or `name(arguments)`. The name may have a namespace, as in `sets.contains`. */
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly target?: Expression;
      readonly arguments: readonly Expression[];
    }
  | Macro
  | { readonly kind: 'list'; readonly elements: readonly Expression[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [key: Expression, value: Expression])[] }
  | { readonly kind: 'not' | 'negate'; readonly operand: Expression }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Expression[] }
  | Binary
  | {
      readonly kind: 'conditional';
      readonly condition: Expression;
      readonly consequent: Expression;
      readonly alternative: Expression;
    };

export type Literal = { readonly kind: 'literal' } & (
  | { readonly type: 'null'; readonly value: null }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'int' | 'uint'; readonly value: bigint }
  | { readonly type: 'double'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'bytes'; readonly value: Uint8Array }
);

/** `range.name(variable, body)`, or `range.map(variable, condition, body)`. */
export interface Macro {
  readonly kind: 'macro';
  readonly name: MacroName;
  readonly range: Expression;
  /** The macro binds this name in the condition and in the body. */
  readonly variable: string;
  readonly condition?: Expression;
  readonly body: Expression;
}

export interface Binary {
  readonly kind: 'binary';
  readonly operator: Operator;
  readonly left: Expression;
  readonly right: Expression;
}

/** The macros with a bound variable that API servers of Kubernetes 1.30 have. */
export const MACROS = ['all', 'exists', 'exists_one', 'map', 'filter'] as const;
export type MacroName = (typeof MACROS)[number];

export const OPERATORS = ['==', '!=', '<', '<=', '>', '>=', 'in', '+', '-', '*', '/', '%'] as const;
export type Operator = (typeof OPERATORS)[number];

/** The namespaces of functions. An expression cannot use these names as identifiers. */
export const NAMESPACES: readonly string[] = ['optional', 'sets'];

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** The words that are tokens of their own, and so cannot name a field either. */
const KEYWORDS = ['true', 'false', 'null', 'in'];
const RESERVED = new Set([
  ...KEYWORDS,
  ...NAMESPACES,
  ...['as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import', 'let', 'loop', 'package'],
  ...['namespace', 'return', 'var', 'void', 'while'],
  // cel-js refuses these names.
  ...['__proto__', 'prototype'],
]);

const INT = { least: -(2n ** 63n), most: 2n ** 63n - 1n };
const UINT = { least: 0n, most: 2n ** 64n - 1n };

export const NULL: Literal = { kind: 'literal', type: 'null', value: null };
export const TRUE: Literal = { kind: 'literal', type: 'bool', value: true };
export const FALSE: Literal = { kind: 'literal', type: 'bool', value: false };

export function bool(value: boolean): Literal {
  return value ? TRUE : FALSE;
}

/** @throws RangeError if the number needs more than 64 bits */
export function int(value: bigint | number): Literal {
  return { kind: 'literal', type: 'int', value: within(INT, BigInt(value), 'int') };
}

/** @throws RangeError if the number is negative or needs more than 64 bits */
export function uint(value: bigint): Literal {
  return { kind: 'literal', type: 'uint', value: within(UINT, value, 'uint') };
}

/** @throws RangeError if the number is infinite or NaN, because CEL has no literals for these numbers */
export function double(value: number): Literal {
  if (!Number.isFinite(value)) throw new RangeError(`CEL has no literal for the double ${value}`);
  return { kind: 'literal', type: 'double', value };
}

/** @throws RangeError if the text contains half of a surrogate pair, because UTF-8 cannot represent it */
export function string(value: string): Literal {
  if (!value.isWellFormed()) throw new RangeError(`not a Unicode text: ${JSON.stringify(value)}`);
  return { kind: 'literal', type: 'string', value };
}

export function bytes(value: Uint8Array): Literal {
  return { kind: 'literal', type: 'bytes', value };
}

/** @throws SyntaxError if the name is reserved or is no name */
export function identifier(name: string): Expression {
  return { kind: 'identifier', name: named(name, RESERVED) };
}

/** @throws SyntaxError if an expression cannot write the field after a dot */
export function select(operand: Expression, field: string, { optional = false } = {}): Expression {
  return { kind: 'select', operand, field: named(field, KEYWORDS), optional };
}

export function index(operand: Expression, at: Expression, { optional = false } = {}): Expression {
  return { kind: 'index', operand, index: at, optional };
}

/** @throws SyntaxError if an expression cannot write the field after a dot */
export function has(operand: Expression, field: string): Expression {
  return { kind: 'has', operand, field: named(field, KEYWORDS) };
}

export function call(name: string, ...args: readonly Expression[]): Expression {
  const [namespace, own] = name.includes('.') ? name.split('.') : ['', name];
  if (namespace !== '' && !NAMESPACES.includes(namespace ?? '')) throw new SyntaxError(`no namespace: ${namespace}`);
  named(own ?? '', namespace === '' ? RESERVED : KEYWORDS);
  return { kind: 'call', name, arguments: args };
}

export function method(target: Expression, name: string, ...args: readonly Expression[]): Expression {
  return { kind: 'call', name: named(name, KEYWORDS), target, arguments: args };
}

/** @param condition only of the macro `map` */
export function macro(
  name: MacroName,
  range: Expression,
  variable: string,
  body: Expression,
  condition?: Expression,
): Macro {
  named(variable, RESERVED);
  return { kind: 'macro', name, range, variable, body, ...(condition && { condition }) };
}

export function list(elements: readonly Expression[]): Expression {
  return { kind: 'list', elements };
}

export function map(entries: readonly (readonly [Expression, Expression])[]): Expression {
  return { kind: 'map', entries };
}

export function not(operand: Expression): Expression {
  return { kind: 'not', operand };
}

/** The negation of a positive number is a literal. */
export function negate(operand: Expression): Expression {
  if (operand.kind === 'literal' && operand.type === 'int' && operand.value >= 0n) return int(-operand.value);
  if (operand.kind === 'literal' && operand.type === 'double' && (operand.value > 0 || Object.is(operand.value, 0)))
    return double(-operand.value);
  return { kind: 'negate', operand };
}

/** The conjunction of the operands: `true` without operands, and the operand itself if it is the only one. */
export function and(...operands: readonly Expression[]): Expression {
  return chain('and', operands, TRUE);
}

/** The disjunction of the operands: `false` without operands, and the operand itself if it is the only one. */
export function or(...operands: readonly Expression[]): Expression {
  return chain('or', operands, FALSE);
}

export function binary(left: Expression, operator: Operator, right: Expression): Expression {
  return { kind: 'binary', operator, left, right };
}

export function conditional(condition: Expression, consequent: Expression, alternative: Expression): Expression {
  return { kind: 'conditional', condition, consequent, alternative };
}

/** CEL's `&&` and `||` are associative, also if an operand fails: one operand that decides hides all errors. */
function chain(kind: 'and' | 'or', operands: readonly Expression[], neutral: Literal): Expression {
  const flat = operands.flatMap((one) => (one.kind === kind ? one.operands : [one]));
  return flat.length > 1 ? { kind, operands: flat } : (flat[0] ?? neutral);
}

function named(name: string, reserved: ReadonlySet<string> | readonly string[]): string {
  if (!NAME.test(name) || [...reserved].includes(name)) throw new SyntaxError(`not a name: ${JSON.stringify(name)}`);
  return name;
}

function within({ least, most }: typeof INT, value: bigint, type: string): bigint {
  if (value < least || value > most) throw new RangeError(`${value} is outside the range of ${type}`);
  return value;
}
