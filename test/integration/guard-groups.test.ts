/**
 * Tests a change that concerns more policies than one guard can ask about. A second guard asks about the remaining
 * policies.
 */
import assert from 'node:assert/strict';
import { COLLECTIONS } from '../../hack/controlplane/rendered.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { ADMINISTRATOR, eventually, useCluster } from '../support/harness.ts';
import {
  allowEditor,
  change,
  EDITOR,
  grant,
  isChanged,
  type MetadataChange,
  onPolicy,
  routesOf,
} from '../support/namespace-changes.ts';

/** The maximum number of policies that one guard asks about. */
const ASKED = 24;
const POLICIES = ASKED + 3;

describe('the guards of many policies', function () {
  this.timeout(300_000);
  const cluster = useCluster('guard-groups');

  function enforce(labels: Record<string, string>): CapabilityPolicySpec {
    const namespaceSelector = { matchLabels: labels };
    return { namespaceSelector, level: 'privileged', mode: 'Enforce', overrides: { hostNetwork: false } };
  }

  before(() => allowEditor(cluster.api));
  afterEach(() => cluster.deletePolicies());

  it('the guards let no editor move a namespace out of its policy', async () => {
    const names: string[] = [];
    for (let i = 0; i < POLICIES; i++) names.push(await cluster.policy(`it-${i}`, enforce({ team: `groups-${i}` })));
    await cluster.programmed(...names);
    assert.deepEqual(await guards(), ['capabilitypolicy.guard', 'capabilitypolicy.guard-more']);

    for (const index of [0, POLICIES - 1]) {
      const namespace = await cluster.namespace(`team-${index}`, { team: `groups-${index}` });
      const other = `groups-${POLICIES - 1 - index}`;
      for (const team of [null, 'nobody', other]) {
        const wanted: MetadataChange = { labels: { team } };
        for (const route of routesOf(wanted)) {
          const { status, body } = await change(cluster.api, namespace, wanted, EDITOR, route);
          assert.equal(status, 403, route.title);
          assert.match(body.message, new RegExp(`CapabilityPolicy ${names[index]}: this change would`), route.title);
        }
      }
      const free: MetadataChange = { labels: { colour: 'blue' }, annotations: { note: 'blue' } };
      for (const route of routesOf(free)) {
        assert.ok(isChanged(await change(cluster.api, namespace, free, EDITOR, route), free), route.title);
      }
    }
    const outside = await cluster.namespace('outside');
    const joins: MetadataChange = { labels: { team: 'groups-0' } };
    for (const route of routesOf(joins)) {
      assert.ok(isChanged(await change(cluster.api, outside, joins, EDITOR, route), joins), route.title);
    }
    await eventually('the labels', async () => (await cluster.differences()).length === 0);
  });

  it('the guards require exempt on each policy that a change concerns, including the policies of the second guard', async () => {
    const names: string[] = [];
    // The test creates the policies in the order of their names.
    for (let i = 100; i <= 100 + 2 * ASKED; i++) names.push(await cluster.policy(`${i}`, enforce({ crowd: 'yes' })));
    await cluster.programmed(...names);
    assert.deepEqual(await guards(), ['capabilitypolicy.guard', 'capabilitypolicy.guard-more']);
    const namespace = await cluster.namespace('crowd', { crowd: 'yes' });
    const leaves: MetadataChange = { labels: { crowd: null } };
    const answer = async () => {
      const { status, body } = await change(cluster.api, namespace, leaves, EDITOR);
      return status === 200 ? '' : String(body.message);
    };
    const leaving = await change(cluster.api, namespace, leaves, ADMINISTRATOR);
    assert.ok(isChanged(leaving, leaves), leaving.body.message);
    const paths: string[] = [];
    const exempt = async (some: readonly string[]) => {
      const rules = some.map((name) => onPolicy('exempt', name));
      paths.push(await grant(cluster.api, EDITOR.user, rules, { name: `guard-groups-${paths.length}` }));
    };
    const first = `CapabilityPolicy ${names[ASKED]}: this change would`;
    try {
      await exempt(names.slice(0, ASKED));
      await eventually('the first one that is not exempt', async () => (await answer()).includes(first));
      await exempt(names.slice(ASKED, ASKED + 1));
      const next = `CapabilityPolicy ${names[ASKED + 1]}: this change would`;
      await eventually('the next one', async () => (await answer()).includes(next));
      await exempt(names.slice(ASKED + 1));
      const tooMany = `this change concerns more than ${2 * ASKED} policies: it needs the verb exempt on all`;
      await eventually('more than both ask about', async () => (await answer()).includes(tooMany));
      await cluster.deletePolicy(names[0] ?? '');
      await eventually('as many as both ask about', async () => (await answer()) === '');
    } finally {
      for (const path of paths) await cluster.api.remove(path);
    }
  });

  async function guards(): Promise<string[]> {
    const policies = await cluster.api.list(COLLECTIONS.ValidatingAdmissionPolicy ?? '');
    const names: string[] = policies.map(({ metadata }) => metadata.name);
    return names.filter((name) => /^capabilitypolicy[.]guard/.test(name) && !name.endsWith('-canary')).sort();
  }
});
