import assert from 'node:assert/strict';
import { Settling } from '../../operator/runtime/settling.ts';

describe('Settling', () => {
  let now: number;
  let settling: Settling;
  /** The calls that the test makes while the code under test waits. Each entry has the time and the call. */
  let later: [number, () => void][];

  beforeEach(() => {
    now = 0;
    later = [];
    const clock = {
      now: () => now,
      async sleep(ms: number, signal?: AbortSignal) {
        const until = now + ms;
        for (const [at, happens] of later.filter(([at]) => at <= until)) {
          now = at;
          happens();
          later = later.filter(([other]) => other > at);
          if (signal?.aborted) return;
        }
        now = until;
      },
    };
    settling = new Settling({ quietMs: 300, mostMs: 10_000, clock });
  });

  it('waits for nothing when nothing has changed', async () => {
    await settling.settled();
    assert.deepEqual([now, settling.isSettled], [0, true]);
  });

  it('waits until nothing has changed for some time', async () => {
    settling.changed();
    later = [250, 500].map((at) => [at, () => settling.changed()]);
    await settling.settled();
    assert.equal(now, 800);
  });

  it('stops waiting after the maximum wait, even if the changes continue', async () => {
    settling.changed();
    later = Array.from({ length: 200 }, (_, index) => [(index + 1) * 100, () => settling.changed()]);
    await settling.settled();
    assert.equal(now, 10_000);
    settling.changed();
    assert.ok(settling.isSettled);
  });

  it('waits again after the changes were used', async () => {
    settling.changed();
    await settling.settled();
    settling.begin();
    now = 20_000;
    settling.changed();
    await settling.settled();
    assert.equal(now, 20_300);
  });

  it('ends at once when somebody needs it', async () => {
    settling.changed();
    later = [[100, () => settling.hurry()]];
    await settling.settled();
    assert.equal(now, 100);
    settling.begin();
    settling.changed();
    assert.ok(!settling.isSettled);
  });
});
