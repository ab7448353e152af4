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

/** A fake API server. The function `answer` returns the message that refuses a dry run. */
function server(answer: () => { readonly status: number; readonly message: string }, number = 1): ApiClient {
  const create = async () => {
    asked++;
    throw new ApiError({ ...answer(), reason: 'Test', causes: [] });
  };
  return { create, server: `https://10.0.0.${number}` } as unknown as ApiClient;
}

const enforces = ({ hash }: Text) => ({ status: 422, message: `${PROBE_ANSWER} ${hash}` });

describe('the repeated probe of a program in force', () => {
  for (const status of [403, 429, 500]) {
    describe(`that an API server answers with ${status}`, () => {
      let answer: ReturnType<typeof enforces>;
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
