/**
 * Measures the memory of a live snapshot in a thread of its own, and posts the results to live-memory.test.ts. The heap
 * of a thread has only what the thread keeps, so other tests of the process neither change the results nor make garbage
 * collections take long.
 */
import { parentPort } from 'node:worker_threads';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { Feed } from '../../cli/commands/ui/feed.ts';
import { LiveSnapshot } from '../../cli/commands/ui/live-snapshot.ts';
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import { runToEnd } from '../../operator/policy/run-to-end.ts';
import { heapUsed } from '../support/garbage.ts';
import { largeCluster } from '../support/large-cluster.ts';
import { ALL_RIGHTS } from '../support/snapshots.ts';

export interface Measured {
  /** Edits of a policy while one of two pages stops reading: the growth of the memory, and the sent text, in bytes. */
  readonly edits: { readonly growth: number; readonly sent: number };
  /** The growth of the memory and of the text of the document with 200 more namespaces, in bytes. */
  readonly namespaces: { readonly heap: number; readonly text: number };
}

const OPTIONS = { operatorNamespace: 'operator', excludedNamespaces: ['kube-*'], context: 'test' };
const SIZES = { pods: 1_500, namespaces: 100, policies: 15 };
/** The name of a policy that selects every namespace. */
const POLICY = 'restricted-everywhere';
const EDITS = 20;
const COMPILING_RUNS = 1;
/** The median of an odd number of runs counts. */
const MEASURED_RUNS = 3;

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

async function measureEdits(): Promise<Measured['edits']> {
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
  return { growth, sent };
}

async function measureNamespaces(): Promise<Measured['namespaces']> {
  const measure = async (namespaces: number) => {
    const cluster = largeCluster({ ...SIZES, namespaces, pods: 20 * namespaces });
    const before = await heapUsed();
    const live = new LiveSnapshot(cluster, ALL_RIGHTS, OPTIONS);
    const document = runToEnd(live.taking());
    const heap = (await heapUsed()) - before;
    // The snapshot must stay alive until here.
    if (live.hasExpired(0)) throw new Error('no policy of the cluster has an end');
    return { heap, text: JSON.stringify(document).length };
  };
  const growth = async () => {
    const [small, large] = [await measure(40), await measure(240)];
    return { heap: large.heap - small.heap, text: large.text - small.text };
  };
  // The first runs also compile code, which takes memory once, whatever the number of namespaces is.
  for (let run = 0; run < COMPILING_RUNS; run++) await growth();
  const runs: Awaited<ReturnType<typeof growth>>[] = [];
  while (runs.length < MEASURED_RUNS) runs.push(await growth());
  return runs.sort((a, b) => a.heap - b.heap)[(MEASURED_RUNS - 1) / 2] as Measured['namespaces'];
}

parentPort?.postMessage({ edits: await measureEdits(), namespaces: await measureNamespaces() } satisfies Measured);
