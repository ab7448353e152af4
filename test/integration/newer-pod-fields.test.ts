/**
 * Tests an API server with pod fields that the operator's release does not know. The operator must name the unknown
 * fields, and continue to work.
 */
import assert from 'node:assert/strict';
import { earlierOperator } from '../support/earlier-operator.ts';
import { eventually, useCluster } from '../support/harness.ts';

const WARNING =
  /warning: API servers have pod fields that this release does not know, so no rule checks them: (.*)\. Upgrade/;

describe('an API server with pod fields that the operator does not know', () => {
  const cluster = useCluster('newer-fields');
  let policy: string;

  const accepted = async () => (await cluster.condition(policy, 'Accepted'))?.message ?? '';

  before(async () => {
    policy = await cluster.policy('it', { namespaceSelector: {}, level: 'baseline', mode: 'Audit' });
    await cluster.programmed(policy);
  });

  it('has none for this release', async () => {
    assert.doesNotMatch(await accepted(), WARNING);
  });

  it('the condition Accepted of each policy names the unknown fields, until the operator is upgraded', async () => {
    await cluster.operator.stop();
    const earlier = earlierOperator(cluster.operatorKubeconfig, ['procMount', 'hostUsers']);
    await earlier.startAndWatch();
    try {
      await eventually('the warning', async () => WARNING.test(await accepted()));
      const [, named] = WARNING.exec(await accepted()) ?? [];
      assert.equal(named, 'spec.containers.securityContext.procMount, spec.hostUsers');
      const warned = earlier.log.filter(({ message }) => message === 'API servers have pod fields that no rule checks');
      assert.deepEqual(
        warned.map(({ fields }) => fields),
        [['spec.containers.securityContext.procMount', 'spec.hostUsers']],
      );
      await eventually(
        'the policy to be Ready',
        async () => (await cluster.condition(policy, 'Ready'))?.status === 'True',
      );
    } finally {
      await earlier.stop();
    }
    await cluster.operator.startAndWatch();
    await eventually('the end of the warning', async () => !WARNING.test(await accepted()));
  });
});
