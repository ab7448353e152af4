import { mapChildren } from './children.ts';
import { type Expression, identifier, type Macro } from './expression.ts';
import { freeNames } from './free-names.ts';

/**
 * Replaces free names by expressions, all at once. A name that a macro binds hides the outer name. If a replacement
 * reads a name that a macro binds around it, the macro's variable gets another name: with `xs.exists(p, p == limit)` and
 * `p.limit` for `limit`, the result is `xs.exists(p1, p1 == p.limit)`.
 */
export function substitute(expression: Expression, replacements: ReadonlyMap<string, Expression>): Expression {
  const entries = [...replacements].map(([name, by]) => [name, { by, reads: freeNames(by) }] as const);
  return replaced(expression, new Map(entries));
}

interface Replacement {
  readonly by: Expression;
  readonly reads: ReadonlySet<string>;
}

function replaced(expression: Expression, replacements: ReadonlyMap<string, Replacement>): Expression {
  if (replacements.size === 0) return expression;
  if (expression.kind === 'identifier') return replacements.get(expression.name)?.by ?? expression;
  const { variable, inBody } =
    expression.kind === 'macro' ? bodyOf(expression, replacements) : { variable: undefined, inBody: replacements };
  const result = mapChildren(expression, (child, bound) =>
    replaced(child, bound === undefined ? replacements : inBody),
  );
  return result.kind === 'macro' && variable !== undefined && variable !== result.variable
    ? { ...result, variable }
    : result;
}

/** The variable of a macro after the replacements, and the replacements in the macro's body. */
function bodyOf(
  { variable, condition, body }: Macro,
  replacements: ReadonlyMap<string, Replacement>,
): { readonly variable: string; readonly inBody: ReadonlyMap<string, Replacement> } {
  const names = new Set([...freeNames(body), ...(condition ? freeNames(condition) : [])]);
  const inBody = new Map([...replacements].filter(([name]) => name !== variable && names.has(name)));
  const reads = new Set([...inBody.values()].flatMap((one) => [...one.reads]));
  if (!reads.has(variable)) return { variable, inBody };
  const other = unused(variable, (name) => reads.has(name) || names.has(name));
  const renaming = { by: identifier(other), reads: new Set([other]) };
  return { variable: other, inBody: new Map([...inBody, [variable, renaming]]) };
}

/** The first of `name1`, `name2`, … that is not taken. */
export function unused(name: string, isTaken: (name: string) => boolean): string {
  for (let i = 1; ; i++) if (!isTaken(`${name}${i}`)) return `${name}${i}`;
}
