/** Tests the types of expressions, and the errors of texts that have none. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { typeChecker } from '../../../engine/cel/check-type.ts';
import { print } from '../../../engine/cel/print.ts';
import { CONDITION, DECLARATIONS } from './random-expressions.ts';

const RUNS = Number(process.env.CEL_RUNS ?? 1_000);

const TYPES: readonly [text: string, type: string][] = [
  ['xs.all(x, x in xs)', 'bool'],
  ['xs.map(x, x.size())', 'list(int)'],
  ['m', 'map(string, string)'],
  ['m[?s].orValue("a")', 'string'],
  ['c.?a.orValue(["a"])', 'dyn'],
  ['sets.contains(xs, ["a"])', 'bool'],
  ['s.replace("a", "b").findAll("[a-z]")', 'list(string)'],
  ['{"a": dyn(1), "b": dyn("c")}', 'map(string, dyn)'],
  ['n > 0 ? "a" : s', 'string'],
];

const WRONG: readonly [text: string, problem: RegExp][] = [
  ['xs.all(x, y in xs)', /Unknown variable: y \(line 1, column 11/],
  ['xs.all(x, x in xs) &&\n  x == "a"', /Unknown variable: x \(line 2, column 3/],
  ['n + s', /no such overload: int \+ string \(line 1, column 1/],
  ['b &&\n n == s', /no such overload: int == string \(line 2, column 2/],
  ['n in xs', /int in list<string>/],
  ['n && b', /bool operands, got 'int'/],
  ['n ? s : s', /must be bool, got 'int'/],
  ['b ? s : n', /same type/],
  ['xs.exists(x, x)', /must return bool, got 'string'/],
  ['b.all(x, true)', /cannot be range/],
  ['s.reverse()', /string\.reverse\(\)/],
  ['c.frobnicate()', /dyn\.frobnicate\(\)/],
  ['math.least(n, n)', /Unknown variable: math/],
  ['sets.contains(xs, [n])', /Sets\.contains/],
  ['["a", 1]', /same type/],
  ['n.f', /Cannot index type 'int'/],
  ['a +', /Unexpected token/],
];

describe('the type of an expression', () => {
  const typeOf = typeChecker(DECLARATIONS);

  for (const [text, type] of TYPES) it(`${text} is ${type}`, () => assert.equal(typeOf(text), type));

  for (const [text, problem] of WRONG)
    it(`${JSON.stringify(text)} has none`, () => assert.throws(() => typeOf(text), problem));

  // cel-js gives the items of a literal without items a type that equals no other type.
  const withItems = CONDITION.filter((condition) => !print(condition).includes('[]'));

  it(`is bool for ${RUNS} random conditions, or unknown before the evaluation`, () => {
    fc.assert(
      fc.property(withItems, (condition) => assert.match(typeOf(print(condition)), /^(?:bool|dyn)$/)),
      { numRuns: RUNS },
    );
  });
});
