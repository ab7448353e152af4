import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { ApiError, type Query, type WatchEvent, type WatchOptions } from '../../operator/cluster/client.ts';
import { Collection } from '../../operator/cluster/collection.ts';
import type { Reader, Source } from '../../operator/cluster/reading.ts';
import { Reflector } from '../../operator/cluster/reflector.ts';
import type { Sink } from '../../operator/cluster/sink.ts';
import type { RawObject, RawPage } from '../../operator/model/raw.ts';
import { clockMs, leastOf } from '../support/measured.ts';
import { RecordingLog } from '../support/recording-log.ts';

const object = (name: string, resourceVersion = '1'): RawObject => ({ metadata: { name, resourceVersion } });
const event = (type: WatchEvent['type'], name: string, version: string): WatchEvent => ({
  type,
  object: object(name, version),
});
const failure = (status: number, message = 'no') => new ApiError({ status, reason: 'Why', message, causes: [] });

/** The answer of a server without streaming lists. */
const NO_STREAMS = failure(422, 'sendInitialEvents is forbidden for watch');

/**
 * One step of a scripted server. The step is a list, a watch or a streaming list. A list ends with its resourceVersion.
 * A watch or a streaming list ends with the error in the field `error`. If `error` is missing in the last step, the
 * watch or streaming list of the last step never ends.
 */
type Step =
  | { readonly list: readonly (readonly string[])[]; readonly version?: string; readonly error?: Error }
  | { readonly watch: readonly WatchEvent[]; readonly error?: Error }
  | { readonly stream: readonly WatchEvent[]; readonly error?: Error };

class ScriptedReader implements Reader {
  readonly calls: string[] = [];
  /** The number of requests for a streaming list. */
  refused = 0;
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
    const [next] = this.#steps;
    if (query.sendInitialEvents && next && !('stream' in next)) {
      this.refused++;
      throw NO_STREAMS;
    }
    this.calls.push(query.sendInitialEvents ? 'stream' : `watch from ${query.resourceVersion}`);
    this.watched.push({ query, idleMs: options.idleMs });
    const step = this.#steps.shift();
    if (!step || 'list' in step) return void this.#end(query);
    options.onBegin?.();
    for (const each of 'stream' in step ? step.stream : step.watch) onEvent(each);
    if (step.error) throw step.error;
  }

  #end(_query: Query): string {
    this.#done();
    return '1';
  }
}

/** Plays `steps`, and returns the calls of the sink and the requests of the reader. */
async function play(steps: Step[], source: Partial<Source> = {}, sink: Partial<Sink> = {}) {
  const told: string[] = [];
  const observed: string[] = [];
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
  const observer = { listed: () => observed.push('listed'), heard: () => observed.push('heard') };
  await new Reflector(reader, { apiVersion: 'v1', kind: 'Pod', ...source }, recording, abort.signal, {
    log,
    observer,
  }).run();
  return { told, observed, calls: reader.calls, watched: reader.watched, refused: reader.refused, log };
}

describe('Reflector', () => {
  it('the reflector lists all pages, then watches from the resourceVersion of the list, and passes on each object with its kind', async () => {
    const { told, calls } = await play([
      { list: [['a', 'b'], ['c']], version: '7' },
      { watch: [event('ADDED', 'd', '8'), event('MODIFIED', 'a', '9'), event('DELETED', 'b', '10')] },
    ]);
    const list = ['listing', 'put Pod a', 'put Pod b', 'put Pod c', 'listed'];
    assert.deepEqual(told, [...list, 'put Pod d', 'put Pod a', 'remove Pod b']);
    assert.deepEqual(calls, ['list', 'watch from 7', 'watch from 10']);
  });

  it('the reflector notifies its observer of each list, each accepted watch, and everything that the server sends', async () => {
    const bookmark: WatchEvent = { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } };
    const { observed } = await play([
      { list: [['a']], version: '7' },
      { watch: [event('ADDED', 'b', '8'), bookmark], error: failure(410) },
      { list: [['a']], version: '12' },
    ]);
    assert.deepEqual(observed, ['listed', 'heard', 'heard', 'heard', 'listed']);
  });

  describe('where the server has streaming lists', () => {
    const end = (version: string): WatchEvent => ({
      type: 'BOOKMARK',
      object: { metadata: { resourceVersion: version, annotations: { 'k8s.io/initial-events-end': 'true' } } },
    });
    const [a, b] = [event('ADDED', 'a', '3'), event('ADDED', 'b', '2')];

    it('the reflector reads existing objects and later events from one streaming list', async () => {
      const { told, calls, watched } = await play([{ stream: [a, b, end('7'), event('DELETED', 'a', '8')] }]);
      assert.deepEqual(told, ['listing', 'put Pod a', 'put Pod b', 'listed', 'remove Pod a']);
      assert.deepEqual(calls, ['stream', 'watch from 8']);
      const { sendInitialEvents, resourceVersionMatch, allowWatchBookmarks, resourceVersion } = watched[0]?.query ?? {};
      assert.deepEqual(
        [sendInitialEvents, resourceVersionMatch, allowWatchBookmarks, resourceVersion],
        [true, 'NotOlderThan', true, undefined],
      );
    });

    it('the reflector handles changes before the end of a streaming list as changes, and recognizes the bookmark that ends the list', async () => {
      const changes = [event('BOOKMARK', '', '5'), event('DELETED', 'b', '6')];
      const { told, calls } = await play([{ stream: [a, b, ...changes, end('7')] }]);
      assert.deepEqual(told, ['listing', 'put Pod a', 'put Pod b', 'remove Pod b', 'listed']);
      assert.deepEqual(calls, ['stream', 'watch from 7']);
    });

    for (const error of [undefined, new Error('other side closed'), failure(500)]) {
      it(`reads pages after one that broke off (${error?.message ?? 'ended'}), and then streams again`, async () => {
        const { told, calls } = await play([
          { stream: [a], ...(error && { error }) },
          { list: [['a', 'b']], version: '9' },
          { watch: [], error: failure(410) },
          { stream: [a, end('20')] },
        ]);
        assert.deepEqual(calls, ['stream', 'list', 'watch from 9', 'stream', 'watch from 20']);
        const [first, pages] = [
          ['listing', 'put Pod a'],
          ['listing', 'put Pod a', 'put Pod b', 'listed'],
        ];
        assert.deepEqual(told, [...first, ...pages, 'listing', 'put Pod a', 'listed']);
      });
    }

    it('the reflector requests a streaming list only once from a server without streaming lists', async () => {
      const { calls, refused } = await play([{ list: [[]] }, { watch: [], error: failure(410) }, { list: [[]] }]);
      assert.deepEqual(calls, ['list', 'watch from 1', 'list', 'watch from 1']);
      assert.equal(refused, 1);
    });
  });

  it('when a watch breaks, the reflector continues from the last event or bookmark, without a new list', async () => {
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

  it('the reflector restarts a list that broke off between two pages', async () => {
    const { told } = await play([{ list: [['a']], error: failure(410) }, { list: [['a', 'b']] }]);
    assert.deepEqual(told, ['listing', 'put Pod a', 'listing', 'put Pod a', 'put Pod b', 'listed']);
  });

  it('a watch asks for bookmarks and has a timeout, and breaks off if the server is silent for too long', async () => {
    const { watched } = await play([{ list: [[]] }], { labelSelector: 'a=b' });
    const { query, idleMs = 0 } = watched[0] ?? assert.fail('nothing was watched');
    assert.equal(query.allowWatchBookmarks, true);
    assert.equal(query.labelSelector, 'a=b');
    const seconds = Number(query.timeoutSeconds);
    assert.ok(seconds >= 300 && seconds <= 450, `${seconds} s`);
    assert.ok(idleMs >= 120_000 && idleMs <= 180_000, `${idleMs} ms`);
  });

  it('the reflector starts another watch when a watch is silent, and logs no error, because some kinds have no events', async () => {
    const silence = Object.assign(new Error('Body Timeout Error'), { code: 'UND_ERR_BODY_TIMEOUT' });
    const { calls, log } = await play([
      { list: [[]], version: '7' },
      { watch: [], error: silence },
    ]);
    assert.deepEqual(calls, ['list', 'watch from 7', 'watch from 7']);
    assert.deepEqual(log.messages('warn'), []);
  });

  it('the reflector lists again when the server repeatedly refuses to continue a watch', async () => {
    const refusal = { watch: [], error: failure(500) };
    const { calls } = await play([
      { list: [[]], version: '7' },
      refusal,
      refusal,
      refusal,
      { list: [[]], version: '9' },
    ]);
    assert.deepEqual(calls, ['list', ...Array(3).fill('watch from 7'), 'list', 'watch from 9']);
  });

  it('the reflector does not list again if a server is busy or cannot be reached', async () => {
    const errors = [failure(429), new Error('other side closed'), failure(503), new Error('connect ECONNREFUSED')];
    const { calls } = await play([{ list: [[]], version: '7' }, ...errors.map((error) => ({ watch: [], error }))]);
    assert.deepEqual(calls, ['list', ...Array(5).fill('watch from 7')]);
  }).timeout(10_000);

  it('the reflector waits longer after each consecutive failure', async () => {
    const waited = await leastOf(1_200, () =>
      clockMs(() => play([{ list: [[]] }, { watch: [], error: failure(500) }, { watch: [], error: failure(500) }])),
    );
    // The two delays are 0.2 s and 0.4 s. Each delay may be up to a quarter longer or shorter.
    assert.ok(waited >= 450 && waited < 1_200, `${waited} ms`);
  });

  it('the reflector waits for the time that the server requests', async () => {
    const busy = new ApiError({ status: 429, reason: 'Why', message: 'no', causes: [], retryAfterSeconds: 1 });
    const started = performance.now();
    await play([{ list: [[]] }, { watch: [], error: busy }]);
    assert.ok(performance.now() - started >= 1_000);
  });

  it('the reflector logs a repeated failure once, and later logs the end of the failure', async () => {
    const { log } = await play([
      { list: [[]], error: failure(403, 'forbidden') },
      { list: [[]], error: failure(403, 'forbidden') },
      { list: [[]] },
      { watch: [event('ADDED', 'a', '2')], error: failure(403, 'forbidden') },
    ]);
    assert.deepEqual(log.messages('warn'), Array(2).fill('watch interrupted, trying again'));
    assert.deepEqual(log.messages('info'), ['following again']);
  });

  it('the reflector waits for a kind that the server does not serve yet, and logs one message', async () => {
    const { told, log } = await play([
      { list: [], error: failure(404) },
      { list: [], error: failure(404) },
      { list: [['a']] },
    ]);
    assert.deepEqual(told, ['listing', 'listing', 'listing', 'put Pod a', 'listed']);
    assert.deepEqual(log.messages('warn'), ['the API server does not serve this kind yet, waiting for it']);
  }).timeout(10_000);

  it('the reflector treats an optional kind that the server does not serve as an empty collection', async () => {
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
    await new Reflector(reader, { apiVersion: 'v1', kind: 'Pod', optional: true }, sink, abort.signal, { log }).run();
    assert.deepEqual(told, ['listed']);
    assert.deepEqual(log.entries, []);
  });

  it('the reflector continues without a dispensable kind that it may not read, and warns once', async () => {
    const abort = new AbortController();
    const told: string[] = [];
    const steps: Step[] = [403, 403].map((status) => ({ list: [], error: failure(status) }));
    const reader = new ScriptedReader(steps, () => {});
    const sink: Sink = {
      listing: () => {},
      put: () => {},
      remove: () => {},
      listed: () => {
        told.push('listed');
        if (told.length === 2) setImmediate(() => abort.abort());
      },
    };
    const log = new RecordingLog();
    const source = { apiVersion: 'v1', kind: 'Event', fieldSelector: 'reason=FailedCreate', dispensable: true };
    await new Reflector(reader, source, sink, abort.signal, { log, absentMs: 1 }).run();
    assert.deepEqual(told, ['listed', 'listed']);
    assert.deepEqual(log.messages('warn'), ['no right to read this kind, continuing without it']);
  });

  it('the reflector asks only for the objects of the field selector', async () => {
    const abort = new AbortController();
    const reader = new ScriptedReader([{ stream: [] }], () => abort.abort());
    const sink: Sink = { listing: () => {}, put: () => {}, remove: () => {}, listed: () => {} };
    const source = { apiVersion: 'v1', kind: 'Event', fieldSelector: 'reason=FailedCreate' };
    const options = { log: new RecordingLog() };
    await new Reflector(reader, source, sink, abort.signal, options).run();
    assert.equal(reader.watched[0]?.query.fieldSelector, 'reason=FailedCreate');
  });

  it('if a sink has the function absent, the reflector calls the function for a kind that the server does not serve', async () => {
    const abort = new AbortController();
    const told: string[] = [];
    const reader = new ScriptedReader([{ list: [], error: failure(404) }], () => {});
    const sink: Sink = {
      listing: () => told.push('listing'),
      put: () => {},
      remove: () => {},
      listed: () => told.push('listed'),
      absent: () => {
        told.push('absent');
        setImmediate(() => abort.abort());
      },
    };
    const source = { apiVersion: 'v1', kind: 'Pod', optional: true };
    await new Reflector(reader, source, sink, abort.signal, { log: new RecordingLog() }).run();
    assert.deepEqual(told, ['listing', 'absent']);
  });

  describe('when it must read the collection again', () => {
    const source = { apiVersion: 'v1', kind: 'Pod' };

    /**
     * A server that lists its objects if `reachable` is true, and cannot be reached if `reachable` is false.
     * Afterwards, the server sends nothing.
     */
    class SilentReader implements Reader {
      readonly calls: string[] = [];
      names = ['a'];
      reachable = true;

      async list(_path: string, _query: Query, onPage: (page: RawPage) => void): Promise<string> {
        this.calls.push('list');
        if (!this.reachable) throw new Error('connection refused');
        onPage({ items: this.names.map((name) => object(name)) });
        return '1';
      }

      async watch(_path: string, query: Query, _onEvent: unknown, { signal }: WatchOptions = {}): Promise<void> {
        if (query.sendInitialEvents) throw NO_STREAMS;
        this.calls.push('watch');
        await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
      }
    }

    const follow = (reader: SilentReader) => {
      const collection = new Collection({ project: ({ metadata }) => metadata?.name ?? '', changed: () => {} });
      const abort = new AbortController();
      const reflector = new Reflector(reader, source, collection, abort.signal, { log: new RecordingLog() });
      const running = reflector.run();
      const end = async () => {
        abort.abort();
        await running;
      };
      return { reflector, there: () => collection.in(''), end };
    };

    it('a refresh ends a silent watch, and returns after the collection has been read again', async () => {
      const reader = new SilentReader();
      const { reflector, there, end } = follow(reader);
      await reflector.refresh();
      reader.names = ['b'];
      await reflector.refresh();
      assert.deepEqual(there(), ['b']);
      assert.equal(reader.calls.at(-1), 'list');
      await end();
    });

    it('a refresh skips the pause after a failure, and waits until the collection can be read', async () => {
      const reader = new SilentReader();
      reader.reachable = false;
      const { reflector, there, end } = follow(reader);
      await setTimeout(700);
      const tries = reader.calls.length;
      let read = false;
      const refreshed = reflector.refresh().then(() => {
        read = true;
      });
      await setTimeout(50);
      assert.equal(reader.calls.length, tries + 1);
      assert.equal(read, false);
      reader.reachable = true;
      await refreshed;
      assert.deepEqual(there(), ['a']);
      await end();
    });
  });

  it('the reflector logs the name of an object that it cannot process, and continues with the next object', async () => {
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
