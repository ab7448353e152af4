import assert from 'node:assert/strict';
import { setImmediate as nextRound, setTimeout as wait } from 'node:timers/promises';
import { Turns } from '../../operator/runtime/turns.ts';

/** Work in `count` steps. Each step advances the clock by `each` milliseconds. */
function* work(clock: { ms: number }, count: number, each: number, done: number[] = []): Generator<void, string> {
  for (let i = 0; i < count; i++) {
    clock.ms += each;
    done.push(i);
    yield;
  }
  return 'done';
}

describe('turns', () => {
  it('run() returns the result of the work and the time that the work took', async () => {
    const clock = { ms: 0 };
    const turns = new Turns({ now: () => clock.ms });
    assert.deepEqual(await turns.run(work(clock, 7, 3), () => true), { result: 'done', spentMs: 21 });
  });

  it('let timers fire wherever long work yields', async () => {
    const clock = { ms: 0 };
    const done: number[] = [];
    const running = new Turns({ now: () => clock.ms }).run(work(clock, 100_000, 20, done), () => true);
    await wait(5);
    assert.ok(done.length > 0 && done.length < 100_000, `${done.length} yields`);
    await running;
  });

  it('combine short stretches of work', async () => {
    const clock = { ms: 0 };
    const done: number[] = [];
    const running = new Turns({ now: () => clock.ms }).run(work(clock, 100, 1, done), () => true);
    await nextRound();
    await nextRound();
    assert.ok(done.length >= 10, `${done.length} yields`);
    await running;
  });

  it('only one task works in each round, even if many tasks exist', async () => {
    const clock = { ms: 0 };
    const turns = new Turns({ now: () => clock.ms });
    const works = Array.from({ length: 8 }, () => turns.run(work(clock, 20, 20), () => true));
    let most = 0;
    for (let before = clock.ms; before < 8 * 20 * 20; ) {
      await nextRound();
      most = Math.max(most, clock.ms - before);
      before = clock.ms;
    }
    assert.ok(most <= 40, `${most} ms in a round`);
    await Promise.all(works);
  });

  it('if the work must stop, the turns end without a result', async () => {
    const clock = { ms: 0 };
    const done: number[] = [];
    const running = new Turns({ now: () => clock.ms }).run(work(clock, 1_000, 20, done), () => done.length < 3);
    assert.equal(await running, undefined);
    assert.equal(done.length, 3);
  });

  it('continue after work that failed', async () => {
    const turns = new Turns({ now: () => 0 });
    const failing = (function* (): Generator<void, void> {
      yield;
      throw new Error('failed');
    })();
    await assert.rejects(
      turns.run(failing, () => true),
      /failed/,
    );
    const clock = { ms: 0 };
    assert.equal((await turns.run(work(clock, 1, 1), () => true))?.result, 'done');
  });
});
