/**
 * Tests the memory of a live snapshot. The command `cappol ui` may run for days with a cluster that changes all the
 * time.
 */
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { Feed } from '../../cli/commands/ui/feed.ts';
import { LiveSnapshot } from '../../cli/commands/ui/live-snapshot.ts';
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import { runToEnd } from '../../operator/policy/run-to-end.ts';
import { largeCluster } from '../support/large-cluster.ts';
import { ALL_RIGHTS } from '../support/snapshots.ts';

const OPTIONS = { operatorNamespace: 'operator', excludedNamespaces: ['kube-*'], context: 'test' };
const SIZES = { pods: 1_500, namespaces: 100, policies: 15 };
/** The name of a policy that selects every namespace. */
const POLICY = 'restricted-everywhere';
const EDITS = 20;
/** The maximum growth of the memory in bytes. One document would take more memory. */
const MOST_GROWTH = 1_000_000;
/**
 * The maximum number of bytes of memory for each byte of the document's text. The snapshot shares names and labels with
 * the cluster. However, each object of the snapshot has a separate header in memory.
 */
const MOST_OF_TEXT = 2;

/** A cluster in which the level of a policy changes. */
class Edited {
  readonly cluster: Cluster;
  #policies: readonly CompletePolicy[];

  constructor(cluster: Cluster) {
    this.#policies = cluster.policies();
    const policy = (name: string) => this.#policies.find(({ metadata }) => metadata?.name === name);
    this.cluster = { ...cluster, policies: () => this.#policies, policy };
  }

  edit(level: 'baseline' | 'restricted', generation: number): void {
    this.#policies = this.#policies.map((one) => {
      if (one.metadata?.name !== POLICY) return one;
      return { ...one, metadata: { ...one.metadata, generation }, spec: { ...one.spec, level } };
    });
  }
}

async function heapUsed(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // The engine clears weak references only after the current turn of the event loop has ended.
  for (let round = 0; round < 3; round++) {
    await setImmediate();
    collect();
  }
  return process.memoryUsage().heapUsed;
}

describe('the memory of cappol ui', () => {
  it('the memory does not grow with changes, even if one of two pages stops reading', async () => {
    const edited = new Edited(largeCluster(SIZES));
    const live = new LiveSnapshot(edited.cluster, ALL_RIGHTS, OPTIONS);
    const shown: { context: string; snapshot: Snapshot } = { context: 'test', snapshot: runToEnd(live.taking()) };
    const feed = new Feed([shown]);
    const closing = new AbortController();
    const [reading, stalled] = [feed.events(closing.signal), feed.events(closing.signal)];
    for (let text = ''; !text.startsWith('event: snapshot'); ) text = (await stalled.next()).value ?? '';
    let sent = 0;
    const edit = async (index: number) => {
      edited.edit(index % 2 === 0 ? 'baseline' : 'restricted', index);
      live.apply({ of: 'policy', name: POLICY });
      shown.snapshot = runToEnd(live.taking());
      feed.update();
      for (let text = ''; text !== '\n\n'; sent += text.length) text = (await reading.next()).value ?? '';
    };
    // Before any change, the reader gets the prelude, the contexts and the whole snapshot.
    for (let ends = 0; ends < 2; ) if ((await reading.next()).value === '\n\n') ends += 1;
    for (let index = 0; index < 4; index++) await edit(index);
    const before = await heapUsed();
    sent = 0;
    for (let index = 0; index < EDITS; index++) await edit(index);
    const growth = (await heapUsed()) - before;
    closing.abort();
    assert.ok(sent > EDITS * 10_000, `${sent} bytes were sent`);
    assert.ok(growth < MOST_GROWTH, `${growth} bytes after ${EDITS} changes, whose text has ${sent}`);
  });

  it(`grows with the number of namespaces by less than ${MOST_OF_TEXT} times the text of the document`, async () => {
    const measure = async (namespaces: number) => {
      const cluster = largeCluster({ ...SIZES, namespaces, pods: 20 * namespaces });
      const before = await heapUsed();
      const live = new LiveSnapshot(cluster, ALL_RIGHTS, OPTIONS);
      const document = runToEnd(live.taking());
      const heap = (await heapUsed()) - before;
      assert.equal(live.hasExpired(0), false);
      return { heap, text: JSON.stringify(document).length };
    };
    const [small, large] = [await measure(40), await measure(240)];
    const [heap, text] = [large.heap - small.heap, large.text - small.text];
    console.log(`      ${heap} bytes for ${text} bytes of text`);
    assert.ok(heap < MOST_OF_TEXT * text, `${heap} bytes for ${text} bytes of text`);
  });
});
