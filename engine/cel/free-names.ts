import { childrenOf } from './children.ts';
import type { Expression } from './expression.ts';

/** The names that an expression reads and does not bind itself, in the order of its text. */
export function freeNames(expression: Expression): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (one: Expression, bound: ReadonlySet<string>): void => {
    if (one.kind === 'identifier' && !bound.has(one.name)) found.add(one.name);
    for (const [child, variable] of childrenOf(one))
      visit(child, variable === undefined ? bound : new Set([...bound, variable]));
  };
  visit(expression, new Set());
  return found;
}
