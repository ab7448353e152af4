/** Tests the bisection that finds the policies whose rows the API server refuses. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { culpritsAmong } from '../../operator/apply/culprits.ts';
import { SEED } from '../support/seed.ts';

const NAMES = Array.from({ length: 60 }, (_, i) => `policy-${i}`);

/** Plays an API server that refuses a program if the policies `take` take their new rows and `refuses` is true. */
async function search(suspects: readonly string[], refuses: (taken: ReadonlySet<string>) => string | undefined) {
  let asked = 0;
  const found = await culpritsAmong(suspects, async (without) => {
    asked++;
    return refuses(new Set(suspects).difference(without));
  });
  return { found: [...found], asked };
}

describe('the policies whose rows the API server refuses', () => {
  it('are all found, with their messages, and no other policy', async () => {
    const bad = fc.tuple(fc.subarray(NAMES, { minLength: 1 }), fc.subarray(NAMES, { maxLength: 8 }));
    await fc.assert(
      fc.asyncProperty(bad, async ([suspects, culprits]) => {
        const expected = suspects.filter((name) => culprits.includes(name));
        const { found, asked } = await search(suspects, (taken) => {
          const [first] = expected.filter((name) => taken.has(name));
          return first && `refused because of ${first}`;
        });
        assert.deepEqual(
          found,
          expected.map((name) => [name, `refused because of ${name}`]),
        );
        assert.ok(asked <= 2 + expected.length * (2 + Math.ceil(Math.log2(suspects.length))), `${asked} questions`);
      }),
      { seed: SEED },
    );
  });

  it('are the newest, if the API server accepts each of them alone', async () => {
    const rows = NAMES.map((name) => [name, 3] as const);
    const { found } = await search(NAMES, (taken) =>
      rows.filter(([name]) => taken.has(name)).reduce((sum, [, length]) => sum + length, 0) > 170
        ? 'too long'
        : undefined,
    );
    assert.deepEqual(
      found,
      NAMES.slice(56).map((name) => [name, 'too long']),
    );
  });

  it('are none, if the API server also refuses the program without them', async () => {
    const { found, asked } = await search(NAMES, () => 'forbidden');
    assert.deepEqual({ found, asked }, { found: [], asked: 1 });
  });

  it('are none, if the API server refuses more rows than any cause explains', async () => {
    const { found } = await search(NAMES, (taken) => (taken.size > 0 ? 'frozen' : undefined));
    assert.deepEqual(found, []);
  });

  it('are none, if the API server accepts the program by now', async () => {
    assert.deepEqual(await search(NAMES, () => undefined), { found: [], asked: 2 });
  });
});
