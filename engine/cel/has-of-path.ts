import { mapChildren } from './children.ts';
import { type Expression, has, identifier, list, macro } from './expression.ts';

/**
 * Writes `has` in the form that cel-js supports: on a name with fields. `has(xs[0].f)` becomes
 * `[xs[0]].exists(it, has(it.f))`, which gives the same result, and fails if `xs[0]` fails.
 */
export function withHasOfPaths(expression: Expression): Expression {
  const e = mapChildren(expression, withHasOfPaths);
  return e.kind === 'has' && !isPath(e.operand)
    ? macro('exists', list([e.operand]), 'it', has(identifier('it'), e.field))
    : e;
}

function isPath(e: Expression): boolean {
  return e.kind === 'identifier' || (e.kind === 'select' && !e.optional && isPath(e.operand));
}
