import assert from 'node:assert/strict';
import { WATCH_LAG_MS, Writes } from '../../operator/apply/writes.ts';
import type { ApiClient } from '../../operator/cluster/client.ts';
import type { RenderedObject } from '../../operator/model/objects.ts';
import { keyOf, liveObjects } from '../../operator/state/live.ts';

const ROLE = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'it', labels: {}, ownerReferences: [{ uid: 'owner' }] },
  rules: [],
};

let now: number;
const clock = { now: () => now };

describe('a write that the watch has not shown yet', () => {
  let version: number;
  let writes: Writes;
  let told: string[];
  let removed: string[];

  beforeEach(() => {
    now = 0;
    version = 0;
    told = [];
    removed = [];
    const client = {
      remove: async (_path: string, { uid }: { uid: string }) => void removed.push(uid),
      apply: async (object: typeof ROLE) => {
        version++;
        return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
      },
    };
    writes = new Writes(client as unknown as ApiClient, { onWrite: (action) => told.push(action), clock });
  });

  const shown = (resourceVersion: string) =>
    liveObjects([{ ...ROLE, metadata: { ...ROLE.metadata, resourceVersion } } as RenderedObject]);
  const nothing = liveObjects([]);

  it('is not repeated', async () => {
    assert.equal(await writes.ensure(ROLE, nothing), true);
    assert.equal(await writes.ensure(ROLE, nothing), false);
    assert.equal(await writes.ensure(ROLE, shown('1')), false);
    assert.deepEqual(told, ['created']);
  });

  it('a role with an aggregationRule is replaced by a new role, because the API server refuses to change it', async () => {
    await writes.ensure(ROLE, nothing);
    now += WATCH_LAG_MS;
    const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { team: 'a' } }] };
    const changed = { ...ROLE, aggregationRule, metadata: { ...ROLE.metadata, uid: 'u', resourceVersion: '2' } };
    assert.equal(await writes.ensure(ROLE, liveObjects([changed as unknown as RenderedObject])), true);
    assert.deepEqual([told, removed], [['created', 'repaired'], ['u']]);
  });

  it('a write counts as a repair if it restores the last write, and as an update if the wanted text has changed', async () => {
    await writes.ensure(ROLE, nothing);
    now += WATCH_LAG_MS;
    await writes.ensure(ROLE, nothing);
    const rules = [{ verbs: ['use'] }];
    now += WATCH_LAG_MS;
    await writes.ensure({ ...ROLE, rules }, shown('2'));
    await writes.remove(shown('3').values().next().value as RenderedObject);
    await writes.ensure({ ...ROLE, rules }, nothing);
    assert.deepEqual(told, ['created', 'repaired', 'updated', 'deleted', 'created']);
  });

  for (const [title, wanted, expected] of [
    ['a deleted object is repaired, even if passes do not write the object at once', [keyOf(ROLE)], 'repaired'],
    ['if no policy needed a deleted object for some time, a later write of the object is not a repair', [], 'created'],
  ] as const) {
    it(title, async () => {
      await writes.ensure(ROLE, nothing);
      writes.live([...shown('1').values()]);
      for (let pass = 0; pass < 3; pass++) {
        writes.live([]);
        writes.keep(new Set(wanted));
      }
      await writes.ensure(ROLE, writes.live([]));
      assert.deepEqual(told, ['created', expected]);
    });
  }

  it('a write that changes nothing is not a repair, because only the watch lags', async () => {
    await writes.ensure(ROLE, nothing);
    now += WATCH_LAG_MS;
    // If an apply changes nothing, the API server answers with the unchanged object.
    version = 0;
    assert.equal(await writes.ensure(ROLE, nothing), false);
    assert.deepEqual(told, ['created']);
    assert.equal(writes.mayBeUndone, true);
  });

  it('mayBeUndone is true until the watch shows the write, because somebody may have reverted the write', async () => {
    assert.equal(writes.mayBeUndone, false);
    await writes.ensure(ROLE, nothing);
    assert.equal(writes.mayBeUndone, true);
    writes.live([...shown('1').values()]);
    assert.equal(writes.mayBeUndone, false);
  });

  it('if the watch does not show a write for long, the write is repeated, because somebody deleted the object', async () => {
    await writes.ensure(ROLE, nothing);
    now += WATCH_LAG_MS;
    assert.equal(await writes.ensure(ROLE, nothing), true);
    assert.equal(writes.mayBeUndone, true);
  });

  it('a write is forgotten when no policy needs the object any more', async () => {
    await writes.ensure(ROLE, nothing);
    now += WATCH_LAG_MS;
    writes.live([]);
    assert.equal(writes.mayBeUndone, false);
  });

  it('mayBeUndone is true until a later pass sees the write in the watch, even if the write became overdue during a pass', async () => {
    await writes.ensure(ROLE, nothing);
    const live = writes.live([]);
    now += WATCH_LAG_MS;
    writes.isCurrent(ROLE, live);
    assert.equal(writes.mayBeUndone, true);
    assert.equal(writes.live([]).size, 0);
    assert.equal(writes.mayBeUndone, false);
  });

  it('a pass sees its own write, even if the write became overdue during the pass', async () => {
    const live = writes.live([]);
    await writes.ensure(ROLE, live);
    now += WATCH_LAG_MS;
    assert.equal(writes.latest(live).get(keyOf(ROLE))?.metadata.resourceVersion, '1');
  });

  it('if the wanted object has changed, an earlier write does not count as the wanted object', async () => {
    await writes.ensure(ROLE, nothing);
    assert.equal(await writes.ensure({ ...ROLE, rules: [{ verbs: ['use'] }] }, nothing), true);
    assert.deepEqual(told, ['created', 'updated']);
  });

  it('counts the object as live', async () => {
    await writes.ensure(ROLE, nothing);
    assert.equal(writes.live([]).size, 1);
    now += WATCH_LAG_MS;
    assert.equal(writes.live([]).size, 0, 'somebody deleted it at once');
  });

  it('no write begins after the end of the term', async () => {
    const term = new AbortController();
    const client = { apply: () => assert.fail('a write was begun') };
    writes = new Writes(client as unknown as ApiClient, { onWrite: assert.fail, clock, signal: term.signal });
    term.abort(new Error('the term is over'));
    await assert.rejects(writes.ensure(ROLE, nothing), /the term is over/);
  });
});

describe('a deletion that the watch has not shown yet', () => {
  const seen = { ...ROLE, metadata: { ...ROLE.metadata, uid: 'first', resourceVersion: '5' } } as RenderedObject;
  const other = (metadata: object) => ({ ...seen, metadata: { ...seen.metadata, ...metadata } });
  let writes: Writes;
  let applied: number;

  beforeEach(async () => {
    now = 0;
    applied = 0;
    const client = {
      async remove() {},
      async apply() {
        applied++;
        return other({ uid: 'second', resourceVersion: '9' });
      },
    };
    writes = new Writes(client as unknown as ApiClient, { onWrite() {}, clock });
    await writes.remove(seen);
  });

  it('counts at once', () => assert.equal(writes.live([seen]).size, 0));

  it('a deleted object is written again when a policy needs the object again', async () => {
    assert.equal(await writes.ensure(ROLE, liveObjects([seen])), true);
    assert.deepEqual([applied, await writes.ensure(ROLE, liveObjects([seen]))], [1, false]);
  });

  for (const [what, now] of [
    ['a finalizer keeps the object', other({ resourceVersion: '6', deletionTimestamp: '2026-01-01T00:00:00Z' })],
    ['another object has its name', other({ uid: 'third', resourceVersion: '4' })],
  ] as const) {
    it(`ends when ${what}`, () => assert.deepEqual([...writes.live([now]).values()], [now]));
  }

  it('the deletion counts for any delay of the watch, even if the watch first shows earlier changes', () => {
    now += 1_000 * WATCH_LAG_MS;
    for (const older of [seen, other({ resourceVersion: '6' })]) assert.equal(writes.live([older]).size, 0);
  });
});
