/** Policies with selectors so long that one guard for all of them would exceed etcd's limit. */
import assert from 'node:assert/strict';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { eventually, useCluster } from '../support/harness.ts';
import { allowEditor, change, EDITOR } from '../support/namespace-changes.ts';
import { longSelector } from '../support/random-selectors.ts';

const POLICIES = 10;

describe('the guard of policies with long selectors', function () {
  this.timeout(180_000);
  const cluster = useCluster('guard-size');

  it('is split, so that all of them become Ready, and so does any other policy', async () => {
    await allowEditor(cluster.api);
    const enforce = (spec: Partial<CapabilityPolicySpec>) =>
      ({ level: 'restricted', mode: 'Enforce', ...spec }) as CapabilityPolicySpec;
    const names: string[] = [];
    for (let i = 0; i < POLICIES; i++) {
      names.push(await cluster.policy(`long-${i}`, enforce({ namespaceSelector: longSelector(i) })));
    }
    names.push(await cluster.policy('other', enforce({ namespaceSelector: { matchLabels: { shard: 'other' } } })));
    await cluster.programmed(...names);
    for (const name of names) assert.equal((await cluster.condition(name, 'Ready'))?.status, 'True');

    for (const [shard, name] of [names[0], names[POLICIES - 1]].entries()) {
      const namespace = await cluster.namespace(`in-${shard}`, { shard: `shard-${shard === 0 ? 0 : POLICIES - 1}` });
      const leaving = await change(cluster.api, namespace, { labels: { shard: null } }, EDITOR);
      assert.equal(leaving.status, 403);
      assert.match(leaving.body.message, new RegExp(`CapabilityPolicy ${name}: this change would`));
    }
    await eventually('the labels', async () => (await cluster.differences()).length === 0);
  });
});
