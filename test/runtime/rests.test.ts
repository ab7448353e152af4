import assert from 'node:assert/strict';
import { Rests } from '../../operator/runtime/rests.ts';

describe('rests', () => {
  let now = 0;
  const clock = { now: () => now };
  const working = (ms: number) => () => {
    now += ms;
    return 'done';
  };

  it('are so many times as long as the work was', () => {
    const rests = new Rests({ times: 9, clock });
    assert.equal(rests.after('a', working(20)), 'done');
    assert.equal(rests.left('a'), 180);
    now += 100;
    assert.equal(rests.left('a'), 80);
    now += 100;
    assert.equal(rests.left('a'), 0);
  });

  it('are of one key, and no longer than they may be', () => {
    const rests = new Rests({ times: 9, mostMs: 500, clock });
    rests.after('a', working(1_000));
    assert.equal(rests.left('a'), 500);
    assert.equal(rests.left('b'), 0);
    rests.forget('a');
    assert.equal(rests.left('a'), 0);
  });
});
