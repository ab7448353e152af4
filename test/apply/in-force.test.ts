import assert from 'node:assert/strict';
import { InForce, type Text } from '../../operator/apply/in-force.ts';
import { type ApiClient, ApiError } from '../../operator/cluster/client.ts';
import { PROBE_ANSWER } from '../../operator/compile/program.ts';

const MINUTE_MS = 60_000;
const OLD: Text = {
  name: 'capabilitypolicy.enforce',
  kind: 'Enforce',
  hash: '0123456789ab',
  rulesHash: 'rules',
  rows: new Map([['red', 'row']]),
};

let now: number;
let asked: number;
let inForce: InForce;

beforeEach(() => {
  now = 10 * MINUTE_MS;
  asked = 0;
  inForce = new InForce({ now: () => now });
});

interface Answer {
  readonly status: number;
  readonly message: string;
}

/**
 * A fake API server. The function `answer` returns the refusal of a dry run. If the result is undefined, the API server
 * accepts the dry run, so it does not enforce the program.
 */
function server(answer: () => Answer | undefined, number = 1): ApiClient {
  const create = async () => {
    asked++;
    const refusal = answer();
    if (refusal) throw new ApiError({ ...refusal, reason: 'Test', causes: [] });
    return {};
  };
  return { create, server: `https://10.0.0.${number}` } as unknown as ApiClient;
}

const NEW: Text = { ...OLD, hash: 'ba9876543210', rows: new Map([...OLD.rows, ['blue', 'row']]) };
const forbids = { status: 403, message: 'not now' };
const enforces = ({ hash }: Text): Answer => ({ status: 422, message: `${PROBE_ANSWER} ${hash}` });

describe('the repeated probe of a program in force', () => {
  for (const status of [403, 429, 500]) {
    describe(`that an API server answers with ${status}`, () => {
      let answer: Answer;
      const servers = [server(() => answer)];

      beforeEach(async () => {
        answer = enforces(OLD);
        await inForce.ask(OLD, servers);
        assert.equal(inForce.serversWith('red', OLD), 1);
        answer = { status, message: `refused with ${status}` };
        now += MINUTE_MS;
      });

      /** Probes when a probe is due, for the given time in ms. Returns the number of probes. */
      const probesIn = async (ms: number) => {
        asked = 0;
        for (const until = now + ms; now < until; now = Math.max(now + 1, inForce.askAt))
          await inForce.ask(OLD, servers);
        return asked;
      };

      it('is sent less and less often', async () => {
        const first = await probesIn(MINUTE_MS);
        assert.ok(first >= 5 && first < 50, `${first} probes in the first minute`);
        await probesIn(5 * MINUTE_MS);
        const later = await probesIn(MINUTE_MS);
        assert.ok(later >= 5 && later <= 7, `${later} probes in a later minute`);
      });

      it('leaves the policies in force for some time, and then no longer, until an API server gives the hash', async () => {
        await probesIn(MINUTE_MS);
        assert.equal(inForce.serversWith('red', OLD), 1);
        await probesIn(2 * MINUTE_MS);
        assert.deepEqual([inForce.serversWith('red', OLD), inForce.proves(OLD)], [0, false]);
        assert.match(inForce.waitsFor ?? '', new RegExp(`refused with ${status}`));
        answer = enforces(OLD);
        now = inForce.askAt;
        assert.equal(await inForce.ask(OLD, servers), true);
        assert.deepEqual([inForce.serversWith('red', OLD), inForce.proves(OLD)], [1, true]);
      });

      it('begins again with short waits after an API server has given the hash', async () => {
        await probesIn(2 * MINUTE_MS);
        answer = enforces(OLD);
        now = inForce.askAt;
        await inForce.ask(OLD, servers);
        answer = { status, message: 'refused again' };
        now = inForce.askAt;
        await inForce.ask(OLD, servers);
        assert.equal(inForce.askAt - now, 100);
        assert.equal(inForce.serversWith('red', OLD), 1);
      });
    });
  }
});

describe('the last proven version, while the API server refuses the next version', () => {
  let answers: Answer[];
  const first = server(() => answers[0], 1);
  const second = server(() => answers[1], 2);

  /** The number of API servers on which an unchanged row is in force, after a pass that cannot write the program. */
  const afterPass = async (servers: readonly ApiClient[]) => {
    inForce.begins(new Map(), servers);
    await inForce.askProven(servers);
    return inForce.serversWith('red', NEW);
  };

  beforeEach(async () => {
    answers = [enforces(OLD)];
    await inForce.ask(OLD, [first]);
    inForce.writes(NEW, true);
  });

  it('is not in force after an API server has joined, until the new API server enforces the version', async () => {
    assert.equal(await afterPass([first]), 1);
    assert.equal(await afterPass([first, second]), 0);
    assert.ok(inForce.askProvenAt > now && inForce.askProvenAt <= now + 100);
    now = inForce.askProvenAt;
    assert.equal(await afterPass([first, second]), 0);
    answers[1] = enforces(OLD);
    now = inForce.askProvenAt;
    assert.equal(await afterPass([first, second]), 2);
    assert.equal(inForce.serversWith('blue', NEW), 0);
    assert.deepEqual([inForce.proves(OLD), inForce.proves(NEW)], [false, false]);
  });

  it('stays in force while an API server leaves and comes back', async () => {
    answers[1] = enforces(OLD);
    assert.equal(await afterPass([first, second]), 2);
    asked = 0;
    assert.equal(await afterPass([first]), 1);
    assert.notEqual(await afterPass([first, second]), 0);
    assert.equal(asked, 0);
    now = inForce.askProvenAt;
    assert.equal(await afterPass([first, second]), 2);
  });

  it('is probed once a minute, and is no longer in force if an API server has lost the version', async () => {
    now += MINUTE_MS - 1;
    asked = 0;
    assert.deepEqual([await afterPass([first]), asked], [1, 0]);
    now++;
    assert.deepEqual([await afterPass([first]), asked], [1, 1]);
    answers = [];
    now += MINUTE_MS;
    assert.equal(await afterPass([first]), 0);
  });

  it('is no longer in force if API servers give no hash for some minutes', async () => {
    answers = [forbids];
    now += MINUTE_MS;
    assert.equal(await afterPass([first]), 1);
    assert.equal(inForce.askProvenAt, now + 100);
    now += 2 * MINUTE_MS;
    assert.equal(await afterPass([first]), 0);
    assert.equal(inForce.askProvenAt, now + 10_000);
  });

  it('is replaced by the next version when every API server enforces the next version', async () => {
    assert.equal(await afterPass([first, second]), 0);
    answers = [enforces(NEW), enforces(NEW)];
    assert.equal(await inForce.ask(NEW, [first, second]), true);
    assert.deepEqual([inForce.serversWith('blue', NEW), inForce.proves(NEW)], [2, true]);
  });
});
