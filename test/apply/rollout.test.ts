/** Tests the order of a pass (docs/decisions/0002), because a real API server is too fast to show every wrong one. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import type { PassResult } from '../../operator/apply/result.ts';
import { Rollout } from '../../operator/apply/rollout.ts';
import { type ApiClient, ApiError } from '../../operator/cluster/client.ts';
import { compiler } from '../../operator/compile/compile.ts';
import type { RenderedObject } from '../../operator/model/objects.ts';
import { lastOf } from '../../operator/policy/pieces.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policy } from '../support/policies.ts';
import { MemoryApi } from './memory-api.ts';

const OPTIONS = { oldestServer: NEWEST_KNOWN_MINOR, operatorNamespace: 'operator', excludedNamespaces: [] };
/** After it, a probe is asked again. */
const AGAIN_MS = 100;
const SELECTOR = { namespaceSelector: { matchLabels: { team: 'a' } } };

/** For everyone; the first by name. */
const low = policy('a-low', SELECTOR);
/** For one service account, with a higher priority: the text of the other policy asks for `use` on it. */
const high = policy('b-high', {
  ...SELECTOR,
  priority: 10,
  usableBy: 'Subjects',
  subjects: [{ kind: 'ServiceAccount', name: 'one', namespace: 'here' }],
});
const GRANTS = ['ClusterRole', 'ClusterRoleBinding'].map((kind) => `${kind}/capabilitypolicy.dev:use:b-high`);

describe('Rollout.pass', () => {
  let api: MemoryApi;
  let rollout: Rollout;
  let now: number;
  const clock = { now: () => now };
  let pass: (policies: readonly CompletePolicy[], shown?: readonly RenderedObject[]) => Promise<PassResult>;

  beforeEach(() => {
    api = new MemoryApi();
    const client = api as unknown as ApiClient;
    now = 0;
    rollout = new Rollout(client, { servers: async () => [client], onWrite() {}, clock });
    const compile = compiler();
    pass = (policies, shown = api.shown()) => rollout.pass(lastOf(compile(policies, OPTIONS)), shown);
  });

  const grants = () => api.calls.filter((call) => GRANTS.some((grant) => call.endsWith(grant)));

  it("writes the grants of all policies before any text asks for them, even a sibling's text", async () => {
    api.beforeAnswer = ({ kind }) => (kind === 'ClusterRoleBinding' ? sleep(20) : Promise.resolve());
    await pass([low, high]);
    const isText = (call: string) => call.includes('AdmissionPolicy');
    const first = api.calls.findIndex(isText);
    assert.deepEqual(
      api.calls.slice(first).filter((call) => !isText(call)),
      [],
    );
    assert.deepEqual(
      grants().toSorted(),
      GRANTS.map((grant) => `created ${grant}`),
    );
  });

  it('keeps the grants of a deleted policy while a text that asks for them is written and not shown yet', async () => {
    await pass([low]);
    const before = api.shown();
    api.loaded = before;
    await pass([low, high], before);
    // The watch of roles is faster than that of admission policies.
    api.collect('b-high');
    const roles = api.shown().filter(({ kind }) => kind.startsWith('ClusterRole'));
    await pass([low], [...before.filter(({ kind }) => !kind.startsWith('ClusterRole')), ...roles]);
    assert.deepEqual(
      grants(),
      GRANTS.map((grant) => `created ${grant}`),
    );
  });

  it('deletes the grants of a deleted policy when no text that asks for them is in force', async () => {
    await pass([low, high]);
    await pass([low, high]);
    api.collect('b-high');
    for (let passes = 0; passes < 4; passes++) await pass([low]);
    assert.deepEqual(
      grants().slice(GRANTS.length).toSorted(),
      GRANTS.map((grant) => `deleted ${grant}`),
    );
    const lastText = api.calls.findLastIndex((call) => call.startsWith('deleted ValidatingAdmissionPolicy'));
    const firstGrant = api.calls.findIndex((call) => call.startsWith('deleted ClusterRole'));
    assert.ok(lastText < firstGrant, 'a grant was deleted before the text that asks for it');
  });

  it('deletes them also when a pass that changes nothing else finds that the last such text is gone', async () => {
    await pass([low, high]);
    await pass([low, high]);
    api.loaded = api.shown();
    api.collect('b-high');
    const compiled = () => lastOf(compiler()([low], OPTIONS));
    const last = compiled();
    for (let passes = 0; passes < 4; passes++) {
      now += 60_000;
      await rollout.pass(last, api.shown());
    }
    assert.equal(grants().length, GRANTS.length, 'deleted while a text that asks for them is in force');
    api.loaded = undefined;
    const [again, shown] = [compiled(), api.shown()];
    for (let passes = 0; passes < 2; passes++) {
      now += AGAIN_MS;
      await rollout.pass(again, shown);
    }
    assert.deepEqual(
      grants().slice(GRANTS.length).toSorted(),
      GRANTS.map((grant) => `deleted ${grant}`),
    );
  });

  for (const [title, renewed, remains] of [
    ['decided', 'a-first', 'b-second'],
    ['was decided for', 'b-second', 'a-first'],
  ] as const) {
    it(`deletes the old set of peers, when a policy with the name of the one that ${title} is created and not accepted`, async () => {
      const peers = ['a-first', 'b-second'].map((name) => policy(name, SELECTOR));
      await pass(peers);
      await pass(peers);
      api.collect(renewed);
      const metadata = { name: renewed, uid: 'uid-of-another' };
      const refused = { ...policy(renewed, { ...SELECTOR, levelVersion: 'v1.99' }), metadata };
      const edited = policy(remains, { ...SELECTOR, level: 'baseline' });
      let result = await pass([edited, refused]);
      for (let passes = 0; passes < 4; passes++) {
        now += 60_000;
        result = await pass([edited, refused]);
      }
      const texts = api
        .shown()
        .filter(({ kind, metadata: { name } }) => !kind.endsWith('Binding') && name.includes('-a-first-'));
      assert.equal(texts.length, remains === 'a-first' ? 1 : 0, texts.map(({ metadata }) => metadata.name).join(' '));
      assert.ok(result.outcomes.get(remains)?.message.includes('in force beside') !== true);
    });
  }

  it('asks about a few of many new rulesets, as long as the API server has loaded none of them', async () => {
    const many = Array.from({ length: 40 }, (_, index) => policy(`p${index}`, SELECTOR));
    api.loaded = [];
    await pass(many);
    assert.ok(api.probes < 20, `${api.probes} probes`);
    api.loaded = undefined;
    now += AGAIN_MS;
    const { outcomes } = await pass(many);
    assert.deepEqual(
      [...outcomes.values()].filter(({ state }) => state !== 'InForce'),
      [],
    );
  });

  it('asks only the first API server, as long as that does not enforce a ruleset', async () => {
    const second = new MemoryApi();
    const servers = [api, second] as unknown as ApiClient[];
    rollout = new Rollout(servers[0] as ApiClient, { servers: async () => servers, onWrite() {}, clock });
    const compiled = lastOf(compiler()([low], OPTIONS));
    api.loaded = [];
    await rollout.pass(compiled, api.shown());
    // About the policy and its guard.
    assert.deepEqual([api.probes, second.probes], [2, 0]);
    api.loaded = undefined;
    now += AGAIN_MS;
    const { outcomes } = await rollout.pass(compiled, api.shown());
    assert.deepEqual([api.probes, second.probes], [4, 2]);
    assert.equal(outcomes.get('a-low')?.state, 'Working');
  });

  it('looks at no object again while only a probe can change the result', async () => {
    const compiled = lastOf(compiler()([low], OPTIONS));
    api.loaded = [];
    await rollout.pass(compiled, api.shown());
    const { shown, looks } = watched(api.shown());
    await rollout.pass(compiled, shown);
    const before = looks();
    now += AGAIN_MS;
    const { outcomes: waiting, comeBackMs } = await rollout.pass(compiled, shown);
    assert.deepEqual([before > 0, looks() - before], [true, 0]);
    assert.deepEqual([waiting.get('a-low')?.state, comeBackMs], ['Working', 100]);
    api.loaded = undefined;
    now += AGAIN_MS;
    const { outcomes } = await rollout.pass(compiled, shown);
    assert.equal(outcomes.get('a-low')?.state, 'InForce');
  });

  describe('while the API server refuses one policy and has not loaded another one', () => {
    const refused = policy('c-refused', { namespaceSelector: { matchLabels: { team: 'c' } } });
    let attempts: number[];
    let error: ApiError;

    beforeEach(() => {
      attempts = [];
      error = new ApiError({ status: 403, reason: 'Forbidden', message: 'refused', causes: [] });
      api.loaded = [];
      api.beforeAnswer = async ({ metadata: { name } }) => {
        if (!name.startsWith('capabilitypolicy-c-refused')) return;
        attempts.push(now);
        throw error;
      };
    });

    const passes = async (count: number, policies = [low, refused]) => {
      const compiled = lastOf(compiler()(policies, OPTIONS));
      let result = await rollout.pass(compiled, api.shown());
      for (let more = 1; more < count; more++) {
        now += AGAIN_MS;
        result = await rollout.pass(compiled, api.shown());
      }
      return result;
    };

    it('tries the refused objects again after a second, however often a probe is asked', async () => {
      const { comeBackMs, outcomes } = await passes(31);
      assert.deepEqual(attempts, [0, 1_000, 2_000, 3_000]);
      assert.deepEqual([comeBackMs, outcomes.get('c-refused')?.state], [AGAIN_MS, 'Failed']);
    });

    it('looks at no object until then', async () => {
      const compiled = lastOf(compiler()([low, refused], OPTIONS));
      await rollout.pass(compiled, api.shown());
      const { shown, looks } = watched(api.shown());
      await rollout.pass(compiled, shown);
      const first = looks();
      now += AGAIN_MS;
      await rollout.pass(compiled, shown);
      assert.deepEqual([first > 0, looks()], [true, first]);
      now += 1_000;
      await rollout.pass(compiled, shown);
      assert.ok(looks() > first);
    });

    it('waits for as long as the API server asks', async () => {
      error = new ApiError({ status: 429, reason: 'TooManyRequests', message: '', causes: [], retryAfterSeconds: 2 });
      await passes(31);
      assert.deepEqual(attempts, [0, 2_000]);
    });

    it('tries at once when the policy is edited', async () => {
      await passes(2);
      await passes(2, [low, policy('c-refused', { ...refused.spec, level: 'baseline' })]);
      assert.deepEqual(attempts, [0, 100]);
    });

    it('says when to come back if nothing else is awaited', async () => {
      api.loaded = undefined;
      const { comeBackMs } = await passes(6);
      assert.equal(comeBackMs, 500);
    });
  });

  it('reports the first of many policies before the last is written', async () => {
    const many = Array.from({ length: 80 }, (_, index) =>
      policy(`p${index}`, {
        ...SELECTOR,
        mode: 'Audit' as const,
        namespaceSelector: { matchLabels: { team: `team-${index}` } },
      }),
    );
    api.beforeAnswer = async ({ kind }) => {
      if (kind.startsWith('Validating')) now += 100;
    };
    const compile = compiler();
    const compiled = lastOf(compile(many, OPTIONS));
    const first = await rollout.pass(compiled, []);
    const states = Map.groupBy(first.outcomes.values(), ({ state }) => state);
    assert.ok((states.get('InForce')?.length ?? 0) > 0, 'none is in force');
    assert.ok((states.get('Working')?.length ?? 0) > 0, 'all are in force');
    assert.equal(first.comeBackMs, 0);
    assert.ok(!api.calls.some((call) => call.startsWith('deleted')));
    api.beforeAnswer = () => Promise.resolve();
    const rest = await rollout.pass(compiled, api.shown());
    assert.deepEqual(new Set([...rest.outcomes.values()].map(({ state }) => state)), new Set(['InForce']));
  });
});

/** @returns the objects, and how often somebody looked at them */
function watched(objects: RenderedObject[]) {
  let looks = 0;
  const shown = new Proxy(objects, {
    get(target, key, receiver) {
      looks++;
      return Reflect.get(target, key, receiver);
    },
  });
  return { shown, looks: () => looks };
}
