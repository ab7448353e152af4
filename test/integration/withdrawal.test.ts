/** Tests the object that Argo CD deletes after the policies and before the operator (config/argocd/operator). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import type { Json } from '../../hack/controlplane/api.ts';
import { Tools } from '../../hack/tools.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { eventually, useCluster } from '../support/harness.ts';
import { documentedBlocks } from '../support/page.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { CONFIG } from '../support/rights.ts';

const LABEL = 'pod-security.kubernetes.io/enforce';
const OBJECT = load(readFileSync(join(CONFIG, 'argocd', 'operator', 'withdrawal.yaml'), 'utf8')) as Json;
const PATH = `/apis/rbac.authorization.k8s.io/v1/clusterroles/${OBJECT.metadata.name}`;
/**
 * Flags that slow down writes. With ten writes per second, withdrawing the labels of the policies takes two seconds.
 */
const SLOW_WRITES = ['--kube-api-qps=10', '--kube-api-burst=10'];
const MANY = 25;

describe('the object that is deleted before the operator', function () {
  this.timeout(300_000);
  const cluster = useCluster('withdrawal', { args: SLOW_WRITES });

  const restricted = (team: string): CapabilityPolicySpec => {
    return { namespaceSelector: { matchLabels: { team } }, level: 'restricted', mode: 'Enforce' };
  };

  async function labelled(): Promise<string[]> {
    const namespaces = await cluster.api.list(NAMESPACES);
    const ours = namespaces.filter(({ metadata }) => metadata.name.startsWith(cluster.named('')));
    return ours.filter(({ metadata }) => metadata.labels[LABEL]).map(({ metadata }) => metadata.name);
  }

  async function deleted(): Promise<boolean> {
    return (await cluster.api.find(PATH)) === undefined;
  }

  async function namespace(name: string, team: string): Promise<void> {
    const metadata = { name: cluster.named(name), labels: { team } };
    await cluster.api.apply(`${NAMESPACES}/${metadata.name}`, { apiVersion: 'v1', kind: 'Namespace', metadata });
  }

  it('the object is deleted as soon as the labels of deleted policies are gone, even if another policy exists', async () => {
    for (let index = 0; index < MANY; index++) await namespace(`leaving-${index}`, 'leaving');
    await namespace('staying', 'staying');
    const leaving = await cluster.policy('leaving', restricted('leaving'));
    await cluster.policy('staying', restricted('staying'));
    await eventually('all labels', async () => (await labelled()).length === MANY + 1);
    await cluster.api.apply(PATH, OBJECT);
    await cluster.deletePolicy(leaving);
    await cluster.api.remove(PATH);
    assert.equal(await deleted(), false);
    await eventually('it to be gone', deleted);
    assert.deepEqual(await labelled(), [cluster.named('staying')]);
    assert.ok(
      cluster.operator.log.some(({ message }) =>
        message.startsWith('the deletion waits until nothing of the deleted policies is left'),
      ),
    );
  });

  it('the object is deleted immediately if no policy was deleted', async () => {
    const before = cluster.operator.log.length;
    await cluster.api.apply(PATH, OBJECT);
    await cluster.api.remove(PATH);
    await eventually('it to be gone', deleted);
    assert.ok(!cluster.operator.log.slice(before).some(({ message }) => message.startsWith('deletion waits')));
  });

  it('while no operator runs, the object remains until a user releases the object as documented', async () => {
    const [release = ''] = documentedBlocks('docs/argocd.md', 'Remove everything');
    const tools = await Tools.find(cluster.controlPlane.kubeconfig);
    await cluster.operator.stop();
    try {
      await cluster.api.apply(PATH, OBJECT);
      await cluster.api.remove(PATH);
      assert.equal(await deleted(), false);
      await tools.shell(release);
      assert.equal(await deleted(), true);
    } finally {
      tools.end();
      await cluster.operator.startAndWatch();
    }
  });
});
