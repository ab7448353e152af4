import assert from 'node:assert/strict';
import { Etcd } from '../../hack/bench/etcd.ts';
import type { Json } from '../../hack/controlplane/api.ts';
import { cappol } from '../support/cappol.ts';
import { eventually, useCluster } from '../support/harness.ts';
import { Injector, ISTIO_INIT } from '../support/injector.ts';
import { itIfOffered } from '../support/needs.ts';
import { restrictedPod, workloads } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const ADMISSION = '/apis/admissionregistration.k8s.io/v1';

describe('check --cluster --dry-run=server', function () {
  this.timeout(300_000);
  const cluster = useCluster('dry-run');

  it('finds what is injected into pods of workloads without pods', async () => {
    const namespace = await namespaceOf('audited', 'Audit');
    await createWorkloads(namespace);
    const injector = await Injector.start(cluster.api, { name: 'dry-run-audited', namespaces: [namespace] });
    const asWithoutPods = await check(namespace);
    assert.equal(asWithoutPods.code, 0, asWithoutPods.stdout);
    const { code, stdout } = await check(namespace, '--dry-run=server');
    assert.equal(code, 1, stdout);
    for (const kind of [
      'Deployment',
      'ReplicaSet',
      'StatefulSet',
      'DaemonSet',
      'Job',
      'CronJob',
      'ReplicationController',
    ])
      assert.match(
        stdout,
        new RegExp(`${kind} ${namespace}/workload .*"istio-init" is not in the template of ${kind} `),
      );
    for (const format of ['json', 'sarif', 'junit', 'github', 'markdown'])
      assert.ok(
        (await check(namespace, '--dry-run=server', '-o', format)).stdout.includes('something injects it'),
        format,
      );
    assert.deepEqual(await podNames(namespace), []);
    await injector.stop();
    assert.equal((await check(namespace, '--dry-run=server')).code, 0);
  });

  it('reports the message of the API server about a refused pod', async () => {
    const namespace = await namespaceOf('enforced', 'Enforce');
    await cluster.api.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, scaledToZero('pinger'));
    const injector = await Injector.start(cluster.api, { name: 'dry-run-enforced', namespaces: [namespace] });
    assert.equal((await check(namespace)).code, 0);
    const { code, stdout } = await check(namespace, '--dry-run=server');
    assert.equal(code, 1, stdout);
    assert.match(stdout, /refused .*the API server refuses a pod of the template: .*"istio-init"/);
    await injector.stop();
  });

  it('makes pods with the labels and owners of their controllers', async () => {
    const namespace = await namespaceOf('labelled', 'Audit');
    await createWorkloads(namespace);
    const injector = await Injector.start(cluster.api, { name: 'dry-run-labelled', namespaces: [namespace] });
    await check(namespace, '--dry-run=server');
    const made = injector.requests.map(({ object, dryRun }: Json) => {
      const [owner] = object.metadata.ownerReferences;
      assert.equal(dryRun, true);
      return [owner.kind, object.metadata.generateName, ...Object.keys(object.metadata.labels).sort()].join(' ');
    });
    const job = 'app batch.kubernetes.io/controller-uid batch.kubernetes.io/job-name controller-uid job-name';
    const set = 'app apps.kubernetes.io/pod-index controller-revision-hash statefulset.kubernetes.io/pod-name';
    const [deployment] = made.filter((text) => text.includes('pod-template-hash'));
    assert.match(deployment ?? '', /^ReplicaSet workload-[a-z0-9]{5,}- app pod-template-hash$/);
    assert.deepEqual(made.filter((text) => text !== deployment).sort(), [
      'DaemonSet workload- app pod-template-generation',
      `Job workload- ${job}`,
      `Job workload-0- ${job}`,
      'ReplicaSet workload- app',
      'ReplicationController workload- app',
      `StatefulSet workload- ${set}`,
    ]);
    await injector.stop();
  });

  it('names a webhook that does not support dry runs, and claims nothing about the pods', async () => {
    const namespace = await namespaceOf('effects', 'Audit');
    await cluster.api.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, scaledToZero('pinger'));
    const name = 'dry-run-effects';
    const injector = await Injector.start(cluster.api, { name, namespaces: [namespace] });
    // The API v1 refuses sideEffects: Some. A configuration that was stored by v1beta1 before Kubernetes 1.22 may have it.
    const stored = await cluster.api.get(`${ADMISSION}/mutatingwebhookconfigurations/${name}`);
    stored.webhooks[0].sideEffects = 'Some';
    const etcd = new Etcd(cluster.controlPlane.pids);
    await etcd.write([{ key: `mutatingwebhookconfigurations/${name}`, object: JSON.stringify(stored) }], 1);
    await etcd.close();
    const { code, stdout, stderr } = await eventually('the refusal of the dry run', async () => {
      const ran = await check(namespace, '--dry-run=server', '-o', 'json');
      return ran.code === 2 && ran;
    });
    assert.equal(code, 2);
    assert.match(
      stderr,
      /Deployment .*\/pinger: admission webhook "dry-run-effects.injector.example" does not support dry run/,
    );
    const { items, problems, summary } = JSON.parse(stdout);
    assert.deepEqual([items[0].verdict, problems.length, summary.unknown], ['Unknown', 1, 1]);
    await cluster.api.remove(`${ADMISSION}/mutatingwebhookconfigurations/${name}`);
    await injector.stop();
  });

  it('says which right is missing', async () => {
    const namespace = await namespaceOf('rights', 'Audit');
    await cluster.api.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, scaledToZero('pinger'));
    await cluster.api.apply(`${RBAC}/clusterroles/dry-run-reader`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'dry-run-reader' },
      rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list'] }],
    });
    await cluster.api.apply(`${RBAC}/clusterrolebindings/dry-run-reader`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'dry-run-reader' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'dry-run-reader' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'dry-run-reader' }],
    });
    const kubeconfig = cluster.controlPlane.kubeconfigFor('dry-run-reader');
    const { code, stderr } = await check(namespace, '--dry-run=server', '--kubeconfig', kubeconfig);
    assert.equal(code, 2);
    assert.equal(
      stderr,
      `cappol: --dry-run=server: you may not create pods in namespace ${namespace}: a dry run needs the right to create pods, although it creates none\n`,
    );
    await cluster.api.remove(`${RBAC}/clusterrolebindings/dry-run-reader`);
    await cluster.api.remove(`${RBAC}/clusterroles/dry-run-reader`);
  });

  itIfOffered('mutatingAdmissionPolicies', 'finds what a MutatingAdmissionPolicy injects', async () => {
    const namespace = await namespaceOf('mutated', 'Audit');
    await cluster.api.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, scaledToZero('pinger'));
    const policy = `${ADMISSION}/mutatingadmissionpolicies/dry-run-mutated`;
    await cluster.api.apply(policy, mutatingPolicy(namespace));
    await cluster.api.apply(`${ADMISSION}/mutatingadmissionpolicybindings/dry-run-mutated`, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingAdmissionPolicyBinding',
      metadata: { name: 'dry-run-mutated' },
      spec: { policyName: 'dry-run-mutated' },
    });
    await eventually('the injected container', async () => {
      const { stdout } = await check(namespace, '--dry-run=server');
      return stdout.includes(`container "istio-init" is not in the template of Deployment ${namespace}/pinger`);
    });
    await cluster.api.remove(`${ADMISSION}/mutatingadmissionpolicybindings/dry-run-mutated`);
    await cluster.api.remove(policy);
  });

  async function namespaceOf(suffix: string, mode: 'Audit' | 'Enforce'): Promise<string> {
    const team = `dry-run-${suffix}`;
    const namespace = await cluster.namespace(suffix, { team });
    const policy = await cluster.policy(suffix, {
      namespaceSelector: { matchLabels: { team } },
      level: 'restricted',
      mode,
    });
    await cluster.programmed(policy);
    return namespace;
  }

  /** Creates one workload of each kind without pods. No node is there for the DaemonSet. */
  async function createWorkloads(namespace: string): Promise<void> {
    for (const { path, object } of workloads(restrictedPod())) {
      const { spec, ...rest } = object as Json;
      const idle = path.includes('/jobs') || path.includes('/cronjobs') ? { suspend: true } : { replicas: 0 };
      const isPlain = path.includes('podtemplates') || path.includes('daemonsets');
      await cluster.api.create(
        path.replace('*', `namespaces/${namespace}`),
        isPlain ? object : { ...rest, spec: { ...spec, ...idle } },
      );
    }
    await eventually('the controllers', async () => {
      const [set] = await cluster.api.list(`/apis/apps/v1/namespaces/${namespace}/statefulsets`);
      const sets = await cluster.api.list(`/apis/apps/v1/namespaces/${namespace}/replicasets`);
      const [deployment] = await cluster.api.list(`/apis/apps/v1/namespaces/${namespace}/deployments`);
      return set?.status?.updateRevision && sets.length === 2 && deployment?.status?.observedGeneration;
    });
  }

  async function podNames(namespace: string): Promise<string[]> {
    const pods = await cluster.api.list(`${NAMESPACES}/${namespace}/pods`);
    return pods.map(({ metadata }) => metadata.name);
  }

  function check(namespace: string, ...args: readonly string[]) {
    const own = args.includes('--kubeconfig') ? [] : ['--kubeconfig', cluster.controlPlane.kubeconfig];
    return cappol(['check', '--cluster', ...own, '-n', namespace, ...args]);
  }
});

function scaledToZero(name: string): Json {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: (restrictedPod() as Json).spec },
    },
  };
}

function mutatingPolicy(namespace: string): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicy',
    metadata: { name: 'dry-run-mutated' },
    spec: {
      matchConstraints: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      },
      failurePolicy: 'Fail',
      reinvocationPolicy: 'Never',
      mutations: [
        {
          patchType: 'JSONPatch',
          jsonPatch: {
            expression: `[JSONPatch{op: "add", path: "/spec/initContainers", value: [Object.spec.initContainers{name: "${ISTIO_INIT.name}", image: "${ISTIO_INIT.image}", securityContext: Object.spec.initContainers.securityContext{capabilities: Object.spec.initContainers.securityContext.capabilities{add: ["NET_ADMIN"]}}}]}]`,
          },
        },
      ],
    },
  };
}
