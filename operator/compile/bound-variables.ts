/**
 * Emulates variables where an admission policy cannot use variables. The emulation is for match conditions, and for all
 * expressions on API servers below Kubernetes 1.36.
 */

/**
 * One regular expression finds the names of all variables. A separate regular expression for each name would take
 * longer to compile and run.
 */
const NAMED = /\bvariables\.(\w+)/g;

export interface Variable {
  readonly name: string;
  readonly expression: string;
}

/**
 * Selects the variables that the expressions need, and keeps the order of these variables. The API server prepares
 * every variable of a policy several times per request. The API server also prepares unused variables
 * (plugin/cel/composition.go).
 */
export function needed(variables: readonly Variable[], expressions: readonly string[]): Variable[] {
  const names = new Set(expressions.flatMap(namesIn));
  const kept = variables.toReversed().filter(({ name, expression }) => {
    if (!names.has(name)) return false;
    for (const one of namesIn(expression)) names.add(one);
    return true;
  });
  return kept.toReversed();
}

/** Returns one CEL expression with a condition and the definitions of the condition's variables. */
export function withVariables(variables: readonly Variable[], expression: string): string {
  return bound(variables, expression, 'all', ')');
}

/** Returns one CEL expression with a value of any type and the definitions of the value's variables. */
export function valueWithVariables(variables: readonly Variable[], expression: string): string {
  return bound(variables, expression, 'map', ')[0]');
}

/**
 * The function turns variables into the fields of maps, and binds the maps by CEL comprehensions. Map `v0` has the
 * variables that read no other variable. Map `v1` has the variables that read only variables of `v0`, and so on. CEL
 * evaluates all fields of a map. CEL counts 350,000 cost units for an authorizer check, and the API server allows
 * 1,000,000 cost units for an expression. The function therefore inlines variables with authorizer checks.
 */
function bound(variables: readonly Variable[], expression: string, macro: 'all' | 'map', end: string): string {
  const { text, eager } = withoutAuthorizers(needed(variables, [expression]), expression);
  /** The numbers of the maps that contain the variables, such as 0 for `v0`. The key is the variable's name. */
  const levels = new Map<string, number>();
  const put = (cel: string) => cel.replaceAll(NAMED, (_, name: string) => `v${levels.get(name)}.${name}`);
  let rest = needed(eager, [text]);
  let before = '';
  for (let level = 0; rest.length > 0; level++) {
    const names = new Set(rest.map(({ name }) => name));
    const { now = [], later = [] } = Object.groupBy(rest, (one) =>
      namesIn(one.expression).some((name) => names.has(name)) ? 'later' : 'now',
    );
    const fields = now.map(({ name, expression }) => `${JSON.stringify(name)}: dyn(${put(expression)})`);
    before += `[{${fields.join(', ')}}].${macro}(v${level}, `;
    for (const { name } of now) levels.set(name, level);
    rest = later;
  }
  return before + put(text) + end.repeat(new Set(levels.values()).size);
}

/** Inlines the variables that call an authorizer, directly or through another variable. */
function withoutAuthorizers(variables: readonly Variable[], expression: string) {
  const asking = new Map<string, string>();
  const eager: Variable[] = [];
  for (const { name, expression: text } of variables) {
    const put = inPlace(asking, text);
    if (put.includes('authorizer')) asking.set(name, put);
    else eager.push({ name, expression: text });
  }
  return { text: inPlace(asking, expression), eager };
}

/**
 * Replaces each variable in the text by its expression.
 * @param expressions the key is the variable's name. The expression of one variable never reads another variable in
 * `expressions`
 */
function inPlace(expressions: ReadonlyMap<string, string>, text: string): string {
  if (expressions.size === 0) return text;
  return text.replaceAll(NAMED, (named, name: string) => {
    const expression = expressions.get(name);
    return expression === undefined ? named : `(${expression})`;
  });
}

/** The names of the variables that the text contains. */
function namesIn(text: string): string[] {
  return [...text.matchAll(NAMED)].map(([, name = '']) => name);
}
