import { childrenOf, mapChildren } from './children.ts';
import { type Expression, identifier, index, int, list, macro } from './expression.ts';
import { print } from './print.ts';
import { unused } from './substitute.ts';

export interface Variable {
  readonly name: string;
  readonly expression: Expression;
}

export interface Shared {
  /** A variable may read the variables before it. */
  readonly variables: readonly Variable[];
  /** The given expressions, which read the variables as names. */
  readonly expressions: readonly Expression[];
}

interface SharingOptions {
  /** The minimum length in characters of an expression that becomes a variable. By default 30. */
  readonly least?: number;
  /** The names of the variables are `prefix1`, `prefix2`, …: `prefix1` is the longest. By default `shared`. */
  readonly prefix?: string;
}

/**
 * Replaces repeated expressions by variables, the longest first. Equal input gives equal output. If an evaluation
 * computes a variable when it first reads it, as the API server does with `spec.variables`, no result changes.
 */
export function share(
  expressions: readonly Expression[],
  { least = 30, prefix = 'shared' }: SharingOptions = {},
): Shared {
  const taken = new Set(expressions.flatMap(namesIn));
  const longestFirst: Variable[] = [];
  let all = expressions;
  for (;;) {
    const repeated = longestRepeated(all.map(measured), least);
    if (!repeated) break;
    const name = unused(prefix, (one) => taken.has(one));
    taken.add(name);
    longestFirst.push({ name, expression: repeated.expression });
    all = [...all.map((one) => withName(measured(one), repeated.text, name)), repeated.expression];
  }
  const values = all.slice(expressions.length);
  // A repeated expression that reads a variable is longer than the variable's expression, so it was found earlier.
  return {
    variables: longestFirst.map(({ name }, i) => ({ name, expression: values[i] as Expression })).reverse(),
    expressions: all.slice(0, expressions.length),
  };
}

/**
 * Binds variables inside one expression, by macros over one item. Kubernetes has no `cel.bind`, and no variables below
 * 1.36. The API server computes each variable first, once, even if the expression does not read it. So the result is
 * the same only if no variable's expression ever fails.
 */
export function boundByMacros(variables: readonly Variable[], expression: Expression): Expression {
  return variables.reduceRight(
    (body, { name, expression: value }) => index(macro('map', list([value]), name, body), int(0)),
    expression,
  );
}

/** An expression with its text and its free names, which would otherwise be computed again for each part. */
interface Measured {
  readonly expression: Expression;
  readonly text: string;
  readonly free: ReadonlySet<string>;
  readonly children: readonly { readonly child: Measured; readonly bound: string | undefined }[];
}

function measured(expression: Expression): Measured {
  const children = childrenOf(expression).map(([child, bound]) => ({ child: measured(child), bound }));
  const free = new Set(expression.kind === 'identifier' ? [expression.name] : []);
  for (const { child, bound } of children) for (const name of child.free) if (name !== bound) free.add(name);
  return { expression, text: print(expression), free, children };
}

function longestRepeated(expressions: readonly Measured[], least: number): Measured | undefined {
  const times = new Map<string, number>();
  let longest: Measured | undefined;
  const visit = (one: Measured, bound: ReadonlySet<string>): void => {
    if (one.text.length >= least && one.expression.kind !== 'identifier' && one.free.isDisjointFrom(bound)) {
      const count = (times.get(one.text) ?? 0) + 1;
      times.set(one.text, count);
      if (count === 2 && one.text.length > (longest?.text.length ?? 0)) longest = one;
    }
    for (const { child, bound: name } of one.children)
      visit(child, name === undefined ? bound : new Set([...bound, name]));
  };
  for (const one of expressions) visit(one, new Set());
  return longest;
}

/** Replaces the expression with this text by a name, except where a macro binds a name that the expression reads. */
function withName(within: Measured, text: string, name: string): Expression {
  const visit = (one: Measured, bound: ReadonlySet<string>): Expression => {
    if (one.text === text && one.free.isDisjointFrom(bound)) return identifier(name);
    let i = 0;
    return mapChildren(one.expression, () => {
      const { child, bound: variable } = one.children[i++] as Measured['children'][number];
      return visit(child, variable === undefined ? bound : new Set([...bound, variable]));
    });
  };
  return visit(within, new Set());
}

/** All names in an expression, also those that it binds. */
function namesIn(expression: Expression): string[] {
  const own = expression.kind === 'identifier' ? [expression.name] : [];
  return [
    ...own,
    ...childrenOf(expression).flatMap(([child, bound]) => [...(bound === undefined ? [] : [bound]), ...namesIn(child)]),
  ];
}
