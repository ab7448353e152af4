/** Tests that printing and parsing are inverse to each other. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  call,
  double,
  identifier,
  index,
  int,
  macro,
  method,
  negate,
  select,
  string,
} from '../../../engine/cel/expression.ts';
import { parse } from '../../../engine/cel/parse.ts';
import { print } from '../../../engine/cel/print.ts';
import { ANY_EXPRESSION, CONDITION } from './random-expressions.ts';

const RUNS = Number(process.env.CEL_RUNS ?? 2_000);

/** Texts that print() prints as they are. */
const PRINTED = [
  'a - (b - c)',
  'a - b - c',
  'a * (b % c)',
  'a / (b / c)',
  '(a + b) * c',
  '(a == b) == (c == d)',
  'a == (b == c)',
  'a in (b in c)',
  '(a < b) == c',
  '-(a ? b : c)',
  '(a ? b : c) ? (d ? e : f) : g ? h : i',
  '(a || b) && c || d && e',
  '!(a && b)',
  '!(!a)',
  '!(-a)',
  '-(-5)',
  '(-5).f',
  'a - -5',
  '-9223372036854775808',
  '-a.b',
  '(a + b).f(c)',
  '[a, b][0]',
  '{"a": 1}.a',
  'a.?b[?"c"].orValue([])',
  'has(a.b[0].c)',
  'xs.map(x, x > 1, x + 1)',
  'xs.all(x, ys.exists_one(y, x == y))',
  'sets.contains(a, b)',
  'optional.none()',
  'request.namespace',
  '18446744073709551615u',
  '1.0',
  '1e+300',
  '5e-324',
  'b"\\xff\\n\\"a"',
  '"\\"\\\\\\n\\u0000\\u200b😀é"',
  'null',
];

/** Texts that mean the same as another text, and the text that is printed. */
const NORMAL: readonly [text: string, printed: string][] = [
  ['a && (b && c)', 'a && b && c'],
  ['(a || b) || (c || d)', 'a || b || c || d'],
  ['0x1F + 007', '31 + 7'],
  ['-(5)', '-5'],
  ['1.50', '1.5'],
  ["r'a\\d'", '"a\\\\d"'],
  ["'''a\nb'''", '"a\\nb"'],
  ['// why\n[1, 2,]', '[1, 2]'],
];

/** Texts that are no expressions, and the part of the message that says why. */
const REFUSED: readonly [text: string, problem: RegExp][] = [
  ['', /line 1, column 1/],
  ['a +', /line 1, column 4: "a \+"/],
  ['a &&\n  b ||', /line 2, column 7/],
  ['9223372036854775808', /outside the range of int \(line 1, column 1/],
  ['a == 18446744073709551616u', /line 1, column 6/],
  ['xs.all(1, true)', /variable/],
  ['has(a)', /has\(\) needs a field/],
  ['has(a.?b)', /has\(\) needs a field/],
  ['a.in', /line 1, column 3/],
  ['"a', /Unterminated string/],
  ['sets', /not a name: "sets"/],
  ['package', /package \(line 1, column 1/],
  ['"\\ud83d"', /surrogate/],
  ['"\ud83d"', /not a Unicode text/],
];

describe('the text of an expression', () => {
  for (const text of PRINTED) it(`is ${text}`, () => assert.equal(print(parse(text)), text));

  for (const [text, printed] of NORMAL)
    it(`for ${JSON.stringify(text)} is ${printed}`, () => {
      assert.equal(print(parse(text)), printed);
    });

  for (const [text, problem] of REFUSED)
    it(`cannot be ${JSON.stringify(text)}`, () => assert.throws(() => parse(text), problem));

  it(`gives the expression again, for ${RUNS} random expressions`, () => {
    const same = (expression: ReturnType<typeof parse>) => assert.deepEqual(parse(print(expression)), expression);
    fc.assert(fc.property(ANY_EXPRESSION, same), { numRuns: RUNS });
    fc.assert(fc.property(CONDITION, same), { numRuns: RUNS });
  });

  it('cannot be written for names and numbers that CEL lacks', () => {
    assert.throws(() => identifier('a-b'), /not a name/);
    assert.throws(() => identifier('in'), /not a name/);
    assert.throws(() => select(identifier('a'), 'b c'), /not a name/);
    assert.throws(() => method(identifier('a'), 'null'), /not a name/);
    assert.throws(() => macro('all', identifier('a'), 'sets', identifier('b')), /not a name/);
    assert.throws(() => call('math.least'), /no namespace: math/);
    assert.throws(() => int(2n ** 63n), /outside the range/);
    assert.throws(() => double(Number.NaN), /no literal/);
    assert.throws(() => string('\ud83d'), /not a Unicode text/);
  });

  it('has the sign of a number in the number', () => {
    assert.deepEqual(negate(int(5)), int(-5));
    assert.equal(print(negate(double(0))), '-0.0');
    assert.equal(print(index(negate(int(-5)), int(0))), '(-(-5))[0]');
  });
});
