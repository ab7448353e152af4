/** The roll-out page, as a reader follows it, on the cluster that it tells of; and how to break glass when it is done. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { putCappol } from '../cli/examples.ts';
import { type ControlPlane, startControlPlane } from '../controlplane/controlplane.ts';
import { documentedBlocks } from '../install/tools.ts';
import { ADMITTED, eventually, OPERATOR_NAMESPACE, useCluster } from '../integration/harness.ts';
import { baselinePod } from '../integration/pods.ts';
import { NAMESPACES, POLICIES } from '../integration/rendered.ts';
import { ROOT, readPage } from './page.ts';
import { pasteBlocks } from './pasted.ts';
import { ShellSession } from './shell-session.ts';

const POD = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };

interface Deployed {
  readonly namespace: string;
  readonly name: string;
  readonly replicas?: number;
  readonly add?: string;
}

const TEAMS = Array.from({ length: 6 }, (_, i) => `team-0${i + 1}`);
/** What complies but for what it adds. */
const DEPLOYED: readonly Deployed[] = [
  ...TEAMS.map((namespace) => ({ namespace, name: 'web' })),
  { namespace: 'team-05', name: 'clock', replicas: 2, add: 'SYS_TIME' },
  { namespace: 'net', name: 'pinger', add: 'NET_RAW' },
];

describe('the roll-out', () => {
  const bin = mkdtempSync(join(tmpdir(), 'rollout-'));
  let controlPlane: ControlPlane | undefined;
  // Of its own: the page counts namespaces.
  const cluster = useCluster('rollout', {
    controlPlane: async () => {
      controlPlane = await startControlPlane({ quiet: true });
      return controlPlane;
    },
  });

  before(async () => {
    putCappol(bin);
    await populate();
  });
  after(async () => {
    rmSync(bin, { recursive: true });
    await controlPlane?.stop();
  });

  const environment = async () => ({
    KUBECONFIG: cluster.controlPlane.kubeconfig,
    PATH: [bin, dirname(cluster.controlPlane.kubectl), process.env.PATH].join(delimiter),
  });
  describe('step by step', () => {
    // Before the cluster's own clean-up, which knows only of policies that bear its prefix.
    after(async () => {
      const policies = await cluster.api.list(POLICIES);
      await Promise.all(policies.map(({ metadata }) => cluster.deletePolicy(metadata.name)));
    });

    pasteBlocks(readPage('docs/rollout.md'), { environment });

    it('is undone by breaking glass, with an operator and without', async () => {
      const blocks = documentedBlocks('docs/operations.md', 'Break glass');
      const [withOperator = '', without = ''] = blocks.map((block) => block.replace('=restricted', '=everywhere'));
      const admit = () => cluster.admit(baselinePod(), 'team-01');
      const admitted = () => eventually('the pod to be admitted', async () => (await admit()) === ADMITTED);
      const session = new ShellSession(ROOT, await environment());
      try {
        await session.paste(withOperator);
        await admitted();
        await session.paste(withOperator.replace('"Audit"', '"Enforce"'));
        assert.notEqual(await admit(), ADMITTED);
        await cluster.operator.stop();
        await session.paste(without);
        await admitted();
      } finally {
        await session.end();
        await cluster.operator.startAndWatch();
      }
    });
  });

  async function populate(): Promise<void> {
    for (const name of [...TEAMS, 'net']) {
      await cluster.api.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      await cluster.serviceAccount(name, 'default');
    }
    for (const { namespace, name, replicas = 1, add } of DEPLOYED) {
      const capabilities = { drop: ['ALL'], ...(add !== undefined && { add: [add] }) };
      const container = { name: 'app', securityContext: { allowPrivilegeEscalation: false, capabilities } };
      await deploy(namespace, name, replicas, container, POD);
    }
    await deploy('team-06', 'legacy', 1, { name: 'legacy' });
    await eventually('the pods', async () => {
      const pods = await cluster.api.list('/api/v1/pods');
      return pods.filter(({ metadata }) => metadata.namespace !== OPERATOR_NAMESPACE).length === DEPLOYED.length + 2;
    });
  }

  async function deploy(
    namespace: string,
    name: string,
    replicas: number,
    container: object,
    securityContext?: object,
  ): Promise<void> {
    const labels = { app: name };
    const containers = [{ image: `registry.example/${name}:1`, ...container }];
    await cluster.api.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { securityContext, containers } },
      },
    });
  }
});
