import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../hack/controlplane/wait.ts';
import type { ClusterState } from '../../operator/controllers/cluster-state.ts';
import type { Controller } from '../../operator/controllers/controller.ts';
import { Running } from '../../operator/controllers/running.ts';
import type { StateChange } from '../../operator/controllers/state-change.ts';
import { clockMs, leastOf } from '../support/measured.ts';
import { RecordingLog } from '../support/recording-log.ts';

/** The time in ms for which policies wait for further changes. The time by which a timer may be early is subtracted. */
const WAIT_MS = 290;

const change = (...namespaces: string[]): StateChange => ({
  cause: { of: 'term' },
  policies: new Set(),
  namespaces: new Set(namespaces),
  recompiles: false,
});

/** A controller that records the keys that it has to work on, with the time of each key. */
class Recording implements Controller {
  readonly name = 'recording';
  readonly said: string[];

  constructor(said: string[]) {
    this.said = said;
  }

  keysFor({ namespaces }: StateChange): Iterable<string> {
    return namespaces;
  }

  delay(key: string): number {
    return key === 'later' ? 50 : 0;
  }

  async reconcile(key: string, again: (ms: number) => void): Promise<void> {
    this.said.push(key);
    if (key === 'failing' && this.said.length === 1) throw new Error('not now');
    if (key === 'twice' && this.said.length === 1) again(20);
  }
}

describe('Running', () => {
  let said: string[];
  let stale: boolean;
  /** The number of times that the generator yields while policies are accepted. */
  let yields: number;
  let log: RecordingLog;
  let running: Running;

  beforeEach(() => {
    said = [];
    stale = false;
    yields = 1;
    log = new RecordingLog();
    const state = {
      policies: {
        get isStale() {
          return stale;
        },
      },
      *accepting() {
        said.push('accept');
        for (let i = 0; i < yields; i++) yield;
        stale = false;
        return change('accepted');
      },
    };
    running = new Running([new Recording(said)], state as unknown as ClusterState, { log });
  });

  afterEach(() => running.stop());

  const saying = (...wanted: string[]) =>
    waitFor(wanted.join(' '), async () => said.join(' ') === wanted.join(' '), { timeoutMs: 5_000, intervalMs: 5 });

  it('accepts the policies before it works on anything, when they have changed', async () => {
    stale = true;
    running.enqueue(change('a'));
    running.start();
    await saying('accept', 'a', 'accepted');
  });

  it('accepts once for all keys that wait for it', async () => {
    stale = true;
    running.enqueue(change('a', 'b'));
    running.start();
    await saying('accept', 'a', 'b', 'accepted');
  });

  it('ends while it accepts, and works on nothing any more', async () => {
    stale = true;
    yields = Number.POSITIVE_INFINITY;
    running.enqueue(change('a'));
    running.start();
    await saying('accept');
    await running.stop();
    assert.deepEqual(said, ['accept']);
  });

  describe('when policies change', () => {
    const edit = (name: string): StateChange => ({ ...change(name), cause: { of: 'policy', name }, recompiles: true });

    beforeEach(() => {
      stale = true;
      running.start();
    });

    it('accepts them once, 300 ms after the last change', async () => {
      const began = performance.now();
      running.enqueue(edit('a'));
      await sleep(200);
      running.enqueue(edit('b'));
      await sleep(200);
      assert.deepEqual(said, []);
      await saying('accept', 'a', 'b', 'accepted');
      assert.ok(performance.now() - began >= 500);
    });

    it('begins to wait again when one changes while it accepts', async () => {
      yields = Number.POSITIVE_INFINITY;
      running.enqueue(edit('a'));
      await saying('accept');
      yields = 1;
      running.enqueue(edit('b'));
      const began = performance.now();
      await saying('accept', 'accept', 'a', 'b', 'accepted');
      assert.ok(performance.now() - began >= WAIT_MS);
    });

    for (const cause of [{ of: 'term' }, { of: 'servers', oldest: true }] as const) {
      it(`accepts them at once when the cause is ${cause.of}`, async () => {
        const ms = await leastOf(WAIT_MS, () =>
          again(async () => {
            running.enqueue(edit('a'));
            running.enqueue({ ...change(), cause, recompiles: true });
            await saying('accept', 'a', 'accepted');
          }),
        );
        assert.ok(ms < WAIT_MS, `${ms} ms`);
      });
    }

    it('does not wait for what is no edit', async () => {
      const ms = await leastOf(WAIT_MS, () =>
        again(async () => {
          running.enqueue({ ...change('a'), cause: { of: 'found', by: 'expiry' }, recompiles: true });
          await saying('accept', 'a', 'accepted');
        }),
      );
      assert.ok(ms < WAIT_MS, `${ms} ms`);
    });

    /**
     * Measures the work after the first round. At this time, the policies have changed, but no controller has been
     * notified yet.
     */
    function again(work: () => Promise<void>): Promise<number> {
      said.splice(0);
      stale = true;
      return clockMs(work);
    }
  });

  it('works on a key after the delay that its controller asks for', async () => {
    running.enqueue(change('later', 'a'));
    running.start();
    await saying('a', 'later');
  });

  it('works on a key again when its controller requests that', async () => {
    running.enqueue(change('twice'));
    running.start();
    await saying('twice', 'twice');
  });

  it('works on a failed key again, and logs the controller', async () => {
    running.enqueue(change('failing'));
    running.start();
    await saying('failing', 'failing');
    assert.match(JSON.stringify(log), /reconciling failed.*recording/);
  });

  it('works on nothing after it is stopped', async () => {
    running.start();
    await running.stop();
    running.enqueue(change('a'));
    await sleep(20);
    assert.deepEqual(said, []);
  });
});
