/**
 * Rewrites an expression for cel-js: the result calls functions that add up the cost of the evaluation, and the
 * functions of this folder instead of cel-js's functions of the same name.
 */
import { mapChildren } from './children.ts';
import { binary, type Expression, FALSE, identifier, int, method } from './expression.ts';
import { OWN, REPLACED } from './functions.ts';
import { nodesIn } from './measure.ts';

/** The method that adds the cost of a macro over a list or a map. Its argument is the number of nodes that an item visits. */
export const LOOPED = 'looped_';
/** The method that adds the cost of a search in a list. A look-up in a map costs nothing. */
export const SEARCHED = 'searched_';
/** The name of a constant: a list without items, and of any type. cel-js refuses `[][0] == 1`. */
export const NO_ITEMS = 'noItems_';

export function metered(expression: Expression): Expression {
  const e = mapChildren(expression, metered);
  switch (e.kind) {
    case 'macro': {
      const { condition, body } = expression as typeof e;
      const nodes = nodesIn(body) + (condition ? nodesIn(condition) : 0);
      return { ...e, range: method(e.range, LOOPED, int(nodes)) };
    }
    case 'list':
      return e.elements.length === 0 ? identifier(NO_ITEMS) : e;
    case 'binary': {
      if (e.operator !== 'in') return e;
      const { right } = expression as typeof e;
      const isNeverEvaluated = right.kind === 'list' && right.elements.length === 0; // as the API server: fold.ts
      return isNeverEvaluated ? FALSE : binary(e.left, 'in', method(e.right, SEARCHED));
    }
    case 'call':
      return e.target && REPLACED.has(e.name) ? method(e.target, `${OWN}${e.name}`, ...e.arguments) : e;
    default:
      return e;
  }
}
