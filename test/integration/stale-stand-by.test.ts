import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Api } from '../../hack/controlplane/api.ts';
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { waitFor } from '../../hack/controlplane/wait.ts';
import { FaultProxy } from '../soak/fault-proxy.ts';
import { grantReplicas, newOperator, REPLICAS, replicaKubeconfig } from '../soak/replicas.ts';
import { ADMITTED, allowCreators, CREATOR, createNamespace, eventually, installCrd } from '../support/harness.ts';
import type { OperatorProcess } from '../support/operator-process.ts';
import { baselinePod } from '../support/pod-manifests.ts';
import { Random } from '../support/random.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';

const [FIRST, SECOND] = REPLICAS;
const NAME = 'stale';
const LOOKS = 60;

describe('a standby with a watch of policies that was silent for a while', () => {
  let controlPlane: ControlPlane;
  let api: Api;
  let proxy: FaultProxy;
  let leader: OperatorProcess;
  let standBy: OperatorProcess;

  before(async function () {
    this.timeout(300_000);
    controlPlane = await startControlPlane({ quiet: true });
    api = new Api(controlPlane.kubeconfig);
    await installCrd(api);
    await allowCreators(api);
    await grantReplicas(api);
    await createNamespace(api, NAME, { team: NAME });
    leader = newOperator(replicaKubeconfig(controlPlane, FIRST));
    const own = replicaKubeconfig(controlPlane, SECOND);
    proxy = await FaultProxy.start(own, new Random(1));
    standBy = newOperator(proxy.kubeconfig(own));
    await leader.startAndWatch();
    await waitFor('the first to lead', () => leader.log.some(({ message }) => message === 'started leading'));
    await apply('baseline');
    await eventually('the policy to admit', async () => (await admit()) === ADMITTED && (await inForce()));
    await standBy.startAndWatch();
  });

  after(async () => {
    await Promise.all([leader, standBy].map((one) => one?.stop('SIGKILL')));
    await proxy?.close();
    await api?.close();
    await controlPlane?.stop();
  });

  it('reverts nothing when it leads', async function () {
    this.timeout(180_000);
    const silent = proxy.silence(25_000, POLICIES);
    await apply('restricted');
    await eventually('the policy to refuse', async () => (await admit()) !== ADMITTED && (await inForce()));
    await leader.stop('SIGKILL');
    await waitFor('the second to lead', () => standBy.log.some(({ message }) => message === 'started leading'));
    for (let look = 0; look < LOOKS; look++) {
      assert.notEqual(await admit(), ADMITTED, `admitted at attempt ${look}`);
      await sleep(100);
    }
    await standBy.stop('SIGKILL');
    await proxy.close();
    await silent;
  });

  async function apply(level: string): Promise<void> {
    const spec = {
      namespaceSelector: { matchLabels: { team: NAME } },
      level,
      mode: 'Enforce',
      podSecurityLabels: 'Off',
    };
    const metadata = { name: NAME };
    const apiVersion = 'capabilitypolicy.dev/v1alpha1';
    await api.apply(`${POLICIES}/${NAME}`, { apiVersion, kind: 'CapabilityPolicy', metadata, spec });
  }

  async function inForce(): Promise<boolean> {
    const { metadata, status } = await api.get(`${POLICIES}/${NAME}`);
    const programmed = status?.conditions?.find(({ type }: { type: string }) => type === 'Programmed');
    return programmed?.status === 'True' && programmed.observedGeneration === metadata.generation;
  }

  async function admit(): Promise<string> {
    const path = `${NAMESPACES}/${NAME}/pods`;
    const { status, body } = await api.ask('POST', path, {
      body: baselinePod(),
      as: CREATOR,
      query: { dryRun: 'All' },
    });
    return status === 201 ? ADMITTED : (body.message ?? '');
  }
});
