import assert from 'node:assert/strict';
import { ApiError, type Query, type WatchEvent, type WatchOptions } from '../../operator/cluster/client.ts';
import type { RawObject, RawPage } from '../../operator/cluster/raw.ts';
import { type Reader, reflect, type Sink, type Source } from '../../operator/cluster/reflector.ts';
import { RecordingLog } from './recording-log.ts';

const object = (name: string, resourceVersion = '1'): RawObject => ({ metadata: { name, resourceVersion } });
const event = (type: WatchEvent['type'], name: string, version: string): WatchEvent => ({
  type,
  object: object(name, version),
});
const failure = (status: number, message = 'no') => new ApiError({ status, reason: 'Why', message, causes: [] });

/** A list ends with its resourceVersion, a watch or both with an error; what follows the last one never ends. */
type Step =
  | { readonly list: readonly (readonly string[])[]; readonly version?: string; readonly error?: Error }
  | { readonly watch: readonly WatchEvent[]; readonly error?: Error };

class ScriptedReader implements Reader {
  readonly calls: string[] = [];
  readonly watched: { query: Query; idleMs: number | undefined }[] = [];
  readonly #steps: Step[];
  readonly #done: () => void;

  constructor(steps: Step[], done: () => void) {
    this.#steps = [...steps];
    this.#done = done;
  }

  async list(_path: string, query: Query, onPage: (page: RawPage) => void): Promise<string> {
    this.calls.push('list');
    const step = this.#steps.shift();
    if (!step || !('list' in step)) return this.#end(query);
    for (const names of step.list) onPage({ items: names.map((name) => object(name)) });
    if (step.error) throw step.error;
    return step.version ?? '1';
  }

  async watch(_path: string, query: Query, onEvent: (event: WatchEvent) => void, options: WatchOptions = {}) {
    this.calls.push(`watch from ${query.resourceVersion}`);
    this.watched.push({ query, idleMs: options.idleMs });
    const step = this.#steps.shift();
    if (!step || !('watch' in step)) return void this.#end(query);
    for (const each of step.watch) onEvent(each);
    if (step.error) throw step.error;
  }

  #end(_query: Query): string {
    this.#done();
    return '1';
  }
}

/** Plays `steps`, and says what the sink was told and how the reader was asked. */
async function play(steps: Step[], source: Partial<Source> = {}, sink: Partial<Sink> = {}) {
  const told: string[] = [];
  const abort = new AbortController();
  const reader = new ScriptedReader(steps, () => abort.abort());
  const log = new RecordingLog();
  const recording: Sink = {
    listing: () => told.push('listing'),
    put: ({ kind, metadata }) => told.push(`put ${kind} ${metadata?.name}`),
    remove: ({ kind, metadata }) => told.push(`remove ${kind} ${metadata?.name}`),
    listed: () => told.push('listed'),
    ...sink,
  };
  await reflect(reader, { apiVersion: 'v1', kind: 'Pod', ...source }, recording, abort.signal, { log });
  return { told, calls: reader.calls, watched: reader.watched, log };
}

describe('reflect', () => {
  it('lists all pages, then watches from there, and hands out everything with its kind', async () => {
    const { told, calls } = await play([
      { list: [['a', 'b'], ['c']], version: '7' },
      { watch: [event('ADDED', 'd', '8'), event('MODIFIED', 'a', '9'), event('DELETED', 'b', '10')] },
    ]);
    const list = ['listing', 'put Pod a', 'put Pod b', 'put Pod c', 'listed'];
    assert.deepEqual(told, [...list, 'put Pod d', 'put Pod a', 'remove Pod b']);
    assert.deepEqual(calls, ['list', 'watch from 7', 'watch from 10']);
  });

  it('goes on from the last event or bookmark, without a new list, when a watch breaks', async () => {
    const { told, calls } = await play([
      { list: [[]], version: '7' },
      { watch: [event('ADDED', 'a', '8')], error: new Error('other side closed') },
      { watch: [event('BOOKMARK', '', '20')] },
      { watch: [], error: failure(500) },
    ]);
    assert.deepEqual(calls, ['list', 'watch from 7', 'watch from 8', 'watch from 20', 'watch from 20']);
    assert.deepEqual(told, ['listing', 'listed', 'put Pod a']);
  });

  it('lists again when its resourceVersion has expired', async () => {
    const { told, calls } = await play([
      { list: [['a']], version: '7' },
      { watch: [], error: failure(410) },
      { list: [['b']], version: '30' },
    ]);
    assert.deepEqual(calls, ['list', 'watch from 7', 'list', 'watch from 30']);
    assert.deepEqual(told, ['listing', 'put Pod a', 'listed', 'listing', 'put Pod b', 'listed']);
  });

  it('begins a list anew that broke between two pages', async () => {
    const { told } = await play([{ list: [['a']], error: failure(410) }, { list: [['a', 'b']] }]);
    assert.deepEqual(told, ['listing', 'put Pod a', 'listing', 'put Pod a', 'put Pod b', 'listed']);
  });

  it('asks for bookmarks and an end, and for no silence much beyond it', async () => {
    const { watched } = await play([{ list: [[]] }], { labelSelector: 'a=b' });
    const { query, idleMs = 0 } = watched[0] ?? assert.fail('nothing was watched');
    assert.equal(query.allowWatchBookmarks, true);
    assert.equal(query.labelSelector, 'a=b');
    const seconds = Number(query.timeoutSeconds);
    assert.ok(seconds >= 300 && seconds <= 450, `${seconds} s`);
    assert.ok(idleMs > seconds * 1000 && idleMs <= seconds * 1000 + 60_000, `${idleMs} ms`);
  });

  it('waits longer after each failure in a row', async () => {
    const started = performance.now();
    await play([{ list: [[]] }, { watch: [], error: failure(500) }, { watch: [], error: failure(500) }]);
    const waited = performance.now() - started;
    // 0.2 s and 0.4 s, a quarter more or less.
    assert.ok(waited >= 450 && waited < 1200, `${waited} ms`);
  });

  it('logs a failure once for as long as it stays the same, and that it is over', async () => {
    const { log } = await play([
      { list: [[]], error: failure(403, 'forbidden') },
      { list: [[]], error: failure(403, 'forbidden') },
      { list: [[]] },
      { watch: [event('ADDED', 'a', '2')], error: failure(403, 'forbidden') },
    ]);
    assert.deepEqual(log.messages('warn'), Array(2).fill('following interrupted, trying again'));
    assert.deepEqual(log.messages('info'), ['following again']);
  });

  it('waits for a kind that is not served yet, and says so once', async () => {
    const { told, log } = await play([
      { list: [], error: failure(404) },
      { list: [], error: failure(404) },
      { list: [['a']] },
    ]);
    assert.deepEqual(told, ['listing', 'listing', 'listing', 'put Pod a', 'listed']);
    assert.deepEqual(log.messages('warn'), ['the API server does not serve this kind yet, waiting for it']);
  }).timeout(10_000);

  it('takes an optional kind that is not served for empty', async () => {
    const abort = new AbortController();
    const told: string[] = [];
    const reader = new ScriptedReader([{ list: [], error: failure(404) }], () => {});
    const sink: Sink = {
      listing: () => {},
      put: () => {},
      remove: () => {},
      listed: () => {
        told.push('listed');
        setImmediate(() => abort.abort());
      },
    };
    const log = new RecordingLog();
    await reflect(reader, { apiVersion: 'v1', kind: 'Pod', optional: true }, sink, abort.signal, { log });
    assert.deepEqual(told, ['listed']);
    assert.deepEqual(log.entries, []);
  });

  it('goes on past an object that cannot be taken, and names it in the log', async () => {
    const told: string[] = [];
    const put = ({ metadata }: RawObject) => {
      if (metadata?.name === 'b') throw new Error('unreadable');
      told.push(metadata?.name ?? '');
    };
    const { log, calls } = await play(
      [{ list: [['a', 'b', 'c']] }, { watch: [event('ADDED', 'b', '2')] }],
      {},
      { put },
    );
    assert.deepEqual(told, ['a', 'c']);
    assert.deepEqual(calls, ['list', 'watch from 1', 'watch from 2']);
    assert.deepEqual(
      log.entries.filter(({ level }) => level === 'error').map(({ keys }) => keys.name),
      ['b', 'b'],
    );
  });
});
