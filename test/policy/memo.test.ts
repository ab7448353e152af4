import assert from 'node:assert/strict';
import { perList, perObject } from '../../operator/policy/memo.ts';
import { collectGarbage } from '../support/garbage.ts';

describe('results that are remembered', () => {
  it('by object are made once for each', () => {
    let made = 0;
    const numberOf = perObject(() => ++made);
    const [one, other] = [{}, {}];
    assert.deepEqual([numberOf(one), numberOf(other), numberOf(one)], [1, 2, 1]);
  });

  it('computes the result for an object once, even if the result is undefined', () => {
    let made = 0;
    const nothing = perObject(() => void ++made);
    const one = {};
    assert.deepEqual([nothing(one), nothing(one), made], [undefined, undefined, 1]);
  });

  it('computes the result for a list once, if the list has the same objects in the same order', () => {
    let made = 0;
    const numberOf = perList(() => ++made);
    const [one, other] = [{}, {}];
    const lists = [[], [one], [one, other], [other, one], [one, other], [one], []];
    assert.deepEqual(lists.map(numberOf), [1, 2, 3, 4, 3, 2, 1]);
  });

  it('forgets the result for a list when an object of the list is garbage-collected', async () => {
    const kept = {};
    const forgotten = new Set<string>();
    const registry = new FinalizationRegistry<string>((name) => forgotten.add(name));
    const resultOf = perList((list) => ({ list }));
    registry.register(resultOf([kept]), 'kept');
    registry.register(resultOf([kept, {}]), 'forgotten');
    await collectGarbage(() => forgotten.size > 0);
    assert.deepEqual([...forgotten], ['forgotten']);
    assert.deepEqual(resultOf([kept]), { list: [kept] });
  });
});
