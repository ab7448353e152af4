import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Clock } from '../../operator/runtime/clock.ts';
import { Election } from '../../operator/runtime/election.ts';
import type { LeaseClient } from '../../operator/runtime/lease.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeLeases } from './fake-leases.ts';

const IDENTITIES = ['a', 'b', 'c'];
const DURATION_MS = 120_000;
const LOOK_MS = 250;
const LEASE_MS = 15_000;
const RUNS = Number(process.env.FC_RUNS ?? 60);

/** The simulated network for one request. A request is delayed by some milliseconds, or gets lost. */
interface Journey {
  /**
   * The time in ms until the process sends the request, by the clock of the process. A stopped process sends nothing.
   */
  readonly connecting: number;
  readonly there: number;
  readonly back: number;
  readonly lost: 'request' | 'answer' | undefined;
}

/** The time at which the holder of the Lease is stopped, and the duration of the stop. */
interface Stop {
  readonly at: number;
  readonly ms: number;
}

const MS = fc.oneof({ weight: 9, arbitrary: fc.nat(50) }, fc.nat(12_000));
const LOST = fc.constantFrom('request' as const, 'answer' as const);
const JOURNEY: fc.Arbitrary<Journey> = fc.record({
  connecting: MS,
  there: MS,
  back: MS,
  lost: fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, LOST),
});
const STOP: fc.Arbitrary<Stop> = fc.record({ at: fc.nat(DURATION_MS), ms: fc.integer({ min: 1, max: 50_000 }) });

describe('an election with slow and lost requests, among processes that stop for some time', () => {
  it(`lets no two write, and does not take a lease until it has expired, in ${RUNS} random runs`, async function () {
    this.timeout(120_000);
    let turns = 0;
    const property = fc.asyncProperty(
      fc.array(JOURNEY, { minLength: 200, maxLength: 400, size: 'max' }),
      fc.array(STOP, { maxLength: 8, size: 'max' }),
      async (journeys, stops) => {
        turns += await new Simulation(journeys).run(stops);
      },
    );
    const details = await fc.check(property, { numRuns: RUNS });
    console.log(`      seed ${details.seed}, ${turns} turns`);
    assert.equal(details.failed, false, String(details.errorInstance));
    assert.ok(turns > RUNS, 'the lease was hardly ever taken from another');
  });
});

/**
 * The clock of a process that can be stopped. A stopped process does nothing. Timers that fire during the stop have no
 * effect.
 */
class StoppableClock implements Clock {
  readonly #clock: FakeClock;
  #stoppedUntil = Number.NEGATIVE_INFINITY;
  readonly now;
  readonly date;

  constructor(clock: FakeClock) {
    this.#clock = clock;
    this.now = clock.now;
    this.date = clock.date;
  }

  stop(ms: number): void {
    this.#stoppedUntil = Math.max(this.#stoppedUntil, this.now() + ms);
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    await this.#clock.sleep(ms, signal);
    await this.continued();
  }

  async continued(): Promise<void> {
    while (this.now() < this.#stoppedUntil) await this.#clock.sleep(this.#stoppedUntil - this.now());
  }
}

class Simulation {
  readonly #journeys: readonly Journey[];
  readonly #clock = new FakeClock();
  readonly #begun = this.#clock.now();
  readonly #leases = new FakeLeases();
  readonly #processes = new Map(IDENTITIES.map((identity) => [identity, new StoppableClock(this.#clock)]));
  readonly #elections: readonly Election[];
  readonly #wrong: string[] = [];
  #asked = 0;
  #turns = 0;
  #last = { holder: '', text: '', at: 0 };

  constructor(journeys: readonly Journey[]) {
    this.#journeys = journeys;
    this.#leases.onAnswer = () => this.#look();
    this.#elections = [...this.#processes].map(([identity, clock]) => {
      const client = this.#travelling(this.#leases.clientOf(identity), clock);
      const log = new RecordingLog();
      const random = () => 0.5;
      return new Election({ client, namespace: 'system', name: 'operator', identity, log, clock, random });
    });
  }

  /**
   * @returns how often the holder changed
   * @throws an AssertionError if a state violates the rules of the election
   */
  async run(stops: readonly Stop[]): Promise<number> {
    const ending = new AbortController();
    const onStartedLeading = (leading: AbortSignal) =>
      new Promise<void>((resolve) => leading.addEventListener('abort', () => resolve()));
    for (const election of this.#elections) void election.run({ onStartedLeading }, ending.signal);
    for (const { at, ms } of stops.toSorted((one, other) => one.at - other.at)) {
      await this.#advance(at);
      this.#processes.get(this.#leases.holder ?? '')?.stop(ms);
    }
    await this.#advance(DURATION_MS);
    ending.abort();
    assert.deepEqual(this.#wrong, []);
    return this.#turns;
  }

  async #advance(to: number): Promise<void> {
    const end = this.#begun + to;
    while (this.#clock.now() < end) {
      await this.#clock.advance(Math.min(LOOK_MS, end - this.#clock.now()));
      const writing = this.#elections.filter((election) => election.mayWrite()).length;
      if (writing > 1) this.#wrong.push(`${writing} may write`);
    }
  }

  /**
   * Checks the state after each request. The check must not throw, because the election would treat an error as a
   * failed request.
   */
  #look(): void {
    const [holder = '', text, at] = [this.#leases.holder, JSON.stringify(this.#leases.lease), this.#clock.now()];
    if (holder !== this.#last.holder) {
      this.#turns++;
      const age = at - this.#last.at;
      if (this.#last.holder !== '' && age < LEASE_MS) this.#wrong.push(`taken from another after ${age} ms`);
    }
    if (text !== this.#last.text) this.#last = { holder, text, at };
  }

  #travelling(client: LeaseClient, own: StoppableClock): LeaseClient {
    const travel = async <Answer>(request: () => Promise<Answer>): Promise<Answer> => {
      const { connecting, there, back, lost } = this.#journeys[this.#asked++ % this.#journeys.length] as Journey;
      await own.sleep(connecting);
      await this.#clock.sleep(there);
      try {
        if (lost === 'request') throw new Error('connection reset');
        const answer = await request();
        if (lost === 'answer') throw new Error('connection reset');
        return answer;
      } finally {
        await this.#clock.sleep(back);
        await own.continued();
      }
    };
    return {
      get: (path) => travel(() => client.get(path)),
      create: (path, object) => travel(() => client.create(path, object)),
      replace: (object) => travel(() => client.replace(object)),
    };
  }
}
