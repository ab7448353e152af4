import assert from 'node:assert/strict';
import { Election, type ElectionOptions, NotLeadingError } from '../../operator/runtime/election.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { FakeLeases } from './fake-leases.ts';

/** A process that takes part in the election. */
class Candidate {
  readonly election: Election;
  readonly log = new RecordingLog();
  readonly stopping = new AbortController();
  readonly running: Promise<void>;
  /** The number of times that this process began to lead. */
  terms = 0;
  leading: AbortSignal | undefined;
  endWork: (error?: Error) => void = () => {};
  stopped = 0;

  constructor(identity: string, leases: FakeLeases, clock: FakeClock, options: Partial<ElectionOptions> = {}) {
    this.election = new Election({
      client: leases.clientOf(identity),
      namespace: 'system',
      name: 'operator',
      identity,
      log: this.log,
      clock,
      random: () => 0,
      ...options,
    });
    const onStartedLeading = (leading: AbortSignal) => {
      this.terms++;
      this.leading = leading;
      const work = Promise.withResolvers<void>();
      this.endWork = (error) => (error ? work.reject(error) : work.resolve());
      return work.promise;
    };
    const onStoppedLeading = () => void this.stopped++;
    this.running = this.election.run({ onStartedLeading, onStoppedLeading }, this.stopping.signal);
    this.running.catch(() => {});
  }
}

describe('Election', () => {
  let clock: FakeClock;
  let leases: FakeLeases;
  const candidate = (identity: string, options?: Partial<ElectionOptions>) =>
    new Candidate(identity, leases, clock, options);
  /** A candidate that leads. */
  const leader = async (identity = 'a') => {
    const one = candidate(identity);
    await clock.advance(0);
    assert.equal(one.terms, 1);
    return one;
  };

  beforeEach(() => {
    clock = new FakeClock();
    leases = new FakeLeases();
  });

  describe('taking the lease', () => {
    it('makes the Lease when there is none', async () => {
      const one = await leader();
      const { acquireTime, renewTime, ...spec } = leases.spec;
      assert.deepEqual(spec, { holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 });
      assert.match(String(acquireTime), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      assert.match(String(renewTime), /^\d{4}-.*\.\d{6}Z$/);
      assert.equal(one.election.mayWrite(), true);
      assert.equal(one.leading?.aborted, false);
    });

    for (const renewTime of ['1970-01-01T00:00:00.000000Z', '2999-01-01T00:00:00.000000Z']) {
      it(`takes a lease that did not change for its duration, though it says it was renewed in ${renewTime.slice(0, 4)}`, async () => {
        leases.set({ holderIdentity: 'gone', leaseDurationSeconds: 9, renewTime, leaseTransitions: 4 });
        const one = candidate('a');
        await clock.advance(8_999);
        assert.equal(one.terms, 0);
        await clock.advance(2);
        assert.equal(one.terms, 1);
        const { holderIdentity, leaseDurationSeconds, leaseTransitions } = leases.spec;
        assert.deepEqual([holderIdentity, leaseDurationSeconds, leaseTransitions], ['a', 15, 5]);
      });
    }

    it('does not take a renewed lease', async () => {
      await leader('a');
      const other = candidate('b');
      await clock.advance(120_000);
      assert.equal(other.terms, 0);
      assert.deepEqual(other.log.messages('info'), ['another leads']);
    });

    it('ignores changes to the Lease by others', async () => {
      const spec = { holderIdentity: 'gone', leaseDurationSeconds: 9 };
      leases.set(spec);
      const one = candidate('a');
      for (let second = 1; second <= 9; second++) {
        await clock.advance(1_000);
        leases.set(spec, { second: String(second) });
      }
      await clock.advance(2_000);
      assert.equal(one.terms, 1);
      assert.deepEqual((leases.lease?.metadata as { labels?: object } | undefined)?.labels, { second: '9' });
    });

    it('lets one of several win', async () => {
      leases.set({ holderIdentity: 'gone', leaseDurationSeconds: 5 });
      const all = ['a', 'b', 'c'].map((identity) => candidate(identity));
      await clock.advance(60_000);
      assert.deepEqual(all.map(({ terms }) => terms).sort(), [0, 0, 1]);
      assert.equal(leases.spec.leaseTransitions, 1);
    });

    it('a candidate takes a released lease at its next attempt', async () => {
      leases.set({ holderIdentity: 'gone', leaseDurationSeconds: 3600 });
      const one = candidate('a');
      await clock.advance(5_000);
      leases.set({ holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 2 });
      await clock.advance(2_000);
      assert.equal(one.terms, 1);
      assert.equal(leases.spec.leaseTransitions, 3);
    });

    it('a candidate leads after a lost answer, because the lease names the candidate', async () => {
      leases.fault = { what: 'answer lost' };
      const one = candidate('a');
      await clock.advance(0);
      assert.equal(leases.holder, 'a');
      assert.equal(one.terms, 0);
      leases.fault = undefined;
      await clock.advance(2_000);
      assert.equal(one.terms, 1);
      assert.equal(leases.spec.leaseTransitions, 0);
    });

    it('a candidate does not lead because of an answer that arrives too late', async () => {
      leases.onAnswer = () => {
        if (leases.lease) clock.stop(10_000);
      };
      const one = candidate('a');
      await clock.advance(0);
      assert.equal(leases.holder, 'a');
      assert.equal(one.terms, 0);
      assert.equal(one.election.mayWrite(), false);
    });

    for (const [random, ms] of [
      [0, 2_000],
      [0.999, 1_001],
    ] as const) {
      it(`tries again after ${ms} ms at ${random}`, async () => {
        leases.set({ holderIdentity: 'other', leaseDurationSeconds: 3600 });
        candidate('a', { random: () => random });
        await clock.advance(ms - 1);
        assert.equal(leases.asked.length, 1);
        await clock.advance(1);
        assert.equal(leases.asked.length, 2);
      });
    }
  });

  describe('keeping the lease', () => {
    it('the leader renews the lease once in each period, and keeps the time at which it began to lead', async () => {
      await leader();
      const { acquireTime } = leases.spec;
      leases.asked.length = 0;
      await clock.advance(20_000);
      assert.deepEqual(leases.asked, Array(10).fill('a: PUT'));
      assert.equal(leases.spec.acquireTime, acquireTime);
      assert.equal(leases.spec.leaseTransitions, 0);
    });

    it('makes it again when it was deleted', async () => {
      const one = await leader();
      leases.lease = undefined;
      await clock.advance(2_000);
      assert.equal(leases.holder, 'a');
      assert.equal(one.leading?.aborted, false);
    });

    it('renews it though somebody labelled it', async () => {
      const one = await leader();
      leases.set(leases.spec, { team: 'net' });
      await clock.advance(20_000);
      assert.equal(one.leading?.aborted, false);
    });

    for (const what of ['refused', 'hangs'] as const) {
      it(`leads on while the API server ${what === 'hangs' ? 'does not answer' : 'refuses'}, until the deadline and not longer`, async () => {
        const one = await leader();
        await clock.advance(4_000);
        leases.fault = { what };
        // The lease was last renewed at the current time of the fake clock.
        await clock.advance(9_999);
        assert.equal(one.leading?.aborted, false);
        assert.equal(one.election.mayWrite(), true);
        await clock.advance(1);
        assert.equal(one.election.mayWrite(), false);
        assert.equal(one.leading?.aborted, true);
        assert.deepEqual(one.log.messages('warn'), ['the lease cannot be reached, trying again', 'lost the lease']);
      });
    }

    it('the leader continues to lead if the API server comes back in time', async () => {
      const one = await leader();
      leases.fault = { what: 'hangs' };
      await clock.advance(8_000);
      leases.fault = undefined;
      await clock.advance(60_000);
      assert.equal(one.leading?.aborted, false);
      assert.equal(one.terms, 1);
    });

    it('the leader stops at once if another process holds the lease', async () => {
      const one = await leader();
      leases.set({ ...leases.spec, holderIdentity: 'b' });
      await clock.advance(2_000);
      assert.equal(one.leading?.aborted, true);
      assert.equal(one.election.mayWrite(), false);
      assert.equal(leases.holder, 'b');
    });

    it('one leader stops before the next leader starts, so that terms never overlap', async () => {
      const one = await leader('a');
      const other = candidate('b');
      await clock.advance(6_000);
      leases.fault = { what: 'refused', of: 'a' };
      for (let ms = 0; ms < 30_000; ms += 100) {
        await clock.advance(100);
        assert.ok(!(one.election.mayWrite() && other.election.mayWrite()));
      }
      assert.equal(other.terms, 1);
    });
  });

  describe('after the process was stopped', () => {
    it('after a stop of the process, a leader refuses writes before any timer fires, and then ends the work', async () => {
      const one = await leader();
      one.election.assertMayWrite();
      clock.stop(10_000);
      assert.throws(one.election.assertMayWrite, NotLeadingError);
      assert.equal(one.leading?.aborted, false, 'the timers are late');
      leases.asked.length = 0;
      await clock.advance(0);
      assert.equal(one.leading?.aborted, true);
      assert.deepEqual(leases.asked, [], 'it does not renew a lease that may belong to another by now');
    });

    it('a stopped leader does not take the lease back from the new holder, although a renewal was in flight', async () => {
      const one = await leader('a');
      leases.fault = { what: 'waits' };
      await clock.advance(2_000);
      clock.stop(20_000);
      leases.set({ ...leases.spec, holderIdentity: 'b' });
      one.endWork(new NotLeadingError('a write was refused'));
      await clock.advance(0);
      // The API server answers the pending renewal. At the same time, the candidate makes its first attempt to lead
      // again.
      leases.goOn();
      await clock.advance(10_000);
      assert.equal(leases.holder, 'b');
      assert.equal(one.terms, 1);
    });

    it('a leader continues to lead if the stop was shorter than the deadline', async () => {
      const one = await leader();
      clock.stop(9_000);
      await clock.advance(0);
      assert.equal(one.election.mayWrite(), true);
      await clock.advance(60_000);
      assert.equal(one.leading?.aborted, false);
    });
  });

  describe('ending', () => {
    it('a stopping leader asks the work to end, may write until the work has ended, and then releases the lease', async () => {
      const one = await leader();
      one.stopping.abort();
      await clock.advance(20_000);
      assert.equal(one.leading?.aborted, true);
      assert.equal(one.election.mayWrite(), true);
      assert.equal(leases.holder, 'a');
      one.endWork();
      await one.running;
      assert.equal(one.election.mayWrite(), false);
      const { holderIdentity, leaseDurationSeconds } = leases.spec;
      assert.deepEqual([holderIdentity, leaseDurationSeconds], ['', 1]);
      assert.equal(one.stopped, 1);
    });

    it('the standby takes over within a retry period', async () => {
      const one = await leader('a');
      const other = candidate('b');
      await clock.advance(10_000);
      one.stopping.abort();
      one.endWork();
      await one.running;
      await clock.advance(2_000);
      assert.equal(other.terms, 1);
    });

    it('ends a waiting candidate', async () => {
      await leader('a');
      const other = candidate('b');
      await clock.advance(3_000);
      other.stopping.abort();
      await other.running;
      assert.equal(leases.holder, 'a');
    });

    it('the leader does not take back a released lease, although a renewal was in flight', async () => {
      const one = await leader();
      leases.fault = { what: 'waits' };
      await clock.advance(2_000);
      leases.fault = undefined;
      one.stopping.abort();
      one.endWork();
      await clock.advance(5_000);
      await one.running;
      leases.goOn();
      await settle();
      assert.equal(leases.holder, '');
    });

    it("does not release another one's lease", async () => {
      const one = await leader();
      leases.set({ ...leases.spec, holderIdentity: 'b' });
      one.stopping.abort();
      one.endWork();
      await one.running;
      assert.equal(leases.holder, 'b');
    });

    it('the leader does not wait forever for an unreachable API server', async () => {
      const one = await leader();
      leases.fault = { what: 'hangs' };
      one.stopping.abort();
      one.endWork();
      await clock.advance(10_000);
      await one.running;
    });

    it('if the work fails, the leader releases the lease and throws the error', async () => {
      const one = await leader();
      one.endWork(new Error('broken'));
      await assert.rejects(one.running, /broken/);
      assert.equal(leases.holder, '');
    });

    it('a process that has lost the lease becomes a candidate again when its work has ended', async () => {
      const one = await leader();
      leases.set({ ...leases.spec, holderIdentity: 'b', leaseDurationSeconds: 5 });
      await clock.advance(30_000);
      assert.equal(leases.holder, 'b');
      one.endWork(new NotLeadingError('a write was refused'));
      await settle();
      await clock.advance(7_000);
      assert.equal(leases.holder, 'a');
      assert.equal(one.terms, 2);
      assert.equal(one.election.mayWrite(), true);
    });

    it('the process is unhealthy if the work continues for a minute after the loss of the lease', async () => {
      const one = await leader();
      leases.set({ ...leases.spec, holderIdentity: 'b' });
      await clock.advance(61_000);
      one.election.check();
      await clock.advance(2_000);
      assert.throws(one.election.check, /did not stop in time/);
    });
  });

  const durations: [why: string, options: Partial<ElectionOptions>][] = [
    ['a lease shorter than the deadline', { leaseDurationMs: 10_000 }],
    ['a deadline as short as the retries', { renewDeadlineMs: 2_400 }],
    ['no retry period', { retryPeriodMs: 0 }],
    ['fractions of seconds, which a Lease cannot express', { leaseDurationMs: 15_500 }],
  ];
  for (const [why, options] of durations) {
    it(`refuses ${why}`, () => {
      assert.throws(() => candidate('a', options), /must be/);
    });
  }
});
