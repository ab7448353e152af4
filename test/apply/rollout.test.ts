/** Tests the order of a pass (docs/decisions/0002), because a real API server is too fast to show every wrong one. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import type { PassResult } from '../../operator/apply/result.ts';
import { Rollout } from '../../operator/apply/rollout.ts';
import type { ApiClient } from '../../operator/cluster/client.ts';
import { compiler } from '../../operator/compile/compile.ts';
import type { RenderedObject } from '../../operator/model/objects.ts';
import { lastOf } from '../../operator/policy/pieces.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policy } from '../support/policies.ts';
import { MemoryApi } from './memory-api.ts';

const OPTIONS = { oldestServer: NEWEST_KNOWN_MINOR, operatorNamespace: 'operator', excludedNamespaces: [] };
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
  let pass: (policies: readonly CompletePolicy[], shown?: readonly RenderedObject[]) => Promise<PassResult>;

  beforeEach(() => {
    api = new MemoryApi();
    const client = api as unknown as ApiClient;
    const rollout = new Rollout(client, { servers: async () => [client], onWrite() {} });
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

  it('asks about a few of many new rulesets, as long as the API server has loaded none of them', async () => {
    const many = Array.from({ length: 40 }, (_, index) => policy(`p${index}`, SELECTOR));
    api.loaded = [];
    await pass(many);
    assert.ok(api.probes < 20, `${api.probes} probes`);
    api.loaded = undefined;
    // Those that it did not ask about come first.
    await pass(many);
    const { outcomes } = await pass(many);
    assert.deepEqual(
      [...outcomes.values()].filter(({ state }) => state !== 'InForce'),
      [],
    );
  });
});
