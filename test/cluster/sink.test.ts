import assert from 'node:assert/strict';
import { Collection } from '../../operator/cluster/collection.ts';
import { bufferUntilListed } from '../../operator/cluster/sink.ts';
import type { RawObject } from '../../operator/model/raw.ts';

const raw = (name: string, level: string): RawObject => ({ metadata: { name }, level });

describe('a sink that accepts only complete lists', () => {
  const collection = new Collection({
    project: ({ metadata, level }) => `${metadata?.name} ${level}`,
    changed: () => {},
  });
  const sink = bufferUntilListed(collection);
  const list = (...objects: RawObject[]) => {
    sink.listing();
    for (const object of objects) sink.put(object);
  };
  const known = () => [...collection.all()];

  it('the sink passes on a list only after the end of the list', () => {
    list(raw('moves-away', 'old'), raw('takes-over', 'old'), raw('goes', 'old'));
    assert.deepEqual(known(), []);
    sink.listed();
    assert.deepEqual(known(), ['goes old', 'moves-away old', 'takes-over old']);
  });

  it('the sink passes on no object of a list that breaks off, but passes on all objects of the next list', () => {
    const before = known();
    list(raw('moves-away', 'new'));
    assert.deepEqual(known(), before);
    list(raw('moves-away', 'new'), raw('takes-over', 'new'), raw('went', 'new'));
    sink.remove(raw('went', 'new'));
    sink.listed();
    assert.deepEqual(known(), ['moves-away new', 'takes-over new']);
  });

  it('the sink passes on events after a list immediately', () => {
    sink.put(raw('takes-over', 'newer'));
    sink.remove(raw('moves-away', 'new'));
    assert.deepEqual(known(), ['takes-over newer']);
  });
});
