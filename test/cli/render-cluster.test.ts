/**
 * Tests `cappol render | kubectl apply -f -` without an operator. The API server must give the verdicts of `cappol
 * check`.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { dump } from 'js-yaml';
import { Api, type Json } from '../../hack/controlplane/api.ts';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import { cappol } from '../support/cappol.ts';
import { sharedControlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/harness.ts';
import { baselinePod, hostNetworkPod, privilegedPod, restrictedPod } from '../support/pod-manifests.ts';
import { policyManifest } from '../support/policies.ts';

const NAMESPACE = 'rendered-team';
const OTHER = 'rendered-other';
const selected = { matchLabels: { 'rendered.example/team': 'net' } };

function policy(name: string, spec: object): object {
  const metadata = { name: `rendered-${name}` };
  const whole = { namespaceSelector: selected, level: 'restricted', mode: 'Enforce', ...spec };
  return policyManifest(metadata, whole);
}

/**
 * Two policies. The first policy has level restricted. The second policy is an exception that admits NET_RAW to one
 * service account, but no host networking.
 */
const POLICIES = [
  policy('strict', {}),
  policy('ping', {
    overrides: { capabilities: { allowedAdd: ['NET_RAW'] } },
    usableBy: 'Subjects',
    subjects: [{ kind: 'ServiceAccount', name: 'pinger', namespace: NAMESPACE }],
  }),
];
const TEAM = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: NAMESPACE, labels: selected.matchLabels, annotations: { note: 'kept' } },
};

const PODS: readonly (readonly [name: string, pod: Json])[] = [
  ['restricted', restrictedPod()],
  ['ping by the service account', restrictedPod({ add: ['NET_RAW'], serviceAccountName: 'pinger' })],
  ['ping by another', restrictedPod({ add: ['NET_RAW'] })],
  ['time', restrictedPod({ add: ['SYS_TIME'], serviceAccountName: 'pinger' })],
  ['baseline', baselinePod()],
  ['privileged', privilegedPod()],
  ['host network', hostNetworkPod()],
];

describe('cappol render, applied by kubectl', () => {
  let controlPlane: ControlPlane;
  let api: Api;
  let rendered: string;

  async function kubectl(args: readonly string[], input: string): Promise<void> {
    const child = spawn(controlPlane.kubectl, ['--kubeconfig', controlPlane.kubeconfig, ...args], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    child.stdin.end(input);
    const [told, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    assert.equal(code, 0, `kubectl ${args.join(' ')}: ${told}`);
  }

  /** Whether the API server would create the pod for a user who holds `use` on no policy. */
  async function admits(pod: object, namespace: string): Promise<boolean> {
    const as = { user: 'rendered-creator', groups: ['rendered-creators'] };
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const { status, body } = await api.ask('POST', path, { body: pod, as, query: { dryRun: 'All' } });
    if (status !== 201) assert.match(body.message, /CapabilityPolicy rendered-/);
    return status === 201;
  }

  before(async () => {
    controlPlane = await sharedControlPlane();
    api = new Api(controlPlane.kubeconfig);
    const rbac = 'rbac.authorization.k8s.io';
    await api.apply(`/apis/${rbac}/v1/clusterrolebindings/rendered-creators`, {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'rendered-creators' },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'edit' },
      subjects: [{ apiGroup: rbac, kind: 'Group', name: 'rendered-creators' }],
    });
    for (const name of [NAMESPACE, OTHER]) {
      await api.apply(`/api/v1/namespaces/${name}`, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      for (const account of ['default', 'pinger']) {
        const object = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account } };
        await api.apply(`/api/v1/namespaces/${name}/serviceaccounts/${account}`, object);
      }
    }
    const { code, stdout, stderr } = await cappol(
      ['render', '--policy', '-'],
      [...POLICIES, TEAM].map((one) => dump(one)).join('---\n'),
    );
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    rendered = stdout;
    await kubectl(['apply', '-f', '-'], rendered);
    // API servers need a second or two to load the policies.
    await eventually(
      'the policies to be in force',
      async () => !(await admits(privilegedPod(), NAMESPACE).catch(() => true)),
    );
  });

  after(async () => {
    // The test deletes the namespaces after their policies.
    const objects = rendered.split('---\n').filter((object) => !object.includes('kind: Namespace'));
    await kubectl(['delete', '--ignore-not-found', '--wait=false', '-f', '-'], objects.join('---\n'));
    for (const name of [NAMESPACE, OTHER]) await api.remove(`/api/v1/namespaces/${name}`);
    await api.remove('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/rendered-creators');
    await api.close();
  });

  for (const [name, pod] of PODS) {
    it(`${name}: the API server decides as check does`, async () => {
      const manifest = { ...pod, metadata: { name: 'pod', namespace: NAMESPACE } };
      const { stdout } = await cappol(
        ['check', '-f', '-', '-o', 'json'],
        [...POLICIES, TEAM, manifest].map((one) => dump(one, { noRefs: true })).join('---\n'),
      );
      const [{ verdict }] = JSON.parse(stdout).items;
      // The command `cappol check` does not know the creator of a bare pod. In this test, the creator may use no
      // policy.
      assert.equal(await admits(pod, NAMESPACE), verdict === 'Compliant', verdict);
    });
  }

  it('render --diff shows no difference after apply, and shows a difference after a change', async () => {
    const policies = POLICIES.map((one) => dump(one)).join('---\n');
    const diff = async () => {
      const args = ['render', '--diff', '--policy', '-', '--kubeconfig', controlPlane.kubeconfig];
      const { stdout, stderr } = await cappol(args, policies);
      assert.equal(stderr, '');
      // The cluster also has policies of other tests. The rendered files do not contain the policies of other tests.
      return stdout.split(/^(?=--- )/m).filter((part) => part.includes('rendered-'));
    };
    assert.deepEqual(await diff(), []);
    const name = 'capabilitypolicy.dev:use:rendered-strict';
    const path = `/apis/rbac.authorization.k8s.io/v1/clusterroles/${name}`;
    const { rules } = await api.get(path);
    const contentType = 'application/merge-patch+json';
    await api.ask('PATCH', path, { body: { rules: [] }, contentType });
    const [changed = '', ...others] = await diff();
    assert.deepEqual(others, []);
    assert.match(changed, new RegExp(`^--- ClusterRole/${name}\n\\+\\+\\+ ClusterRole/${name}\n`));
    await api.ask('PATCH', path, { body: { rules }, contentType });
    assert.deepEqual(await diff(), []);
  });

  it('in other namespaces everything is admitted', async () =>
    assert.equal(await admits(privilegedPod(), OTHER), true));

  it('the namespace keeps its labels, and gets the labels that the policies set', async () => {
    const { labels, annotations } = (await api.get(`/api/v1/namespaces/${NAMESPACE}`)).metadata;
    assert.equal(annotations.note, 'kept');
    assert.equal(labels['rendered.example/team'], 'net');
    // Only the level privileged admits NET_RAW, and the operator never sets that level as a label.
    assert.equal(labels['pod-security.kubernetes.io/enforce'], undefined);
  });

  it('the guard is in force: only users with the verb exempt can take the namespace out of the policies', async () => {
    const as = { user: 'rendered-creator', groups: ['rendered-creators'] };
    const path = `/api/v1/namespaces/${NAMESPACE}`;
    const body = { metadata: { labels: { 'rendered.example/team': null } } };
    const may = { apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'patch'] };
    const rbac = 'rbac.authorization.k8s.io/v1';
    const roles = '/apis/rbac.authorization.k8s.io/v1';
    const metadata = { name: 'rendered-editors' };
    await api.apply(`${roles}/clusterroles/rendered-editors`, {
      apiVersion: rbac,
      kind: 'ClusterRole',
      metadata,
      rules: [may],
    });
    await api.apply(`${roles}/clusterrolebindings/rendered-editors`, {
      apiVersion: rbac,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'rendered-editors' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'rendered-creator' }],
    });
    try {
      await eventually('the guard to be in force', async () => {
        const contentType = 'application/merge-patch+json';
        const { body: answer } = await api.ask('PATCH', path, { body, as, contentType, query: { dryRun: 'All' } });
        return /needs the verb exempt on capabilitypolicies\/rendered-/.test(answer.message ?? '');
      });
    } finally {
      await api.remove(`${roles}/clusterrolebindings/rendered-editors`);
      await api.remove(`${roles}/clusterroles/rendered-editors`);
    }
  });
});
