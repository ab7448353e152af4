import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { type QueueOptions, WorkQueue } from '../../operator/runtime/queue.ts';

/** Runs all work that waits only for promises. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Work on keys. The work on a key continues until the test calls `end` with the key. */
class Work {
  readonly started: string[] = [];
  readonly #running = new Map<string, PromiseWithResolvers<void>>();

  readonly run = (key: string): Promise<void> => {
    assert.equal(this.#running.has(key), false, `${key} is worked on twice at a time`);
    this.started.push(key);
    const running = Promise.withResolvers<void>();
    this.#running.set(key, running);
    return running.promise;
  };

  async end(key: string, error?: Error): Promise<void> {
    const running = this.#running.get(key);
    assert.ok(running, `${key} is not worked on`);
    this.#running.delete(key);
    if (error) running.reject(error);
    else running.resolve();
    await settle();
  }
}

describe('WorkQueue', () => {
  let work: Work;
  const started = (options?: QueueOptions) => {
    const queue = new WorkQueue(work.run, options);
    queue.start();
    return queue;
  };
  const advance = async (ms: number) => {
    mock.timers.tick(ms);
    await settle();
  };

  beforeEach(() => {
    work = new Work();
    mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  });

  afterEach(() => mock.timers.reset());

  it('works on keys in the order of arrival, and works only once on a key that was added several times', async () => {
    const queue = new WorkQueue(work.run);
    for (const key of ['b', 'a', 'b', 'b']) queue.add(key);
    assert.equal(queue.length, 2);
    await settle();
    assert.deepEqual(work.started, []);
    queue.start();
    await settle();
    assert.deepEqual(work.started, ['b']);
    await work.end('b');
    await work.end('a');
    assert.deepEqual(work.started, ['b', 'a']);
    assert.equal(queue.length, 0);
  });

  it('works once more on a key that was added during the work on the key', async () => {
    const queue = started({ concurrency: 5 });
    queue.add('a');
    await settle();
    for (let time = 0; time < 3; time++) queue.add('a');
    await settle();
    assert.deepEqual(work.started, ['a']);
    await work.end('a');
    assert.deepEqual(work.started, ['a', 'a']);
    await work.end('a');
    assert.deepEqual(work.started, ['a', 'a']);
  });

  it('works on the given number of keys in parallel, so that one busy key does not block other keys', async () => {
    const queue = started({ concurrency: 2 });
    queue.add('a');
    await settle();
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await settle();
    assert.deepEqual(work.started, ['a', 'b']);
    await work.end('b');
    assert.deepEqual(work.started, ['a', 'b', 'c']);
  });

  it("never works in the caller's stack", () => {
    started().add('a');
    assert.deepEqual(work.started, []);
  });

  it('requeues a failed key after a doubling delay with a limit, until the work on the key succeeds', async () => {
    const failures: [string, number][] = [];
    const onError = (key: string, _error: unknown, count: number) => failures.push([key, count]);
    const queue = started({ firstDelayMs: 100, maxDelayMs: 300, random: () => 0.5, onError });
    queue.add('a');
    await settle();
    for (const delay of [100, 200, 300, 300]) {
      const before = work.started.length;
      await work.end('a', new Error('no'));
      await advance(delay - 1);
      assert.equal(work.started.length, before);
      await advance(1);
      assert.equal(work.started.length, before + 1);
    }
    await work.end('a');
    queue.add('a');
    await settle();
    await work.end('a', new Error('no'));
    await advance(100);
    assert.equal(work.started.length, 7);
    assert.deepEqual(
      failures.map(([, count]) => count),
      [1, 2, 3, 4, 1],
    );
  });

  for (const [random, delay] of [
    [0, 75],
    [0.5, 100],
    [0.999, 125],
  ] as const) {
    it(`spreads the delay: ${delay} ms at ${random}`, async () => {
      const queue = started({ firstDelayMs: 100, random: () => random });
      queue.add('a');
      await settle();
      await work.end('a', new Error('no'));
      await advance(delay - 1);
      assert.equal(work.started.length, 1);
      await advance(1);
      assert.equal(work.started.length, 2);
    });
  }

  it('if the server asks for a delay, requeues a failed key after this delay at the earliest', async () => {
    const queue = started({ firstDelayMs: 100, random: () => 0.5 });
    queue.add('a');
    await settle();
    await work.end('a', Object.assign(new Error('busy'), { retryAfterSeconds: 30 }));
    await advance(29_999);
    assert.equal(work.started.length, 1);
    await advance(1);
    assert.equal(work.started.length, 2);
  });

  it('delays one key and not the others', async () => {
    const queue = started();
    queue.add('a');
    await settle();
    await work.end('a', new Error('no'));
    queue.add('b');
    await settle();
    assert.deepEqual(work.started, ['a', 'b']);
  });

  it('adds a key after the delay, or after the shortest of several delays', async () => {
    const queue = started();
    queue.addAfter('a', 1000);
    queue.addAfter('a', 100);
    queue.addAfter('a', 500);
    await advance(99);
    assert.deepEqual(work.started, []);
    await advance(1);
    assert.deepEqual(work.started, ['a']);
    await work.end('a');
    await advance(5000);
    assert.deepEqual(work.started, ['a']);
  });

  it('a stopped queue waits for the running work, begins no work, and drops the other keys', async () => {
    const queue = started();
    queue.add('a');
    await settle();
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 10);
    let ended = false;
    const stopping = queue.stop().then(() => {
      ended = true;
    });
    queue.add('d');
    await advance(100);
    assert.equal(ended, false);
    await work.end('a', new Error('no'));
    await stopping;
    await advance(100_000);
    assert.deepEqual(work.started, ['a']);
  });
});
