/** Tests the engine that evaluates expressions, and its count of the costs. */
import assert from 'node:assert/strict';
import { TooExpensive } from '../../../engine/cel/costs.ts';
import { CelEngine } from '../../../engine/cel/engine.ts';
import { parse } from '../../../engine/cel/parse.ts';
import { celValue } from '../../../engine/cel/value.ts';

/** The operator's limit for one pod. An evaluation that costs as much may block the operator for this time in ms. */
const LIMIT = 3_000_000;
const BLOCKED_MS = 150;

const many = (count: number, item = 'NAME') => Array.from({ length: count }, (_, i) => `${item}_${i}`);

const RESULTS: readonly [text: string, context: Record<string, unknown>, result: unknown][] = [
  ['a + b * 2', { a: 1n, b: 2n }, 5n],
  ['xs[0].startsWith("a") ? xs.size() : -1', { xs: ['ab', 'c'] }, 2n],
  ['has(xs[0].a) && !has(xs[0].b) && has(m.a)', { xs: [{ a: 1n }], m: { a: 1n } }, true],
  ['has(x.?a.orValue({"b": 1}).b)', { x: {} }, true],
  ['"ß😀".upperAscii() + "é😀x".substring(1, 2)', {}, 'ß😀😀'],
  ['"a.b".replace(".", "$&") + "aBc".findAll("[a-z]").join("|")', {}, 'a$&ba|c'],
  ['sets.contains(xs, ["a"]) && !sets.contains(["a"], xs)', { xs: ['a', 'b'] }, true],
  ['sets.equivalent(xs, ["a", "b", "a"]) && sets.intersects(xs, ["c", "b"])', { xs: ['b', 'a'] }, true],
  ['sets.intersects(xs, []) || [1, 2] == [1]', { xs: ['b', 'a'] }, false],
  ['a.b || c', { a: {}, c: true }, true],
  ['xs.filter(x, x in m).map(x, m[x])', { xs: ['a', 'b'], m: new Map([['b', 2n]]) }, [2n]],
  ['[].map(x, x + 1) == [] && b ? [][0] : 1', { b: false }, 1n],
];

const FAILING: readonly [text: string, context: Record<string, unknown>][] = [
  ['a.b && c', { a: {}, c: true }],
  ['xs[1] == "a"', { xs: ['a'] }],
  ['has(xs[1].b)', { xs: [{}] }],
  ['has(xs[0].a.b)', { xs: [{}] }],
  ['1 / n == 1', { n: 0n }],
  ['[][0] == 1', {}],
  ['unknown', {}],
  ['sets.contains(xs, [])', { xs: [{}] }],
];

/** Conditions over large lists, of which the cost exceeds the limit. */
const DEAR: readonly [text: string, context: Record<string, unknown>][] = [
  ['xs.all(x, xs.all(y, x != "a" && y != "b"))', { xs: many(2_000) }],
  ['xs.all(x, x in ys)', { xs: many(41), ys: many(80_000, 'OTHER').concat(many(41)) }],
  ['xs.exists(x, ys.exists_one(y, x == y) && false)', { xs: many(3_000), ys: many(3_000) }],
  ['xs.filter(x, ys.filter(y, x == y).size() > 1).size() == 0', { xs: many(3_000), ys: many(3_000) }],
  [
    'xs.map(x, ys.contains(x)).size() == xs.map(x, ys.lowerAscii()).size()',
    { xs: many(1_000), ys: 'a'.repeat(100_000) },
  ],
  ['xs.all(x, sets.contains(ys, [x]))', { xs: many(100), ys: many(80_000) }],
];

describe('the engine', () => {
  const engine = new CelEngine();

  for (const [text, context, result] of RESULTS)
    it(`evaluates ${text}`, () => assert.deepEqual(engine.run(parse(text), context), result));

  for (const [text, context] of FAILING)
    it(`fails to evaluate ${text}`, () => assert.throws(() => engine.run(parse(text), context)));

  it('fails with the same error as without a limit', () => {
    assert.throws(() => engine.within(LIMIT, () => engine.run(parse('a.b'), { a: {} })), /No such key: b/);
  });

  describe(`refuses to evaluate within ${LIMIT} units, in less than ${BLOCKED_MS} ms:`, () => {
    for (const [text, context] of DEAR) {
      it(text, () => {
        const condition = parse(text);
        const evaluate = () => engine.within(LIMIT, () => engine.run(condition, context));
        assert.throws(evaluate, TooExpensive);
        assertQuick(() => assert.throws(evaluate, TooExpensive));
      });
    }
  });

  it('refuses also if `||` hides the error of the operand that is too expensive', () => {
    const hidden = parse('xs.all(x, xs.all(y, x != "a" && y != "b")) || b');
    const context = { xs: many(2_000), b: true };
    assert.throws(() => engine.within(LIMIT, () => engine.run(hidden, context)), TooExpensive);
    assert.equal(engine.run(parse('b || a.b'), { b: true, a: {} }), true);
  });

  it('adds up the costs of several evaluations, and has no limit outside of within()', () => {
    const condition = parse('xs.all(x, x != "a")');
    const context = { xs: many(100_000) };
    assert.equal(engine.run(condition, context), true);
    assert.equal(
      engine.within(LIMIT, () => engine.run(condition, context)),
      true,
    );
    const often = () => {
      for (let i = 0; i < 100; i++) engine.run(condition, context);
    };
    assert.throws(() => engine.within(LIMIT, often), TooExpensive);
    assert.equal(engine.run(condition, context), true);
  });

  it('looks up keys in a large map in little time, and charges nothing for them', () => {
    const m = celValue(Object.fromEntries(many(80_000).map((name) => [name, 1])));
    const condition = parse('xs.all(x, x in m && m[x] == 1 && m.size() > 2)');
    const xs = many(1_000);
    assertQuick(() => {
      assert.equal(
        engine.within(LIMIT, () => engine.run(condition, { xs, m })),
        true,
      );
    });
  });
});

/** Garbage collection may slow down one of three runs, but a defect slows down all of them. */
function assertQuick(work: () => void): void {
  const times = Array.from({ length: 3 }, () => {
    const began = process.threadCpuUsage();
    work();
    return process.threadCpuUsage(began).user / 1000;
  });
  assert.ok(Math.min(...times) < BLOCKED_MS, `${times} ms`);
}

describe('a value of a manifest', () => {
  const engine = new CelEngine();

  it('has the types that it has in the API server', () => {
    const context = { o: celValue({ port: 8080, half: 0.5, none: null, list: [{ constructor: 'x' }, true] }) };
    for (const condition of [
      'o.port / 3 == 2693',
      'o.half < 1.0',
      'o.none == null',
      'o.list[0].constructor == "x"',
      'has(o.list[0].constructor)',
      'o.list[1]',
      'o.all(k, k in ["port", "half", "none", "list"])',
      '!("toString" in o)',
    ])
      assert.equal(engine.run(parse(condition), context), true, condition);
  });
});
