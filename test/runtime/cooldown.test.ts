import assert from 'node:assert/strict';
import { Cooldown } from '../../operator/runtime/cooldown.ts';

describe('Cooldown', () => {
  let now = 0;
  const clock = { now: () => now };
  const working = (ms: number) => () => {
    now += ms;
    return 'done';
  };

  it("lasts a multiple of the work's time", () => {
    const cooldown = new Cooldown({ times: 9, clock });
    assert.equal(cooldown.after('a', working(20)), 'done');
    assert.equal(cooldown.left('a'), 180);
    now += 100;
    assert.equal(cooldown.left('a'), 80);
    now += 100;
    assert.equal(cooldown.left('a'), 0);
  });

  it('a cooldown has a limit, can be dropped, and does not affect other keys', () => {
    const cooldown = new Cooldown({ times: 9, mostMs: 500, clock });
    cooldown.after('a', working(1_000));
    assert.equal(cooldown.left('a'), 500);
    assert.equal(cooldown.left('b'), 0);
    cooldown.forget('a');
    assert.equal(cooldown.left('a'), 0);
  });
});
