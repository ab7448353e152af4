import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import * as util from '../../ui/platform/util.ts';

/**
 * Random values. YAML can represent some values that JSON cannot represent: not-a-number, negative zero, and absent
 * values.
 */
const value = fc.anything({
  values: [
    fc.constantFrom(null, undefined, true, 0, -0, 1, Number.NaN, Number.POSITIVE_INFINITY, '', '0', 'a', '__proto__'),
    fc.double(),
    fc.string(),
  ],
  maxDepth: 3,
  withNullPrototype: false,
});

describe("ui/platform: Node's modules in the browser", () => {
  it('isDeepStrictEqual() gives the same answer as in Node for values that YAML can represent', () => {
    const answers = { true: 0, false: 0 };
    const pair = fc.oneof(
      fc.tuple(value, value),
      value.map((one): [unknown, unknown] => [one, structuredClone(one)]),
      // The next pair has the same keys in different orders. In the last pair, one object may have an additional key.
      fc.dictionary(fc.constantFrom('a', 'b', 'c'), value).map((one): [unknown, unknown] => [one, reversed(one)]),
      fc
        .dictionary(fc.constantFrom('a', 'b', 'c'), value)
        .map((one): [unknown, unknown] => [one, { ...one, c: undefined }]),
    );
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const answer = isDeepStrictEqual(a, b);
        answers[`${answer}`] += 1;
        assert.equal(util.isDeepStrictEqual(a, b), answer);
      }),
      { numRuns: 2000 },
    );
    assert.ok(answers.true > 200 && answers.false > 200, JSON.stringify(answers));
  });
});

function reversed(object: object): object {
  return Object.fromEntries(Object.entries(object).toReversed());
}
