/** Installs and runs the operator beside admission policies like those of AKS, GKE Autopilot and managed OpenShift. */
import assert from 'node:assert/strict';
import { Api } from '../../hack/controlplane/api.ts';
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { Tools } from '../../hack/tools.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { refuseWrites } from '../support/foreign-policy.ts';
import { ADMITTED, createNamespace, eventually, useCluster } from '../support/harness.ts';
import { podSecurityOf } from '../support/observed.ts';
import { documentedBlocks } from '../support/page.ts';
import { restrictedPod } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { PLATFORM_POLICIES } from './platform-policies.ts';

const BINDINGS = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings';
const METRICS_READER = 'config/prometheus/metrics_reader_role.yaml';

/** Starts a control plane that has the policies of all platforms. */
async function startPlatform(): Promise<ControlPlane> {
  const controlPlane = await startControlPlane({ quiet: true });
  const api = new Api(controlPlane.kubeconfig);
  try {
    for (const policy of PLATFORM_POLICIES) await refuseWrites(api, policy);
  } finally {
    await api.close();
  }
  return controlPlane;
}

describe('an installation beside the policies of platforms', () => {
  let controlPlane: ControlPlane;
  let tools: Tools;

  before(async function () {
    this.timeout(300_000);
    controlPlane = await startPlatform();
    tools = await Tools.withHelm(controlPlane.kubeconfig);
  });

  after(async () => {
    tools?.end();
    await controlPlane?.stop();
  });

  it('kubectl apply -k succeeds, on the client, on the server without a conflict, and on the client again', async () => {
    await tools.run('kubectl', 'apply', '-k', 'config/default');
    await tools.run('kubectl', 'apply', '--server-side', '-k', 'config/default');
    const { stderr } = await tools.run('kubectl', 'apply', '-k', 'config/default');
    assert.equal(stderr, '');
    await tools.run('kubectl', 'diff', '-k', 'config/default');
    await tools.run('kubectl', 'delete', '-k', 'config/default');
  });

  it('kubectl apply --server-side -k succeeds on an empty cluster', async () => {
    await tools.run('kubectl', 'apply', '--server-side', '-k', 'config/default');
    await tools.run('kubectl', 'apply', '-k', 'config/default');
    await tools.run('kubectl', 'delete', '-k', 'config/default');
  });

  it('helm install succeeds', async () => {
    const [, withHelm = ''] = documentedBlocks('docs/operations.md', 'Install');
    await tools.shell(withHelm);
  });

  it('kubectl apply --server-side over the Helm release has no conflict, and helm upgrade succeeds afterwards', async () => {
    await tools.run('kubectl', 'apply', '--server-side', '-k', 'config/default');
    const release = ['capabilitypolicy', 'config/helm/capabilitypolicy', '--namespace', 'capabilitypolicy-system'];
    await tools.run('helm', 'upgrade', ...release);
  });

  it('the role for Prometheus is refused, and the refusal names the policy', async () => {
    await assert.rejects(tools.run('kubectl', 'apply', '-f', METRICS_READER), /aks-no-nodes-proxy/);
  });

  it('the policies refuse what the installation does not need', async () => {
    const created = (...args: string[]) => tools.run('kubectl', 'create', '--dry-run=server', ...args);
    await assert.rejects(created('deployment', 'bare', '--image=example.org/app'), /aks-safeguards/);
    await assert.rejects(created('role', 'any', '-n', 'kube-system', '--verb=get', '--resource=pods'), /gke-kube/);
    await assert.rejects(created('namespace', 'openshift-own'), /openshift-namespaces/);
  });
});

describe('the operator beside the policies of platforms', function () {
  this.timeout(300_000);
  let controlPlane: ControlPlane | undefined;
  const cluster = useCluster('platforms', {
    controlPlane: async () => {
      controlPlane = await startPlatform();
      return controlPlane;
    },
  });
  after(() => controlPlane?.stop());

  const select = (team: string, rest: Partial<CapabilityPolicySpec>): CapabilityPolicySpec => ({
    namespaceSelector: { matchLabels: { team } },
    level: 'baseline',
    mode: 'Enforce',
    ...rest,
  });

  for (const [title, rest, refuses] of [
    ['Audit', { mode: 'Audit' }, false],
    ['Warn', { mode: 'Warn' }, false],
    ['Enforce', {}, true],
    ['a rollout', { rollout: { soak: '0s' } }, true],
  ] as const) {
    it(`a policy of mode ${title} is in force, and the labels are set`, async () => {
      const team = title.replace(/\W/g, '').toLowerCase();
      const namespace = await cluster.namespace(team, { team });
      const policy = await cluster.policy(team, select(team, rest));
      await cluster.programmed(policy);
      await eventually('Ready', async () => (await cluster.condition(policy, 'Ready'))?.status === 'True');
      const violating = restrictedPod({ add: ['SYS_TIME'] });
      const isRefused = async () => (await cluster.admit(violating, namespace)) !== ADMITTED;
      await eventually('the decision', async () => (await isRefused()) === refuses);
      const mode = 'mode' in rest ? rest.mode.toLowerCase() : 'enforce';
      await eventually(
        'the label',
        async () => (await podSecurityOf(cluster.api, namespace)).labels[mode] !== undefined,
      );
      assert.equal(await cluster.condition(policy, 'LabelRefused'), undefined);
    });
  }

  it('the default of Pod Security is unknown, because the platforms refuse the question', () => {
    const entry = cluster.operator.log.find(({ message }) => message.startsWith('the default of Pod Security'));
    assert.match(JSON.stringify(entry), /is unknown.*nobody may change|is unknown.*GKE manages/);
  });

  it('who refuses the label of a namespace is said', async () => {
    const name = 'platforms-managed';
    await createNamespace(cluster.api, name, { team: 'managed', 'kubernetes.azure.com/managedby': 'aks' });
    const policy = await cluster.policy('managed', select('managed', {}));
    await cluster.programmed(policy);
    const refused = await eventually('the refusal', () => cluster.condition(policy, 'LabelRefused'));
    assert.match(refused.message ?? '', new RegExp(`${name}.*aks-managed-namespaces`));
    assert.match(refused.message ?? '', /nobody may change a namespace that AKS manages/);
    await eventually('Ready', async () => (await cluster.condition(policy, 'Ready'))?.status === 'True');

    // The policy of AKS refuses the deletion of the namespace, too.
    await cluster.api.remove(`${BINDINGS}/aks-managed-namespaces`);
    const deleted = () =>
      cluster.api.remove(`${NAMESPACES}/${name}`).then(
        () => true,
        () => false,
      );
    await eventually('the deletion of the namespace', deleted);
  });
});
