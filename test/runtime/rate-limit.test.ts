import assert from 'node:assert/strict';
import { RateLimit } from '../../operator/runtime/rate-limit.ts';

describe('RateLimit', () => {
  it('a rate limit admits a burst, then spaces the other callers, and refills', () => {
    let now = 0;
    const limit = new RateLimit(10, 2, () => now);
    const take = () => limit.take();
    assert.deepEqual([take(), take(), take(), take()], [0, 0, 100, 200]);
    now = 200;
    assert.equal(take(), 100);
    now = 10_000;
    assert.deepEqual([take(), take(), take()], [0, 0, 100]);
  });

  it('another() makes a rate limit with the same numbers, and the two limits share no tokens', () => {
    const limit = new RateLimit(10, 1, () => 0);
    assert.equal(limit.take(), 0);
    const another = limit.another();
    assert.deepEqual([another.take(), another.take(), limit.take()], [0, 100, 100]);
  });

  it('tryTake() gives available tokens, and no future tokens', () => {
    let now = 0;
    const limit = new RateLimit(10, 2, () => now);
    const tryTake = () => limit.tryTake();
    assert.deepEqual([tryTake(), tryTake(), tryTake(), tryTake()], [true, true, false, false]);
    now = 99;
    assert.equal(tryTake(), false);
    now = 100;
    assert.deepEqual([tryTake(), tryTake()], [true, false]);
  });
});
