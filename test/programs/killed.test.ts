/**
 * Makes random changes, and kills the operator before or after random writes. A new process continues from the state of
 * the cluster. Meanwhile, the API server must admit each pod that the old state and the new state admit. The API server
 * must refuse each pod that the old state and the new state refuse.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SEED } from '../support/seed.ts';
import { type Interception, useProgramCluster } from './program-cluster.ts';
import { type Row, type Rows, smallCompiled } from './small-programs.ts';

const [ONE, TWO] = ['killed-one', 'killed-two'];
const COLOURS = ['red', 'green', 'both'];
const ACCOUNTS = ['a', 'b'];
/** CHANGES=100 makes 100 changes. */
const CHANGES = Number(process.env.CHANGES ?? 10);

const row = (namespace: string): fc.Arbitrary<Row | undefined> =>
  fc.option(
    fc.record({
      namespace: fc.constant(namespace),
      colours: fc.subarray(COLOURS, { minLength: 1 }),
      mode: fc.constantFrom('Enforce', 'Enforce', 'Enforce', 'Warn'),
      users: fc.option(fc.subarray(ACCOUNTS, { minLength: 1 }), { nil: undefined }),
    }) as fc.Arbitrary<Row>,
    { nil: undefined, freq: 4 },
  );

const change = fc.record({
  one: row(ONE),
  two: row(TWO),
  release: fc.constantFrom('first', 'first', 'first', 'second'),
  /** The kills of processes. The field `at` is the number of the write at which a process is killed. */
  kills: fc.array(fc.record({ at: fc.integer({ min: 1, max: 8 }), when: fc.constantFrom('before', 'after') }), {
    maxLength: 3,
  }),
});
type Change = typeof change extends fc.Arbitrary<infer One> ? One : never;

class Killed extends Error {}

describe('an operator that is killed at any write', function () {
  this.timeout(Math.max(600_000, CHANGES * 20_000));
  const cluster = useProgramCluster([ONE, TWO]);

  it('a new operator completes the work of a killed operator, and no pod meets a gap in enforcement', async () => {
    let last: Rows = {};
    let killed = 0;
    for (const [index, one] of fc.sample(change, { numRuns: CHANGES, seed: SEED }).entries()) {
      const next = rowsOf(one);
      const traffic = watch(last, next);
      try {
        killed += await bringTo(next, one);
      } finally {
        const surprises = await traffic.end();
        assert.deepEqual(surprises, [], `seed ${SEED}, change ${index}: ${JSON.stringify([last, one])}`);
      }
      for (const [namespace, colour, account] of pods()) {
        assert.equal(
          await cluster.admits(namespace, colour, account),
          admits(next, namespace, colour, account),
          `seed ${SEED}, change ${index}`,
        );
      }
      last = next;
    }
    assert.ok(killed >= CHANGES / 3, `killed ${killed} times`);
  });

  /** @returns the number of kills */
  async function bringTo(rows: Rows, { release, kills }: Change): Promise<number> {
    const compiled = smallCompiled(rows, { release });
    let killed = 0;
    for (const { at, when } of kills) {
      let left = at;
      const term = new AbortController();
      const count = () => {
        if (--left === 0) term.abort(new Killed());
        term.signal.throwIfAborted();
      };
      const intercept: Interception =
        when === 'before' ? { before: count } : { before: () => term.signal.throwIfAborted(), after: count };
      const programs = cluster.programs(intercept, { signal: term.signal });
      const until = performance.now() + 20_000;
      try {
        for (;;) {
          const { comeBackMs = Number.POSITIVE_INFINITY } = await programs.pass(compiled, await cluster.rendered());
          if (comeBackMs > 10_000 || performance.now() > until) break;
        }
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
        killed++;
      }
    }
    await cluster.settled(cluster.programs(), compiled);
    return killed;
  }

  /** Tries the pods that get the same verdict in the old state and in the new state. */
  function watch(before: Rows, after: Rows) {
    const agreed = pods().filter((pod) => admits(before, ...pod) === admits(after, ...pod));
    const surprises: string[] = [];
    let ended = false;
    const running = (async () => {
      while (!ended) {
        for (const pod of agreed) {
          const expected = admits(before, ...pod);
          if ((await cluster.admits(...pod)) !== expected) surprises.push(`${pod.join(' ')}: not ${expected}`);
        }
      }
    })();
    return {
      async end() {
        ended = true;
        await running;
        return surprises;
      },
    };
  }
});

function rowsOf({ one, two }: Change): Rows {
  return { ...(one && { one }), ...(two && { two }) };
}

function pods(): [namespace: string, colour: string, account: string][] {
  return [ONE, TWO].flatMap((namespace) =>
    COLOURS.flatMap((colour) =>
      [...ACCOUNTS, 'other'].map((account) => [namespace, colour, account] as [string, string, string]),
    ),
  );
}

/** The expected verdict on a pod under the given rows, computed without the API server. */
function admits(rows: Rows, namespace: string, colour: string, account: string): boolean {
  const deciding = Object.values(rows).filter((one) => one.namespace === namespace && one.mode !== 'Warn');
  const allows = ({ colours, users }: Row) => colours.includes(colour) && (!users || users.includes(account));
  return deciding.length === 0 || deciding.some(allows);
}
