/** Tests what folding computes, and that it changes no result. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CelEngine } from '../../../engine/cel/engine.ts';
import type { Expression } from '../../../engine/cel/expression.ts';
import { fold } from '../../../engine/cel/fold.ts';
import { nodesIn } from '../../../engine/cel/measure.ts';
import { parse } from '../../../engine/cel/parse.ts';
import { print } from '../../../engine/cel/print.ts';
import { substitute } from '../../../engine/cel/substitute.ts';
import { CONDITION, CONTEXT, type Context, literalOf } from './random-expressions.ts';

const RUNS = Number(process.env.CEL_RUNS ?? 3_000);

const FOLDED: readonly [text: string, folded: string][] = [
  ['false && a.b', 'false'],
  ['a.b && false', 'false'],
  ['true && a', 'a'],
  ['a && true && b', 'a && b'],
  ['a.b || true', 'true'],
  ['a || false', 'a'],
  ['!true', 'false'],
  ['!!a', 'a'],
  ['!(a == b)', 'a != b'],
  ['!(a != b)', 'a == b'],
  ['!xs.all(x, !f(x))', 'xs.exists(x, f(x))'],
  ['!xs.exists(x, x != y)', 'xs.all(x, x == y)'],
  ['true ? a : b.c', 'a'],
  ['false ? a.b : c', 'c'],
  ['a ? true : false', 'a'],
  ['a ? false : true', '!a'],
  ['"a" in ["b", "a"]', 'true'],
  ['"a" in []', 'false'],
  ['x in []', 'false'],
  ['[x] in []', 'false'],
  ['"é" == "e\u0301"', 'false'],
  ['1 != 2', 'true'],
  ['["a", "b"] == ["a"]', 'false'],
  ['null == null', 'true'],
  ['["a", x].size() == 2', 'true'],
  ['size([]) > 0', '0 > 0'],
  ['[].all(x, x.y)', 'true'],
  ['[].exists_one(x, x.y)', 'false'],
  ['[].map(x, x.y)', '[]'],
  ['xs.all(x, true)', 'true'],
  ['xs.exists(x, x == 1 && false)', 'false'],
  ['xs.filter(x, false)', '[]'],
  ['["ALL"].all(x, x in drop)', '"ALL" in drop'],
  ['["ALL"].exists(x, !(x in ["ALL"]))', 'false'],
];

/** Texts that stay as they are: their parts may fail, or the result depends on CEL's own arithmetic and texts. */
const KEPT = [
  'a.b in []',
  'a.xs.all(x, true)',
  'a.xs.filter(x, false)',
  '[a.b].size()',
  '[a.b].all(x, x)',
  '["a", "b"].all(x, x in drop)',
  'a.b == a.b',
  'a ? b : b',
  'c.d ? true : a',
  '1 == 1.0',
  '1 in [1.0]',
  'b"a" == b"a"',
  '1 + 1',
  '"a" + "b"',
  '"a".size()',
  '"a" < "b"',
  'xs.filter(x, true)',
];

describe('folding', () => {
  for (const [text, folded] of FOLDED)
    it(`${text} gives ${folded}`, () => assert.equal(print(fold(parse(text))), folded));

  for (const text of KEPT) it(`keeps ${text}`, () => assert.equal(print(fold(parse(text))), text));

  it('drops parts that may fail if no part of the expression ever fails', () => {
    const total = (text: string) => print(fold(parse(text), () => true));
    assert.equal(total('a.b in [] || a.xs.all(x, true)'), 'true');
    assert.equal(total('[a.b].size() == 1 && a.xs.exists(x, false)'), 'false');
  });

  it('gives the expression itself if it changes nothing', () => {
    const kept = parse('a.b.all(x, x in [y, "z"] ? f(x) : !(g(x) && h))');
    assert.equal(fold(kept), kept);
  });

  const engine = new CelEngine();

  it(`changes no result and no failure of ${RUNS} random conditions, with some names known`, () => {
    const seen = { true: 0, false: 0, fails: 0, smaller: 0 };
    fc.assert(
      fc.property(CONDITION, CONTEXT, fc.subarray(['b', 'n', 's', 'xs', 'ns']), (condition, context, known) => {
        const literals = known.map((name) => [name, literalOf(context[name as keyof Context])] as const);
        const general = substitute(condition, new Map(literals));
        const folded = fold(general);
        const result = resultOf(engine, condition, context);
        assert.equal(resultOf(engine, general, context), result, print(general));
        assert.equal(resultOf(engine, folded, context), result, `${print(general)} → ${print(folded)}`);
        seen[result]++;
        if (nodesIn(folded) < nodesIn(general)) seen.smaller++;
      }),
      { numRuns: RUNS },
    );
    // The property says something only if all results occur, and if folding does something.
    for (const times of Object.values(seen)) assert.ok(times > RUNS / 50, JSON.stringify(seen));
  });

  it(`under the assumption that nothing fails, changes no result of ${RUNS} random conditions`, () => {
    fc.assert(
      fc.property(CONDITION, CONTEXT, (condition, context) => {
        const result = resultOf(engine, condition, context);
        const folded = fold(condition, () => true);
        if (result !== 'fails') assert.equal(resultOf(engine, folded, context), result, print(folded));
      }),
      { numRuns: RUNS },
    );
  });
});

function resultOf(engine: CelEngine, expression: Expression, context: Context): 'true' | 'false' | 'fails' {
  let result: unknown;
  try {
    result = engine.run(expression, context);
  } catch {
    return 'fails';
  }
  assert.ok(result === true || result === false, `${print(expression)}: ${result}`);
  return `${result}`;
}
