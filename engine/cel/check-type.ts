import { Environment } from '@marcbachmann/cel-js';
import { LACKING } from './functions.ts';
import { withHasOfPaths } from './has-of-path.ts';
import { LIMITS } from './limits.ts';
import { parse } from './parse.ts';
import { ExpressionError } from './position.ts';
import { print } from './print.ts';
import { withSets } from './sets.ts';

/** The types of the names that an expression may read, in CEL's notation: `list(string)`, `map(string, dyn)`. */
export type Declarations = Readonly<Record<string, string>>;

/**
 * Checks an expression as the API server does when it compiles the expression: each name is declared, and each function
 * and operator exists for the types of its operands. Lists and maps have items of one type: `dyn(x)` converts an item.
 * @returns a function from the text of an expression to its type, in CEL's notation. The function throws an
 *   ExpressionError with the position of the problem. The position is in the quoted line, which differs from the text
 *   only if `has` reads a field of an expression without a name
 */
export function typeChecker(declarations: Declarations): (text: string) => string {
  const environment = new Environment({ enableOptionalTypes: true, limits: LIMITS });
  const notEvaluated = () => undefined;
  for (const signature of LACKING) environment.registerFunction(`string.${signature}`, notEvaluated);
  withSets(environment, notEvaluated);
  for (const [name, type] of Object.entries(declarations))
    environment.registerVariable(name, type.replaceAll('(', '<').replaceAll(')', '>'));
  return (text) => {
    const expression = parse(text);
    const inCelJs = withHasOfPaths(expression);
    const checked = inCelJs === expression ? text : print(inCelJs);
    const { valid, type = '', error } = environment.check(checked);
    if (!valid) throw ExpressionError.in(checked, error);
    return type.replaceAll('<', '(').replaceAll('>', ')');
  };
}
