/** Runs the blocks of the rollout page as a reader would, and runs the break-glass procedure afterwards. */
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { ADMITTED, eventually, useCluster } from '../support/harness.ts';
import { documentedBlocks, ROOT, readPage } from '../support/page.ts';
import { baselinePod } from '../support/pod-manifests.ts';
import { POLICIES } from '../support/rendered.ts';
import { pasteBlocks, reader } from './pasted.ts';
import { ShellSession } from './shell-session.ts';

describe('the rollout', () => {
  let controlPlane: ControlPlane | undefined;
  // The test needs a separate control plane, because the page counts namespaces.
  const cluster = useCluster('rollout', {
    controlPlane: async () => {
      controlPlane = await startControlPlane({ quiet: true });
      return controlPlane;
    },
  });

  after(() => controlPlane?.stop());

  describe('step by step', () => {
    // This hook runs before the clean-up of `cluster`. The clean-up removes only policies with the prefix of `cluster`.
    after(async () => {
      const policies = await cluster.api.list(POLICIES);
      await Promise.all(policies.map(({ metadata }) => cluster.deletePolicy(metadata.name)));
    });

    pasteBlocks(readPage('docs/rollout.md'), { cluster: () => cluster.controlPlane });

    describe('after the blocks of the page, the blocks of other pages work', () => {
      for (const page of ['docs/concepts.md', 'docs/exceptions.md'])
        pasteBlocks(readPage(page), { cluster: () => cluster.controlPlane });
    });
  });

  /** Runs the break-glass procedure on the sample that the page names. */
  describe('is undone by breaking glass', () => {
    const [withOperator = '', back = '', without = ''] = documentedBlocks('docs/operations.md', 'Break glass');
    const namespace = 'team-01';
    const admit = () => cluster.admit(baselinePod(), namespace);
    const admitted = () => eventually('the pod to be admitted', async () => (await admit()) === ADMITTED);
    const refused = () => eventually('the pod to be refused', async () => (await admit()) !== ADMITTED);
    let session: ShellSession;

    before(async () => {
      session = new ShellSession(ROOT, reader(cluster.controlPlane));
      await session.paste(`kubectl label namespace ${namespace} environment=production`);
      await session.paste('kubectl apply -f config/samples/restricted.yaml');
      await session.paste('kubectl wait --for=condition=Ready capabilitypolicy/restricted --timeout=60s');
    });
    after(async () => {
      await session.end();
      await cluster.deletePolicy('restricted');
    });

    it('with an operator', async () => {
      await refused();
      await session.paste(withOperator);
      await admitted();
    });

    it('and ends when somebody goes back', async () => {
      await session.paste(back);
      await refused();
    });

    it('without', async () => {
      await refused();
      await cluster.operator.stop();
      try {
        await session.paste(without);
        await admitted();
      } finally {
        await cluster.operator.startAndWatch();
      }
    });
  });
});
