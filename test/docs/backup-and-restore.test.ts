/** Pastes the blocks of the page about backup and restore, and loses the objects between the two blocks. */
import assert from 'node:assert/strict';
import { ADMITTED, eventually, OPERATOR_NAMESPACE, useCluster } from '../support/harness.ts';
import { documentedBlocks, ROOT } from '../support/page.ts';
import { baselinePod } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { reader } from './pasted.ts';
import { ShellSession } from './shell-session.ts';

describe('the page about backup and restore', function () {
  this.timeout(180_000);
  const cluster = useCluster('backup');
  let session: ShellSession;
  before(() => {
    session = new ShellSession(ROOT, reader(cluster.controlPlane));
  });
  after(() => session.end());

  it('brings a rollout back where it was, after its policy and its state were lost', async () => {
    const [backUp = '', restore = ''] = documentedBlocks('docs/backup-and-restore.md', 'Copy the objects');
    const team = { team: 'backup' };
    const namespace = await cluster.namespace('shop', team);
    const spec = { namespaceSelector: { matchLabels: team }, level: 'restricted', mode: 'Enforce' } as const;
    const policy = await cluster.policy('shop', { ...spec, rollout: { soak: '1s' } });
    const isRefused = async () => (await cluster.admit(baselinePod(), namespace)) !== ADMITTED;
    await eventually('the promotion', isRefused);
    await cluster.policy('shop', { ...spec, rollout: { soak: '24h' } });
    await cluster.programmed(policy);
    await session.paste(backUp);
    await cluster.operator.stop();
    await cluster.deletePolicy(policy);
    await cluster.api.remove(`${NAMESPACES}/${OPERATOR_NAMESPACE}/configmaps/rollout-0.${policy}`);
    await cluster.operator.startAndWatch();
    await eventually('the rows to be gone', async () => (await cluster.having(policy)).length === 0);
    await eventually('the pod to be admitted', async () => !(await isRefused()));
    await session.paste(restore);
    await cluster.programmed(policy);
    for (let second = 0; second < 5; second++) {
      assert.ok(await isRefused(), `after ${second} s`);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  });
});
