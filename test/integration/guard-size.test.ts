/** Tests policies with long selectors. A single expression or a single guard cannot contain all selectors. */
import assert from 'node:assert/strict';
import { COLLECTIONS } from '../../hack/controlplane/rendered.ts';
import { type CapabilityPolicySpec, NAME_LABEL } from '../../operator/api/capability-policy.ts';
import { eventually, useCluster } from '../support/harness.ts';
import { allowEditor, change, EDITOR, isChanged, type MetadataChange, routesOf } from '../support/namespace-changes.ts';
import { describeIfOffered } from '../support/needs.ts';
import { privilegedPod } from '../support/pod-manifests.ts';
import { longSelector } from '../support/random-selectors.ts';

const POLICIES = 10;
/** The number of policies. Each policy has 100 long names. Together, the policies fill more than one program. */
const NAMED = 80;
const ENFORCE = 'pod-security.kubernetes.io/enforce';

function enforce(spec: Partial<CapabilityPolicySpec>): CapabilityPolicySpec {
  return { level: 'restricted', mode: 'Enforce', ...spec } as CapabilityPolicySpec;
}

describeIfOffered('admissionVariables', 'the guard of policies with long selectors', function () {
  this.timeout(180_000);
  const cluster = useCluster('guard-size');

  before(() => allowEditor(cluster.api));
  afterEach(() => cluster.deletePolicies());

  it('the guard has room for all policies with long selectors, so that these policies and other policies become Ready', async () => {
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
      // If the label of the namespace gets a value that the selector excludes, the policy no longer selects the
      // namespace.
      const key = `example.com/key-13`;
      const excluded = longSelector(shard === 0 ? 0 : POLICIES - 1).matchExpressions?.[13]?.values?.[99] ?? '';
      const excluding = await change(cluster.api, namespace, { labels: { [key]: excluded } }, EDITOR);
      assert.equal(excluding.status, 403);
      assert.match(excluding.body.message, new RegExp(`CapabilityPolicy ${name}: this change would`));
      const free: MetadataChange = { labels: { [key]: 'free' } };
      assert.ok(isChanged(await change(cluster.api, namespace, free, EDITOR), free));
      assert.match(
        await cluster.admit(privilegedPod(), namespace),
        new RegExp(`CapabilityPolicy ${name}:|PodSecurity`),
      );
    }
    await eventually('the labels', async () => (await cluster.differences()).length === 0);
  });

  it('the guard is split by the names of namespaces, and each namespace has the guard of its policy', async () => {
    const names: string[] = [];
    for (let i = 0; i < NAMED; i++) {
      const matchExpressions = [{ key: NAME_LABEL, operator: 'In' as const, values: namespaces(i) }];
      names.push(await cluster.policy(`named-${i}`, enforce({ namespaceSelector: { matchExpressions } })));
    }
    await cluster.programmed(...names);
    const shards = await programs();
    for (const kind of ['guard', 'enforce']) {
      const found = shards.filter((name) => name.startsWith(`capabilitypolicy.${kind}-`));
      assert.ok(found.length > 1, `${kind}: ${shards.join()}`);
      assert.ok(!shards.includes(`capabilitypolicy.${kind}`), shards.join());
    }
    const weakens: MetadataChange = { labels: { [ENFORCE]: 'privileged' } };
    for (const index of [0, NAMED / 2, NAMED - 1]) {
      const namespace = await cluster.namespace(suffix(index, index));
      for (const route of routesOf(weakens)) {
        const { status, body } = await change(cluster.api, namespace, weakens, EDITOR, route);
        assert.equal(status, 403, route.title);
        assert.match(body.message, new RegExp(`CapabilityPolicy ${names[index]}: this change would`), route.title);
      }
      assert.match(
        await cluster.admit(privilegedPod(), namespace),
        new RegExp(`CapabilityPolicy ${names[index]}:|PodSecurity`),
      );
    }
    const outside = await cluster.namespace('outside');
    assert.ok(isChanged(await change(cluster.api, outside, weakens, EDITOR), weakens));
    await eventually('the labels', async () =>
      (await cluster.differences()).every((one) => !one.startsWith('namespace')),
    );
  });

  async function programs(): Promise<string[]> {
    const policies = await cluster.api.list(COLLECTIONS.ValidatingAdmissionPolicy ?? '');
    const names: string[] = policies.map(({ metadata }) => metadata.name);
    return names.filter((name) => name.startsWith('capabilitypolicy.') && !name.endsWith('-canary')).sort();
  }

  function namespaces(index: number): string[] {
    return Array.from({ length: 100 }, (_, i) => cluster.named(suffix(index, i)));
  }

  function suffix(index: number, i: number): string {
    return `${index}-${i}-`.padEnd(50, 'x');
  }
});
