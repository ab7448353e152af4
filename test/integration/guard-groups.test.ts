/** The guards of so many policies that each looks only at the namespaces with some values of a label. */
import assert from 'node:assert/strict';
import { renderedObjects } from '../../hack/controlplane/rendered.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { eventually, useCluster } from '../support/harness.ts';
import { allowEditor, change, EDITOR, isChanged, type MetadataChange, routesOf } from '../support/namespace-changes.ts';

const POLICIES = 27;

describe('the guards of many policies', function () {
  this.timeout(300_000);
  const cluster = useCluster('guard-groups');

  it('each look at the namespaces of their policies, and let no editor move a namespace out of its policy', async () => {
    await allowEditor(cluster.api);
    const spec = (team: string): CapabilityPolicySpec => ({
      namespaceSelector: { matchLabels: { team } },
      level: 'privileged',
      mode: 'Enforce',
      overrides: { hostNetwork: false },
    });
    const names: string[] = [];
    for (let i = 0; i < POLICIES; i++) names.push(await cluster.policy(`it-${i}`, spec(`groups-${i}`)));
    await cluster.programmed(...names);
    const bindings = (await renderedObjects(cluster.api)).filter(({ metadata }) => metadata.name.endsWith('-guard'));
    assert.ok(bindings.length > 1);
    for (const { spec } of bindings) assert.equal(spec.matchResources.objectSelector.matchExpressions[0].key, 'team');

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
});
