/**
 * Folds what is known, after a substitution put literals into an expression. Folding computes only with `&&`, `||`,
 * `!`, `?:`, `in`, `==`, `!=`, `size` and macros over literal lists, and never with the contents of texts: JavaScript
 * and CEL agree on whether two texts are equal, and on little else.
 *
 * For an expression that type-checks, evaluating the folded expression gives the same value, or fails if the original
 * fails. Only the message of a failure may differ. CEL has three properties that make this exact: an operand of `&&` and
 * `||` that decides hides the failure of the others, `?:` evaluates one branch, and `in []` does not evaluate what it
 * searches (cel-go, interpreter/decorators.go, maybeOptimizeSetMembership).
 */
import { mapChildren } from './children.ts';
import {
  and,
  type Binary,
  binary,
  bool,
  type Expression,
  FALSE,
  int,
  list,
  type Macro,
  macro,
  not,
  or,
  TRUE,
} from './expression.ts';
import { substitute } from './substitute.ts';

/**
 * @param neverFails whether an expression has a value in each evaluation. Folding drops an operand that does not decide
 *   only if it never fails. By default, these are literals, names, and lists of them. With `() => true`, folding is
 *   exact only for an expression of which no part ever fails.
 */
export function fold(expression: Expression, neverFails = isTotal): Expression {
  const folding = (one: Expression): Expression => {
    const e = mapChildren(one, folding);
    return isSearch(one) && isSearch(e) && isEmpty(e.right) && !isEmpty(one.right) && !neverFails(e.left)
      ? binary(e.left, 'in', one.right) // If it became `in []`, the left operand would no longer fail.
      : simpler(e, neverFails);
  };
  return folding(expression);
}

const isSearch = (e: Expression): e is Binary => e.kind === 'binary' && e.operator === 'in';

/** Whether the expression has a value in each evaluation that defines its names. */
function isTotal(expression: Expression): boolean {
  if (expression.kind === 'list') return expression.elements.every(isTotal);
  return expression.kind === 'literal' || expression.kind === 'identifier';
}

type Predicate = (expression: Expression) => boolean;

/** Folds an expression whose operands are folded. */
function simpler(e: Expression, neverFails: Predicate): Expression {
  switch (e.kind) {
    case 'and':
      if (e.operands.includes(FALSE)) return FALSE;
      return e.operands.includes(TRUE) ? and(...e.operands.filter((one) => one !== TRUE)) : e;
    case 'or':
      if (e.operands.includes(TRUE)) return TRUE;
      return e.operands.includes(FALSE) ? or(...e.operands.filter((one) => one !== FALSE)) : e;
    case 'not':
      return negated(e.operand) ?? e;
    case 'conditional':
      if (e.condition === TRUE) return e.consequent;
      if (e.condition === FALSE) return e.alternative;
      if (e.consequent === TRUE && e.alternative === FALSE) return e.condition;
      if (e.consequent === FALSE && e.alternative === TRUE) return negated(e.condition) ?? not(e.condition);
      return e;
    case 'binary':
      return compared(e) ?? e;
    case 'call': {
      const [of] = e.target ? [e.target, ...e.arguments] : e.arguments;
      if (e.name !== 'size' || of?.kind !== 'list' || !of.elements.every(neverFails)) return e;
      return int(of.elements.length);
    }
    case 'macro':
      return unrolled(e, neverFails) ?? e;
    default:
      return e;
  }
}

/** The negation of an expression without another `!`, if there is one. */
function negated(e: Expression): Expression | undefined {
  if (e === TRUE || e === FALSE) return bool(e === FALSE);
  if (e.kind === 'not') return e.operand;
  if (e.kind === 'binary' && e.operator === '==') return binary(e.left, '!=', e.right);
  if (e.kind === 'binary' && e.operator === '!=') return binary(e.left, '==', e.right);
  if (e.kind === 'macro' && (e.name === 'all' || e.name === 'exists')) {
    const body = negated(e.body);
    return body && macro(e.name === 'all' ? 'exists' : 'all', e.range, e.variable, body);
  }
  return undefined;
}

function compared({ operator, left, right }: Binary): Expression | undefined {
  if (operator === '==' || operator === '!=') {
    const same = equal(left, right);
    return same === undefined ? undefined : bool(same === (operator === '=='));
  }
  if (operator !== 'in' || right.kind !== 'list') return undefined;
  if (right.elements.length === 0) return FALSE;
  const found = right.elements.map((element) => equal(left, element));
  return found.includes(undefined) ? undefined : bool(found.includes(true));
}

/** @returns undefined if the result depends on values, or on how CEL compares different types */
function equal(a: Expression, b: Expression): boolean | undefined {
  if (a.kind === 'list' && b.kind === 'list' && isClosed(a) && isClosed(b)) {
    if (a.elements.length !== b.elements.length) return false;
    const items = a.elements.map((element, i) => equal(element, b.elements[i] as Expression));
    return items.includes(undefined) ? undefined : !items.includes(false);
  }
  if (a.kind !== 'literal' || b.kind !== 'literal' || a.type !== b.type || a.type === 'bytes') return undefined;
  return a.value === b.value;
}

/** Whether the expression consists of literals. */
function isClosed(expression: Expression): boolean {
  return expression.kind === 'list' ? expression.elements.every(isClosed) : expression.kind === 'literal';
}

function unrolled(e: Macro, neverFails: Predicate): Expression | undefined {
  const { range, name, body, variable } = e;
  const decided = constant(e);
  if (decided && (isEmpty(range) || neverFails(range))) return decided;
  const [only, ...others] = range.kind === 'list' ? range.elements : [];
  if (!only || others.length > 0 || !isClosed(only) || (name !== 'all' && name !== 'exists')) return undefined;
  if (isEmpty(only)) return undefined; // An item of the range fails in `in`, and a literal `[]` does not.
  return fold(substitute(body, new Map([[variable, only]])), neverFails);
}

/** The result of a macro that does not depend on the items of its range. */
function constant({ name, range, body }: Macro): Expression | undefined {
  switch (name) {
    case 'all':
      return isEmpty(range) || body === TRUE ? TRUE : undefined;
    case 'exists':
      return isEmpty(range) || body === FALSE ? FALSE : undefined;
    case 'exists_one':
      return isEmpty(range) || body === FALSE ? FALSE : undefined;
    case 'filter':
      return isEmpty(range) || body === FALSE ? list([]) : undefined;
    case 'map':
      return isEmpty(range) ? list([]) : undefined;
  }
}

function isEmpty(range: Expression): boolean {
  return range.kind === 'list' && range.elements.length === 0;
}
