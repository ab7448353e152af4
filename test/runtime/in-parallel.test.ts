import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { inParallel } from '../../operator/runtime/in-parallel.ts';

describe('inParallel', () => {
  it('works on the allowed number of items in parallel, in the order of the items', async () => {
    const [begun, most]: [number[], number[]] = [[], []];
    let running = 0;
    await inParallel([0, 1, 2, 3, 4], 2, async (item) => {
      begun.push(item);
      most.push(++running);
      await setImmediate();
      running--;
    });
    assert.deepEqual(begun, [0, 1, 2, 3, 4]);
    assert.equal(Math.max(...most), 2);
  });

  it('throws the first error after the running items have ended, and begins no more items', async () => {
    const ended: number[] = [];
    const work = async (item: number) => {
      if (item === 0) throw new Error('first');
      await setImmediate();
      ended.push(item);
    };
    await assert.rejects(inParallel([0, 1, 2, 3], 2, work), /first/);
    assert.deepEqual(ended, [1]);
  });
});
