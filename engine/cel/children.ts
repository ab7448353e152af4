import { and, type Expression, negate, not, or } from './expression.ts';

/**
 * Replaces each operand of an expression by `change(operand, variable)`. The variable is the name that the expression
 * binds in this operand. If no operand changes, the result is the expression itself.
 */
export function mapChildren(
  expression: Expression,
  change: (child: Expression, bound?: string) => Expression,
): Expression {
  let changed = false;
  const one = (child: Expression, bound?: string): Expression => {
    const result = change(child, bound);
    if (result !== child) changed = true;
    return result;
  };
  const result = rebuilt(expression, one);
  return changed ? result : expression;
}

/** The operands of an expression, in the order of its text, with the name that the expression binds in the operand. */
export function childrenOf(expression: Expression): [child: Expression, bound?: string][] {
  const found: [Expression, string?][] = [];
  rebuilt(expression, (child, bound) => {
    found.push([child, bound]);
    return child;
  });
  return found;
}

function rebuilt(e: Expression, one: (child: Expression, bound?: string) => Expression): Expression {
  const each = (children: readonly Expression[]) => children.map((child) => one(child));
  switch (e.kind) {
    case 'literal':
    case 'identifier':
      return e;
    case 'select':
    case 'has':
      return { ...e, operand: one(e.operand) };
    case 'index':
      return { ...e, operand: one(e.operand), index: one(e.index) };
    case 'call':
      return { ...e, ...(e.target && { target: one(e.target) }), arguments: each(e.arguments) };
    case 'macro': {
      const range = one(e.range);
      const condition = e.condition && { condition: one(e.condition, e.variable) };
      return { ...e, range, ...condition, body: one(e.body, e.variable) };
    }
    case 'list':
      return { ...e, elements: each(e.elements) };
    case 'map':
      return { ...e, entries: e.entries.map(([key, value]) => [one(key), one(value)] as const) };
    case 'not':
      return not(one(e.operand));
    case 'negate':
      return negate(one(e.operand));
    case 'and':
      return and(...each(e.operands));
    case 'or':
      return or(...each(e.operands));
    case 'binary':
      return { ...e, left: one(e.left), right: one(e.right) };
    case 'conditional':
      return { ...e, condition: one(e.condition), consequent: one(e.consequent), alternative: one(e.alternative) };
  }
}
