/** Tests thousands of policies that select namespaces by hundreds of labels. All of them are rows of one program. */
import assert from 'node:assert/strict';
import { inBatches } from '../support/batches.ts';
import { ADMITTED, conditionOf, eventually, useCluster } from '../support/harness.ts';
import { describeIfOffered } from '../support/needs.ts';
import { baselinePod, restrictedPod } from '../support/pod-manifests.ts';
import { POLICIES } from '../support/rendered.ts';

const [COUNT, KEYS] = [2_400, 300];
const AT_ONCE = 16;
const WITHIN_MS = 600_000;

describeIfOffered('admissionVariables', `${COUNT} policies over ${KEYS} labels`, function () {
  this.timeout(WITHIN_MS + 300_000);
  const cluster = useCluster('many-labels');
  const keyOf = (i: number) => `many-labels-${i % KEYS}`;

  it('are all in force', async () => {
    const all = Array.from({ length: COUNT }, (_, i) => i);
    await inBatches(all, AT_ONCE, (i) =>
      cluster.policy(`p${i}`, {
        namespaceSelector: { matchLabels: { [keyOf(i)]: `${i}` } },
        level: 'restricted',
        mode: 'Enforce',
        podSecurityLabels: 'Off',
      }),
    );
    let waiting: string[] = [];
    const look = async () => {
      const policies = (await cluster.api.list(POLICIES)).filter(({ metadata }) =>
        metadata.name.startsWith(cluster.named('p')),
      );
      waiting = policies
        .filter((policy) => conditionOf(policy, 'Ready')?.status !== 'True')
        .map((policy) => `${policy.metadata.name}: ${conditionOf(policy, 'Ready')?.message}`);
      return policies.length === COUNT && waiting.length === 0;
    };
    await eventually('all to be ready', look, WITHIN_MS, 2_000).catch(() => assert.deepEqual(waiting.slice(0, 5), []));
    for (const i of [0, 1, KEYS, COUNT - 1]) {
      const namespace = await cluster.namespace(`n${i}`, { [keyOf(i)]: `${i}` });
      assert.equal(await cluster.admit(restrictedPod(), namespace), ADMITTED);
      assert.match(
        await cluster.admit(baselinePod(), namespace),
        new RegExp(`CapabilityPolicy ${cluster.named(`p${i}`)}:`),
      );
    }
  });
});
