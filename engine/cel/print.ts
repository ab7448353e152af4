/**
 * Prints expressions as text. cel-js's own `serialize` loses brackets: it prints `a - (b - c)` as `a - b - c`. It also
 * prints characters above U+FFFF as surrogates, which CEL refuses.
 */
import type { Expression, Operator } from './expression.ts';
import { literalText } from './literal-text.ts';

/**
 * How tightly the operators bind (cel-go parser/gen/CEL.g4). For cel-go, all relations have the same rank. For cel-js,
 * `==` and `!=` bind less than the other relations. An operand that is a relation therefore always has brackets.
 */
const RANK = { conditional: 1, or: 2, and: 3, relation: 4, sum: 5, product: 6, unary: 7, member: 8 };

/** The text of an expression. parse() of the text gives the expression again. */
export function print(expression: Expression): string {
  const e = expression;
  switch (e.kind) {
    case 'literal':
      return literalText(e);
    case 'identifier':
      return e.name;
    case 'select':
      return `${inside(e.operand, RANK.member)}${e.optional ? '.?' : '.'}${e.field}`;
    case 'index':
      return `${inside(e.operand, RANK.member)}${e.optional ? '[?' : '['}${print(e.index)}]`;
    case 'has':
      return `has(${inside(e.operand, RANK.member)}.${e.field})`;
    case 'call':
      return `${e.target ? `${inside(e.target, RANK.member)}.` : ''}${e.name}(${listed(e.arguments)})`;
    case 'macro': {
      const condition = e.condition ? `${print(e.condition)}, ` : '';
      return `${inside(e.range, RANK.member)}.${e.name}(${e.variable}, ${condition}${print(e.body)})`;
    }
    case 'list':
      return `[${listed(e.elements)}]`;
    case 'map':
      return `{${e.entries.map(([key, value]) => `${print(key)}: ${print(value)}`).join(', ')}}`;
    case 'not':
      return `!${inside(e.operand, RANK.member)}`;
    case 'negate':
      return `-${inside(e.operand, RANK.member)}`;
    case 'and':
      return e.operands.map((one) => inside(one, RANK.relation)).join(' && ');
    case 'or':
      return e.operands.map((one) => inside(one, RANK.and)).join(' || ');
    case 'binary': {
      const rank = rankOf(e);
      const left = rank === RANK.relation ? rank + 1 : rank;
      return `${inside(e.left, left)} ${e.operator} ${inside(e.right, rank + 1)}`;
    }
    case 'conditional':
      return `${inside(e.condition, RANK.or)} ? ${inside(e.consequent, RANK.or)} : ${print(e.alternative)}`;
  }
}

function listed(expressions: readonly Expression[]): string {
  return expressions.map(print).join(', ');
}

function inside(expression: Expression, least: number): string {
  const text = print(expression);
  return rankOf(expression) < least ? `(${text})` : text;
}

function rankOf(expression: Expression): number {
  switch (expression.kind) {
    case 'conditional':
    case 'or':
    case 'and':
      return RANK[expression.kind];
    case 'binary':
      return RANK_OF_OPERATOR[expression.operator] ?? RANK.relation;
    case 'not':
    case 'negate':
      return RANK.unary;
    case 'literal':
      // A number may have a sign. Also, a dot after its digits would look like a decimal point.
      return ['int', 'uint', 'double'].includes(expression.type) ? RANK.unary : RANK.member;
    default:
      return RANK.member;
  }
}

const RANK_OF_OPERATOR: Partial<Record<Operator, number>> = {
  '+': RANK.sum,
  '-': RANK.sum,
  '*': RANK.product,
  '/': RANK.product,
  '%': RANK.product,
};
