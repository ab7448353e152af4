/** The rollout page, as a reader follows it, on the cluster that it describes; and how to break glass afterwards. */
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { ADMITTED, eventually, OPERATOR_NAMESPACE, useCluster } from '../support/harness.ts';
import { documentedBlocks, ROOT, readPage } from '../support/page.ts';
import { baselinePod } from '../support/pod-manifests.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import { pasteBlocks, reader } from './pasted.ts';
import { ShellSession } from './shell-session.ts';

const POD = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };

interface Deployed {
  readonly namespace: string;
  readonly name: string;
  readonly replicas?: number;
  readonly add?: string;
}

const TEAMS = Array.from({ length: 6 }, (_, i) => `team-0${i + 1}`);
/** A pod that complies except for the capabilities that it adds. */
const DEPLOYED: readonly Deployed[] = [
  ...TEAMS.map((namespace) => ({ namespace, name: 'web' })),
  { namespace: 'team-05', name: 'clock', replicas: 2, add: 'SYS_TIME' },
  { namespace: 'net', name: 'pinger', add: 'NET_RAW' },
];

describe('the rollout', () => {
  let controlPlane: ControlPlane | undefined;
  // A separate control plane: the page counts namespaces.
  const cluster = useCluster('rollout', {
    controlPlane: async () => {
      controlPlane = await startControlPlane({ quiet: true });
      return controlPlane;
    },
  });

  before(populate);
  after(() => controlPlane?.stop());

  describe('step by step', () => {
    // Before the cluster's own clean-up, which knows only policies with its prefix.
    after(async () => {
      const policies = await cluster.api.list(POLICIES);
      await Promise.all(policies.map(({ metadata }) => cluster.deletePolicy(metadata.name)));
    });

    pasteBlocks(readPage('docs/rollout.md'), { cluster: () => cluster.controlPlane });

    describe('ends with the steps that other pages describe', () => {
      for (const page of ['docs/concepts.md', 'docs/exceptions.md'])
        pasteBlocks(readPage(page), { cluster: () => cluster.controlPlane });
    });
  });

  /** Edits the sample that the page names. */
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
