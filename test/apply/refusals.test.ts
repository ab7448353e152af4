import assert from 'node:assert/strict';
import { Refusals } from '../../operator/apply/refusals.ts';
import { ApiError } from '../../operator/cluster/client.ts';

const WANTED = {};

describe('Refusals', () => {
  let now: number;
  let refusals: Refusals;
  let tries: number[];
  let error: Error | undefined;

  beforeEach(() => {
    now = 0;
    tries = [];
    error = undefined;
    refusals = new Refusals({ now: () => now });
  });

  const attempt = (wanted = WANTED) =>
    refusals.attempt('it', wanted, async () => {
      tries.push(now);
      if (error) throw error;
    });
  const attemptsUntil = async (ms: number) => {
    for (; now <= ms; now += 50) await attempt();
  };

  it('a write that succeeds leaves nothing', async () => {
    assert.equal(await attempt(), true);
    assert.deepEqual(
      [refusals.failure('it'), refusals.passing('it'), refusals.nextTry],
      [undefined, undefined, Number.POSITIVE_INFINITY],
    );
  });

  for (const status of [400, 403, 413, 422]) {
    it(`an error ${status} is a failure at once, and is tried again after a second`, async () => {
      error = refusal(status);
      assert.equal(await attempt(), false);
      assert.deepEqual(
        [refusals.failure('it'), refusals.passing('it'), refusals.nextTry],
        [`refused with ${status}`, undefined, 1_000],
      );
      await attemptsUntil(2_000);
      assert.deepEqual(tries, [0, 1_000, 2_000]);
    });
  }

  for (const one of [refusal(429), refusal(500), refusal(503), new Error('the connection was reset')]) {
    it(`"${one.message}" may pass, and is a failure at the third time in a row`, async () => {
      error = one;
      await attempt();
      now = 1_000;
      await attempt();
      assert.deepEqual([refusals.failure('it'), refusals.passing('it')], [undefined, one.message]);
      now = 2_000;
      await attempt();
      assert.deepEqual([refusals.failure('it'), refusals.passing('it')], [one.message, undefined]);
      error = undefined;
      now = 3_000;
      await attempt();
      assert.equal(refusals.failure('it'), undefined);
    });
  }

  it('a write is tried again 100 ms after a conflict, because the watch may then show the other change', async () => {
    error = refusal(409);
    await attempt();
    assert.equal(refusals.nextTry, 100);
  });

  it('if refusals of a write last for 15 s, the write is tried again after half a minute', async () => {
    error = refusal(403);
    await attemptsUntil(50_000);
    assert.deepEqual(tries.slice(-2), [15_000, 45_000]);
  });

  it('the next attempt waits for the time that the API server requests', async () => {
    error = new ApiError({ status: 429, reason: 'TooManyRequests', message: '', causes: [], retryAfterSeconds: 2 });
    await attemptsUntil(2_000);
    assert.deepEqual(tries, [0, 2_000]);
  });

  it('a write of another object is tried at once', async () => {
    error = refusal(403);
    await attempt();
    await attempt({});
    assert.equal(tries.length, 2);
  });

  it('forgets what nobody wants', async () => {
    error = refusal(403);
    await attempt();
    refusals.keep(new Set(['another']));
    assert.equal(refusals.failure('it'), undefined);
  });

  it('throws at the end of the term', async () => {
    const term = new AbortController();
    refusals = new Refusals({ now: () => now }, term.signal);
    term.abort(new Error('the term is over'));
    error = new Error('aborted');
    await assert.rejects(attempt(), /the term is over/);
  });
});

function refusal(status: number): ApiError {
  return new ApiError({ status, reason: 'Test', message: `refused with ${status}`, causes: [] });
}
