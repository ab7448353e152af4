/** Tests free names and substitution. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { freeNames } from '../../../engine/cel/free-names.ts';
import { parse } from '../../../engine/cel/parse.ts';
import { print } from '../../../engine/cel/print.ts';
import { substitute } from '../../../engine/cel/substitute.ts';
import { ANY_EXPRESSION } from './random-expressions.ts';

const RUNS = Number(process.env.CEL_RUNS ?? 2_000);

const FREE: readonly [text: string, names: string[]][] = [
  ['a.b[c] + f(d, e.g(h))', ['a', 'c', 'd', 'e', 'h']],
  ['xs.all(x, x in ys) && x', ['xs', 'ys', 'x']],
  ['x.map(x, x == y, x + z)', ['x', 'y', 'z']],
  ['xs.exists(x, ys.exists(y, x == y))', ['xs', 'ys']],
  ['sets.contains(a, optional.of(b))', ['a', 'b']],
  ['has(a.b) ? {c: d} : [e]', ['a', 'c', 'd', 'e']],
];

const SUBSTITUTED: readonly [text: string, replacements: Record<string, string>, result: string][] = [
  ['a && b', { a: 'c || d' }, '(c || d) && b'],
  ['a + b', { a: 'b', b: 'a' }, 'b + a'],
  ['x.all(x, x > y)', { x: 'z' }, 'z.all(x, x > y)'],
  ['ports.all(p, p.hostPort in hostPorts)', { hostPorts: 'p.hostPorts' }, 'ports.all(p1, p1.hostPort in p.hostPorts)'],
  ['p.all(p, p in a)', { a: 'p.a', p: 'q' }, 'q.all(p1, p1 in p.a)'],
  ['xs.all(p, ys.all(p1, p == p1 && a))', { a: 'p' }, 'xs.all(p1, ys.all(p11, p1 == p11 && p))'],
  ['xs.all(p, p1 == p && a)', { a: 'p' }, 'xs.all(p2, p1 == p2 && p)'],
  ['xs.all(p, p.q)', { a: 'p' }, 'xs.all(p, p.q)'],
  ['xs.map(p, p > a, p)', { a: 'p' }, 'xs.map(p1, p1 > p, p1)'],
  ['a.a(a)', { a: 'b' }, 'b.a(b)'],
];

describe('the free names of an expression', () => {
  for (const [text, names] of FREE)
    it(`${text} reads ${names}`, () => assert.deepEqual([...freeNames(parse(text))], names));
});

describe('substitution', () => {
  for (const [text, replacements, result] of SUBSTITUTED)
    it(`in ${text} of ${JSON.stringify(replacements)} gives ${result}`, () => {
      const trees = Object.entries(replacements).map(([name, one]) => [name, parse(one)] as const);
      assert.equal(print(substitute(parse(text), new Map(trees))), result);
    });

  it('gives the expression itself if it does not read the names', () => {
    const text = parse('a.all(x, x == [b])');
    assert.equal(substitute(text, new Map([['c', parse('x')]])), text);
  });

  it(`replaces and reads exactly the expected names of ${RUNS} random expressions`, () => {
    fc.assert(
      fc.property(ANY_EXPRESSION, ANY_EXPRESSION, (text, replacement) => {
        const before = freeNames(text);
        const expected = before.has('xs')
          ? new Set([...before].filter((name) => name !== 'xs')).union(freeNames(replacement))
          : before;
        assert.deepEqual(
          [...freeNames(substitute(text, new Map([['xs', replacement]])))].sort(),
          [...expected].sort(),
          `${print(text)} with xs = ${print(replacement)}`,
        );
      }),
      { numRuns: RUNS },
    );
  });
});
