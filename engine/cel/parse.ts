/** The border to cel-js: parses text, and converts cel-js's nodes to expressions. No other file reads cel-js's nodes. */
import { type ASTNode, Environment } from '@marcbachmann/cel-js';
import {
  and,
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
  type Literal,
  list,
  MACROS,
  type MacroName,
  macro,
  map,
  method,
  NAMESPACES,
  NULL,
  negate,
  not,
  or,
  select,
  string,
  uint,
} from './expression.ts';
import { LIMITS } from './limits.ts';
import { ExpressionError } from './position.ts';

const ENVIRONMENT = new Environment({ enableOptionalTypes: true, limits: LIMITS });

/**
 * Parses a CEL expression. Unlike cel-go, cel-js lets the other relations bind tighter than `==` and `!=`. Write
 * brackets where a relation is an operand of a relation, as print() does.
 * @throws ExpressionError with the position of the problem
 */
export function parse(text: string): Expression {
  try {
    return converted(ENVIRONMENT.parse(text).ast);
  } catch (error) {
    throw ExpressionError.in(text, error);
  }
}

function converted(node: ASTNode): Expression {
  try {
    return made(node);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError)
      throw new ExpressionError(error.message, node.input, node.pos);
    throw error;
  }
}

function made(node: ASTNode): Expression {
  switch (node.op) {
    case 'value':
      return literal(node.args);
    case 'id':
      return identifier(node.args);
    case '.':
    case '.?':
      return select(converted(node.args[0]), node.args[1], { optional: node.op === '.?' });
    case '[]':
    case '[?]':
      return index(converted(node.args[0]), converted(node.args[1]), { optional: node.op === '[?]' });
    case 'call': {
      const [name, args] = node.args;
      return name === 'has' ? hasOf(args) : call(name, ...args.map(converted));
    }
    case 'rcall':
      return methodOf(...node.args);
    case 'list':
      return list(node.args.map(converted));
    case 'map':
      return map(node.args.map(([key, value]) => [converted(key), converted(value)] as const));
    case '!_':
      return not(converted(node.args));
    case '-_':
      // The least int has no positive counterpart, so the sign must be converted together with the digits.
      if (node.args.op === 'value' && typeof node.args.args === 'bigint') return int(-node.args.args);
      return negate(converted(node.args));
    case '&&':
      return and(...node.args.map(converted));
    case '||':
      return or(...node.args.map(converted));
    case '?:': {
      const [condition, consequent, alternative] = node.args;
      return conditional(converted(condition), converted(consequent), converted(alternative));
    }
    default:
      return binary(converted(node.args[0]), node.op, converted(node.args[1]));
  }
}

function literal(value: Extract<ASTNode, { op: 'value' }>['args']): Literal {
  switch (typeof value) {
    case 'boolean':
      return bool(value);
    case 'bigint':
      return int(value);
    case 'number':
      return double(value);
    case 'string':
      return string(value);
  }
  if (value === null) return NULL;
  return value instanceof Uint8Array ? bytes(value) : uint(value.valueOf());
}

function hasOf(args: readonly ASTNode[]): Expression {
  const [field] = args;
  if (args.length !== 1 || field?.op !== '.') throw new SyntaxError('has() needs a field, as in has(a.b)');
  return has(converted(field.args[0]), field.args[1]);
}

function methodOf(name: string, target: ASTNode, args: readonly ASTNode[]): Expression {
  if (target.op === 'id' && NAMESPACES.includes(target.args))
    return call(`${target.args}.${name}`, ...args.map(converted));
  const range = converted(target);
  const [variable, ...bodies] = args;
  const body = bodies.at(-1);
  if (!isMacro(name) || !body || bodies.length > (name === 'map' ? 2 : 1))
    return method(range, name, ...args.map(converted));
  if (variable?.op !== 'id') throw new SyntaxError(`${name}() needs the name of a variable first`);
  const condition = bodies.length === 2 && bodies[0] ? converted(bodies[0]) : undefined;
  return macro(name, range, variable.args, converted(body), condition);
}

function isMacro(name: string): name is MacroName {
  return (MACROS as readonly string[]).includes(name);
}
