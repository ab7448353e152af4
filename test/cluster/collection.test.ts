import assert from 'node:assert/strict';
import { Collection } from '../../operator/cluster/collection.ts';
import { WrittenCollection } from '../../operator/cluster/written-collection.ts';
import type { RawObject } from '../../operator/model/raw.ts';

interface View {
  readonly name: string;
  readonly level: string;
}

const raw = (name: string, level = 'a', namespace = 'net'): RawObject => ({ metadata: { namespace, name }, level });

describe('Collection', () => {
  let changed: string[];
  let collection: Collection<View>;

  beforeEach(() => {
    changed = [];
    collection = new Collection<View>({
      project: ({ metadata, level }) =>
        level === 'dropped' ? undefined : { name: metadata?.name ?? '', level: String(level) },
      changed: ({ name }) => changed.push(name),
    });
  });

  const names = (namespace = 'net') => collection.in(namespace).map(({ name }) => name);

  it('a collection keeps views by namespace, sorted by the names of the objects', () => {
    for (const name of ['b', 'a-b', 'a']) collection.put(raw(name));
    collection.put(raw('z', 'a', 'other'));
    assert.deepEqual(names(), ['a', 'a-b', 'b']);
    collection.put(raw('aa'));
    assert.deepEqual(names(), ['a', 'a-b', 'aa', 'b']);
    assert.deepEqual(
      [...collection.all()].map(({ name }) => name),
      ['a', 'a-b', 'aa', 'b', 'z'],
    );
    assert.deepEqual(names('none'), []);
  });

  it('a collection reports a change of an object only when the projection of the object changes', () => {
    collection.put({ ...raw('a'), note: 1 });
    collection.put({ ...raw('a'), note: 2 });
    assert.deepEqual(changed, ['a']);
    collection.put(raw('a', 'b'));
    assert.deepEqual(changed, ['a', 'a']);
    assert.equal(collection.get('net', 'a')?.level, 'b');
  });

  it('a collection drops deleted objects, and objects that have no projection any longer', () => {
    for (const name of ['a', 'b', 'c']) collection.put(raw(name));
    collection.remove(raw('a'));
    collection.remove(raw('unknown'));
    collection.put(raw('b', 'dropped'));
    assert.deepEqual(names(), ['c']);
    assert.deepEqual(changed, ['a', 'b', 'c', 'a', 'b']);
  });

  it('a collection reports only the differences between its objects and a new list', () => {
    for (const name of ['a', 'b', 'c']) collection.put(raw(name));
    changed = [];
    collection.listing();
    collection.put(raw('a'));
    collection.put(raw('b', 'b'));
    collection.put(raw('d'));
    assert.deepEqual(names(), ['a', 'b', 'c', 'd'], 'nothing is deleted before the list is complete');
    collection.listed();
    assert.deepEqual(names(), ['a', 'b', 'd']);
    assert.deepEqual(changed, ['b', 'd', 'c']);
  });

  it('a collection removes no object when a list breaks off and begins again', () => {
    for (const name of ['a', 'b']) collection.put(raw(name));
    collection.listing();
    collection.put(raw('a'));
    collection.listing();
    collection.put(raw('b'));
    collection.put(raw('a'));
    collection.listed();
    assert.deepEqual(names(), ['a', 'b']);
  });

  it('is synced after its first list', async () => {
    let synced = false;
    void collection.synced.then(() => {
      synced = true;
    });
    collection.listing();
    collection.put(raw('a'));
    await Promise.resolve();
    assert.equal(synced, false);
    collection.listed();
    await collection.synced;
    assert.equal(synced, true);
  });
});

describe('WrittenCollection', () => {
  let collection: WrittenCollection<string>;
  const at = (version: number, level = 'a'): RawObject => ({
    metadata: { namespace: 'net', name: 'it', resourceVersion: String(version) },
    level,
  });
  const level = () => collection.get('net', 'it');

  beforeEach(() => {
    collection = new WrittenCollection<string>({ project: (raw) => String(raw.level), changed: () => {} });
  });

  it('after a write of the operator, a collection has the new object even before the watch shows the object', () => {
    collection.put(at(9));
    collection.wrote(at(10, 'b'));
    assert.equal(level(), 'b');
  });

  it('a collection forgets an object if the watch shows the deletion before the answer to the write arrives', () => {
    collection.put(at(9));
    collection.remove(at(11));
    collection.wrote(at(10, 'b'));
    assert.equal(level(), undefined);
  });

  it('a collection keeps a later change if the watch shows the change before the answer to the write arrives', () => {
    collection.put(at(11, 'c'));
    collection.wrote(at(10, 'b'));
    assert.equal(level(), 'c');
  });
});
