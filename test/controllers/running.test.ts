import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../hack/controlplane/wait.ts';
import type { ClusterState } from '../../operator/controllers/cluster-state.ts';
import type { Controller } from '../../operator/controllers/controller.ts';
import { Running } from '../../operator/controllers/running.ts';
import type { StateChange } from '../../operator/controllers/state-change.ts';
import { clockMs, leastOf } from '../support/measured.ts';
import { RecordingLog } from '../support/recording-log.ts';

/**
 * The time in ms that policies wait for further changes. A timer may be early, so this value is 10 ms less than the
 * real time.
 */
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
  /** The number of times that the generator yields while the policies are accepted. */
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

  it('after a change of policies, accept runs before any controller works on a key', async () => {
    stale = true;
    running.enqueue(change('a'));
    running.start();
    await saying('accept', 'a', 'accepted');
  });

  it('accept runs once for all keys that wait for accept', async () => {
    stale = true;
    running.enqueue(change('a', 'b'));
    running.start();
    await saying('accept', 'a', 'b', 'accepted');
  });

  it('stop ends a running accept, and no controller works on a key afterwards', async () => {
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

    it('accept runs once, 300 ms after the last change of a policy', async () => {
      let last = 0;
      for (const name of ['a', 'b', 'c', 'd']) {
        // Without sleep, no timer can be late: the next change comes directly before the timers of the process run.
        const until = performance.now() + 100;
        while (performance.now() < until);
        last = performance.now();
        running.enqueue(edit(name));
        await new Promise(setImmediate);
      }
      assert.deepEqual(said, []);
      await saying('accept', 'a', 'b', 'c', 'd', 'accepted');
      assert.ok(performance.now() - last >= WAIT_MS);
    });

    it('the waiting time begins again if a policy changes during accept', async () => {
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

    it('after a change other than an edit of a policy, accept runs without waiting', async () => {
      const ms = await leastOf(WAIT_MS, () =>
        again(async () => {
          running.enqueue({ ...change('a'), cause: { of: 'found', by: 'expiry' }, recompiles: true });
          await saying('accept', 'a', 'accepted');
        }),
      );
      assert.ok(ms < WAIT_MS, `${ms} ms`);
    });

    /**
     * Measures the time that `work` takes after the first round. When `work` begins, the policies have changed, but no
     * controller knows about the change.
     */
    function again(work: () => Promise<void>): Promise<number> {
      said.splice(0);
      stale = true;
      return clockMs(work);
    }
  });

  it('a controller works on a key after the delay that the controller requests', async () => {
    running.enqueue(change('later', 'a'));
    running.start();
    await saying('a', 'later');
  });

  it('a controller works on a key again if the controller requests another run', async () => {
    running.enqueue(change('twice'));
    running.start();
    await saying('twice', 'twice');
  });

  it('a controller works on a failed key again, and the log names the controller', async () => {
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
