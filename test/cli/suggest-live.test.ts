/** Tests suggestions for a namespace of a real cluster. The API server must accept every suggested policy. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { loadAll } from 'js-yaml';
import { withTokenVolume } from '../../analysis/manifests/token-volume.ts';
import { policiesOf } from '../../analysis/suggest/policies.ts';
import { suggest } from '../../analysis/suggest/suggest.ts';
import { Api } from '../../hack/controlplane/api.ts';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import { SERVER_MINOR } from '../../hack/controlplane/version.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { matches } from '../../operator/policy/selector.ts';
import { cappol } from '../support/cappol.ts';
import { sharedControlPlane } from '../support/control-plane.ts';
import { installCrd } from '../support/harness.ts';
import { contentOf, randomPods } from '../support/random-pods.ts';
import { arbitraryPodWithAddedContainers } from '../support/random-policies.ts';
import { SEED } from '../support/seed.ts';

const NAMESPACE = 'suggest-live';
const POLICIES = '/apis/capabilitypolicy.dev/v1alpha1/capabilitypolicies';
const DEPLOYMENTS = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`;

const HARDENED = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'], add: ['NET_RAW'] } };

function deployment(name: string, spec: object) {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { replicas: 0, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

describe(`cappol suggest, with an API server (SEED=${SEED})`, () => {
  let controlPlane: ControlPlane;
  let api: Api;

  before(async () => {
    controlPlane = await sharedControlPlane();
    api = new Api(controlPlane.kubeconfig);
    await installCrd(api);
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } };
    await api.apply(`/api/v1/namespaces/${NAMESPACE}`, namespace);
    const confined = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };
    await api.apply(
      `${DEPLOYMENTS}/pinger`,
      deployment('pinger', {
        securityContext: confined,
        containers: [{ name: 'ping', image: 'ping', securityContext: HARDENED }],
        volumes: [{ name: 'log', hostPath: { path: '/var/log' } }],
      }),
    );
  });

  after(async () => {
    await api.remove(`/api/v1/namespaces/${NAMESPACE}`);
    await api.close();
  });

  it('reads the workloads of a namespace', async () => {
    const { code, stdout, stderr } = await cappol([
      ...['suggest', '--cluster', '-n', NAMESPACE],
      ...['--kubeconfig', controlPlane.kubeconfig],
    ]);
    assert.deepEqual([code, stderr], [0, '']);
    const [exception, level, ...others] = loadAll(stdout) as { metadata: object; spec: CapabilityPolicySpec }[];
    assert.deepEqual(others, []);
    const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': NAMESPACE } };
    assert.deepEqual(level?.metadata, { name: NAMESPACE });
    assert.deepEqual(level?.spec, { namespaceSelector, level: 'restricted', mode: 'Audit' });
    assert.deepEqual(exception?.metadata, { name: `${NAMESPACE}-pinger` });
    const { overrides, ...spec } = exception?.spec ?? {};
    assert.deepEqual(spec, {
      namespaceSelector,
      level: 'restricted',
      mode: 'Audit',
      usableBy: 'Subjects',
      subjects: [{ kind: 'ServiceAccount', namespace: NAMESPACE, name: 'default' }],
    });
    assert.deepEqual(overrides?.capabilities, { allowedAdd: ['NET_BIND_SERVICE', 'NET_RAW'] });
    assert.deepEqual(overrides?.hostPaths, [{ pathPrefix: '/var/log', readOnly: true }]);
    assert.match(stdout, /# Deployment suggest-live\/pinger \(ping\)/);
    const { stdout: applied } = kubectl(['apply', '--dry-run=server', '-f', '-'], stdout);
    assert.match(applied, /suggest-live created \(server dry run\)/);
    assert.match(applied, /suggest-live-pinger created \(server dry run\)/);
  });

  it('suggest writes separate policies for a namespace with its own needs, and one policy for the other namespaces', async () => {
    const { code, stdout } = await cappol([
      ...['suggest', '--cluster', '-A', '-o', 'json'],
      ...['--kubeconfig', controlPlane.kubeconfig],
    ]);
    assert.equal(code, 0);
    const policies: { metadata: { name: string }; spec: CapabilityPolicySpec }[] = JSON.parse(stdout).policies;
    const own = { 'kubernetes.io/metadata.name': NAMESPACE };
    const [rest, ...others] = policies.filter(({ spec }) => matches(spec.namespaceSelector, {}));
    assert.match(rest?.metadata.name ?? '', /^suggested-/);
    assert.deepEqual(others, []);
    const here = policies.filter(({ spec }) => matches(spec.namespaceSelector, own));
    assert.deepEqual(
      here.map(({ metadata }) => metadata.name),
      [`${NAMESPACE}-pinger`, NAMESPACE],
    );
  });

  it('suggest for a namespace needs only the rights to list pods and workloads in the namespace', async () => {
    const user = 'developer';
    const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' };
    await api.apply(`/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}/rolebindings/${user}`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: user },
      roleRef: role,
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
    });
    // The role `view` lacks the right to read PodTemplates.
    await api.apply(`/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}/roles/templates`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'templates' },
      rules: [{ apiGroups: [''], resources: ['podtemplates'], verbs: ['list'] }],
    });
    await api.apply(`/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}/rolebindings/templates`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'templates' },
      roleRef: { ...role, kind: 'Role', name: 'templates' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
    });
    const kubeconfig = controlPlane.kubeconfigFor(user);
    const own = await cappol(['suggest', '--cluster', '-n', NAMESPACE, '--kubeconfig', kubeconfig]);
    assert.equal(own.code, 0);
    assert.match(own.stderr, /^cappol: the suggestion ignores the policies of the cluster, .*\n$/);
    const all = await cappol(['suggest', '--cluster', '-A', '--kubeconfig', kubeconfig]);
    assert.equal(all.code, 2);
    assert.match(all.stderr, /^cappol: you may not list .*\bpods\b.* in the cluster \(you are user "developer"\)/);
  });

  it('the API server accepts the output of suggest for random workloads', async () => {
    const pod = fc.oneof(randomPods().map(contentOf), arbitraryPodWithAddedContainers);
    const samples = fc.sample(fc.tuple(fc.array(pod, { minLength: 1, maxLength: 4 }), fc.boolean()), {
      numRuns: 60,
      seed: SEED,
    });
    const evaluator = new Evaluator();
    const policies = samples.flatMap(([pods, narrow], i) => {
      const given = pods.map((content, nth) => ({
        workload: { kind: 'Pod', namespace: 'net', name: `pod-${nth}` },
        content: withTokenVolume(content, true),
      }));
      const standard = { minor: SERVER_MINOR, server: SERVER_MINOR };
      const suggestions = suggest(given, { standard, narrow, evaluator });
      return policiesOf(suggestions, { name: `suggested-${i}`, mode: 'Audit', everywhere: false });
    });
    for (const { policy } of policies) {
      const { status, body } = await api.ask('POST', POLICIES, {
        body: policy,
        query: { dryRun: 'All', fieldValidation: 'Strict' },
      });
      assert.equal(status, 201, `${body.message}\n${JSON.stringify(policy)}`);
    }
  });

  function kubectl(args: readonly string[], input: string) {
    const options = { input, encoding: 'utf8', env: { ...process.env, KUBECONFIG: controlPlane.kubeconfig } } as const;
    return spawnSync(controlPlane.kubectl, args, options);
  }
});
