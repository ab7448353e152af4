/** Tests which parts become variables, and that reading them changes no result. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CelEngine } from '../../../engine/cel/engine.ts';
import { and, list, macro, not, or } from '../../../engine/cel/expression.ts';
import { freeNames } from '../../../engine/cel/free-names.ts';
import { MOST_CHARACTERS, sizeOf } from '../../../engine/cel/measure.ts';
import { parse } from '../../../engine/cel/parse.ts';
import { print } from '../../../engine/cel/print.ts';
import { boundByMacros, share } from '../../../engine/cel/share.ts';
import { substitute } from '../../../engine/cel/substitute.ts';
import { CONDITION } from './random-expressions.ts';

const ONE = list([parse('1')]);
const RUNS = Number(process.env.CEL_RUNS ?? 300);

function shared(texts: readonly string[], options: Parameters<typeof share>[1]) {
  const { variables, expressions } = share(texts.map(parse), options);
  return [...variables.map(({ name, expression }) => `${name} = ${print(expression)}`), ...expressions.map(print)];
}

describe('sharing', () => {
  it('makes variables of repeated parts, the longest first, and of their repeated parts', () => {
    assert.deepEqual(shared(['f(a.b + c.d)', 'g(a.b + c.d)', 'a.b'], { least: 3, prefix: 'v' }), [
      'v2 = a.b',
      'v1 = v2 + c.d',
      'f(v1)',
      'g(v1)',
      'v2',
    ]);
  });

  it('leaves short parts, and parts that read the variable of a macro', () => {
    assert.deepEqual(shared(['xs.all(x, f(x + 1)) && ys.all(x, f(x + 1)) && a.b == a.b'], { least: 4 }), [
      'xs.all(x, f(x + 1)) && ys.all(x, f(x + 1)) && a.b == a.b',
    ]);
  });

  it('shares a part below macros that bind other names', () => {
    assert.deepEqual(shared(['xs.all(x, x in a.b.c) && ys.all(a, a in a.b.c) && f(a.b.c)'], { least: 5 }), [
      'shared1 = a.b.c',
      'xs.all(x, x in shared1) && ys.all(a, a in a.b.c) && f(shared1)',
    ]);
  });

  it('gives its variables names that no expression reads or binds', () => {
    assert.deepEqual(shared(['f(a.b) + f(a.b) + shared1', 'xs.map(shared2, f(a.b))'], { least: 6 }), [
      'shared3 = f(a.b)',
      'shared3 + shared3 + shared1',
      'xs.map(shared2, shared3)',
    ]);
  });

  it(`changes nothing if the variables are put back, in ${RUNS} random sets of conditions`, () => {
    let found = 0;
    fc.assert(
      fc.property(
        fc.array(CONDITION, { minLength: 2, maxLength: 6 }),
        fc.integer({ min: 5, max: 40 }),
        (parts, least) => {
          const given = [
            ...parts,
            and(...parts),
            or(not(and(...parts)), ...parts),
            macro('all', ONE, 'n', and(...parts)),
          ];
          const { variables, expressions } = share(given, { least });
          const inner = new Map<string, ReturnType<typeof parse>>();
          for (const { name, expression } of variables) {
            assert.ok(
              [...freeNames(expression)].every((one) => !one.startsWith('shared') || inner.has(one)),
              name,
            );
            inner.set(name, substitute(expression, inner));
          }
          assert.deepEqual(
            expressions.map((one) => print(substitute(one, inner))),
            given.map(print),
          );
          found += variables.length;
        },
      ),
      { numRuns: RUNS },
    );
    assert.ok(found > RUNS / 2, `${found} variables`);
  });

  it('can bind variables by macros, as long as none fails', () => {
    const { variables, expressions } = share([parse('f.g.h == 1 || f.g.h == 2 || xs.exists(f, f == 3)')], { least: 5 });
    const bound = boundByMacros(variables, expressions[0] ?? parse('null'));
    assert.equal(print(bound), '[f.g.h].map(shared1, shared1 == 1 || shared1 == 2 || xs.exists(f, f == 3))[0]');
    const engine = new CelEngine();
    const context = (h: bigint) => ({ f: { g: { h } }, xs: [3n] });
    for (const h of [1n, 2n, 4n]) assert.equal(engine.run(bound, context(h)), true);
  });
});

describe('the size of an expression', () => {
  it('has code points, as the API server counts them, and nodes', () => {
    assert.deepEqual(sizeOf(parse('s == "😀é" && xs.all(x, x.y)')), { characters: 27, nodes: 8 });
    assert.equal(MOST_CHARACTERS, 100_000);
  });
});
