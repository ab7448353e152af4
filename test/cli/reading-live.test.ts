/** Tests `cappol check` with a real API server. The tests cover namespaces of a rollout, and nulls in manifests. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { dump } from 'js-yaml';
import type { Json } from '../../hack/controlplane/api.ts';
import { cappol } from '../support/cappol.ts';
import { ADMITTED, eventually, useCluster } from '../support/harness.ts';
import { podManifest, privilegedPod } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';

/**
 * The user of the controller that creates the pods of Deployments. All other creators in the tests have the role
 * `edit`. One of the tests extends the role `edit`.
 */
const CONTROLLER = {
  user: 'system:serviceaccount:kube-system:replicaset-controller',
  groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
};

describe('cappol check beside an API server', function () {
  this.timeout(300_000);
  const cluster = useCluster('reading');

  function onCluster(args: readonly string[], ...manifests: readonly object[]) {
    const text = manifests.map((one) => dump(one, { noRefs: true })).join('---\n');
    return cappol(['check', '--cluster', ...args, '--kubeconfig', cluster.controlPlane.kubeconfig], text);
  }

  function privilegedDeployment(namespace: string): object {
    const { spec } = privilegedPod() as Json;
    const labels = { app: 'web' };
    const template = { metadata: { labels }, spec };
    const metadata = { name: 'web', namespace };
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: { replicas: 0, selector: { matchLabels: labels }, template },
    };
  }

  const apply = (namespace: string) =>
    cluster.api.apply(`/apis/apps/v1/namespaces/${namespace}/deployments/web`, privilegedDeployment(namespace));

  it('check says what a policy with a rollout does in each namespace', async () => {
    const pending = await cluster.namespace('pending', { team: 'reading' });
    await apply(pending);
    const policy = await cluster.policy('staged', {
      namespaceSelector: { matchLabels: { team: 'reading' } },
      level: 'baseline',
      mode: 'Enforce',
      rollout: { soak: '1h' },
    });
    await cluster.programmed(policy);
    await eventually('the namespace to be pending', async () => {
      const { metadata } = await cluster.api.get(`${NAMESPACES}/${pending}`);
      return metadata.labels[`rollout.capabilitypolicy.dev/${policy}`] === 'pending';
    });
    const created = await cluster.namespace('created', { team: 'reading' });
    await apply(created);
    assert.equal(await cluster.admit(privilegedPod(), pending), ADMITTED);
    assert.match(await cluster.admit(privilegedPod(), created), /CapabilityPolicy reading-staged|violates PodSecurity/);
    const expected = [
      [pending, 'Warn', 0],
      [created, 'Enforce', 1],
    ] as const;
    for (const [namespace, mode, code] of expected) {
      const running = await onCluster(['-n', namespace, '-o', 'json', '--warn']);
      const files = await onCluster(['-o', 'json', '--warn', '-f', '-'], privilegedDeployment(namespace));
      for (const { stdout, code: exit } of [running, files]) {
        const { items, policies } = JSON.parse(stdout);
        const modes = items.flatMap(({ violations }: Json) => violations.map((one: Json) => one.mode));
        assert.deepEqual([...new Set(modes)], [mode], stdout);
        assert.equal(exit, code);
        assert.deepEqual(
          policies.map((one: Json) => [one.name, one.mode, one.meanwhile]),
          [[policy, 'Enforce', 'Warn']],
        );
      }
      const github = await onCluster(['-o', 'github', '-f', '-'], privilegedDeployment(namespace));
      assert.match(github.stdout, mode === 'Enforce' ? /^::error /m : /^::warning /m);
      const fresh = {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'reading-new', labels: { team: 'reading' } },
      };
      const inNew = await onCluster(['--warn', '-f', '-'], fresh, privilegedDeployment('reading-new'));
      assert.equal(inNew.code, 1);
    }
  });

  it('reads nulls as the API server does', async () => {
    const namespace = await cluster.namespace('nulls', { team: 'nulls' });
    const policy = await cluster.policy('nulls', {
      namespaceSelector: { matchLabels: { team: 'nulls' } },
      level: 'privileged',
      mode: 'Enforce',
      overrides: {
        privileged: false,
        capabilities: { allowedAdd: ['NET_RAW'] },
        supplementalGroups: { rule: 'MayRunAs', ranges: [{ min: 1, max: 9 }] },
      },
    });
    await cluster.programmed(policy);
    const pod = (container: object, spec: object = {}) =>
      podManifest({ name: 'a', namespace }, { containers: [{ name: 'main', image: 'app', ...container }], ...spec });
    const capabilities = (of: object) => pod({ securityContext: { capabilities: of } });
    const cases: readonly (readonly [what: string, pod: object, admitted: boolean])[] = [
      ['add', capabilities({ add: ['NET_RAW'] }), true],
      ['a null beside one', capabilities({ add: ['NET_RAW', null] }), false],
      ['only a null', capabilities({ add: [null] }), false],
      ['a null that is dropped', capabilities({ drop: [null, 'ALL'] }), true],
      ['a null as a field', capabilities({ add: null }), true],
      ['a null group', pod({}, { securityContext: { supplementalGroups: [null] } }), false],
      ['a group', pod({}, { securityContext: { supplementalGroups: [1] } }), true],
      [
        'a null container',
        podManifest({ name: 'a', namespace }, { containers: [{ name: 'main', image: 'app' }, null] }),
        false,
      ],
      ['a null sysctl', pod({}, { securityContext: { sysctls: [null] } }), false],
      ['a null port', pod({ ports: [null] }), false],
    ];
    for (const [what, manifest, admitted] of cases) {
      const answer = await cluster.admit(manifest, namespace);
      assert.equal(answer === ADMITTED, admitted, `${what}: ${answer}`);
      const { code, stderr } = await onCluster(['-o', 'json', '-f', '-'], manifest);
      assert.equal(code === 0, admitted, `${what}: ${stderr}`);
    }
  });

  it('check follows aggregated roles in manifests and in the cluster', async () => {
    const namespace = await cluster.namespace('roles', { team: 'roles' });
    const policy = await cluster.policy('roles', {
      namespaceSelector: { matchLabels: { team: 'roles' } },
      level: 'baseline',
      mode: 'Enforce',
      usableBy: 'Bindings',
    });
    await cluster.programmed(policy);
    const apiGroup = 'rbac.authorization.k8s.io';
    const use = {
      apiGroups: ['capabilitypolicy.dev'],
      resources: ['capabilitypolicies'],
      resourceNames: [policy],
      verbs: ['use'],
    };
    const role = (name: string, labels: object, rest: object) => ({
      apiVersion: `${apiGroup}/v1`,
      kind: 'ClusterRole',
      metadata: { name: cluster.named(name), labels },
      ...rest,
    });
    const selecting = { clusterRoleSelectors: [{ matchLabels: { reading: 'part' } }] };
    const whole = role('whole', {}, { aggregationRule: selecting, rules: [] });
    /** A role with its own rules and an aggregationRule. */
    const stating = (name: string, reading: string) =>
      role(name, {}, { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { reading } }] }, rules: [use] });
    const [overwritten, alone] = [stating('overwritten', 'other'), stating('alone', 'none')];
    const other = role(
      'other',
      { reading: 'other' },
      { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
    );
    const roles = [whole, overwritten, alone, other];
    const part = role('part', { reading: 'part', [`${apiGroup}/aggregate-to-view`]: 'true' }, { rules: [use] });
    const cases = [
      ['whole', cluster.named('whole'), true],
      ['view', 'view', true],
      ['edit', 'edit', true],
      ['overwritten', cluster.named('overwritten'), false],
      ['alone', cluster.named('alone'), true],
    ] as const;
    const binding = (account: string, name: string) => ({
      apiVersion: `${apiGroup}/v1`,
      kind: 'RoleBinding',
      metadata: { name: account, namespace },
      roleRef: { apiGroup, kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
    });
    const bindings = cases.map(([account, name]) => binding(account, name));
    const deployments = cases.map(([account]) => {
      const labels = { app: account };
      const template = {
        metadata: { labels },
        spec: { serviceAccountName: account, containers: [{ name: 'a', image: 'a' }] },
      };
      return {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: account, namespace },
        spec: { selector: { matchLabels: labels }, template },
      };
    });
    /**
     * Returns, for each Deployment, whether `cappol check` gives the verdict Compliant. The test calls the function
     * before and after the API server gets the roles. The role `alone` exists only in the cluster, not in the
     * manifests.
     */
    const evaluated = async (...manifests: readonly object[]) => {
      const { stdout } = await onCluster(['-o', 'json', '-f', '-'], ...manifests, ...deployments);
      return JSON.parse(stdout).items.map(({ verdict }: Json) => verdict === 'Compliant');
    };
    const expected = cases.map(([, , may]) => may);
    assert.deepEqual(await evaluated(...roles, part, ...bindings), expected);
    const path = `/apis/${apiGroup}/v1`;
    for (const one of roles) await cluster.api.apply(`${path}/clusterroles/${one.metadata.name}`, one);
    assert.deepEqual(await evaluated(part, ...bindings), expected);
    await cluster.api.apply(`${path}/clusterroles/${part.metadata.name}`, part);
    for (const one of bindings)
      await cluster.api.apply(`${path}/namespaces/${namespace}/rolebindings/${one.metadata.name}`, one);
    for (const [account] of cases) await cluster.serviceAccount(namespace, account);
    const admitted = async () => {
      const answers = cases.map(async ([account]) => {
        const pod = podManifest(
          { name: 'a', namespace },
          { serviceAccountName: account, containers: [{ name: 'a', image: 'a' }] },
        );
        return (await cluster.admit(pod, namespace, CONTROLLER)) === ADMITTED;
      });
      return Promise.all(answers);
    };
    await eventually('the API server to agree', async () => isDeepStrictEqual(await admitted(), expected), 30_000);
    assert.deepEqual(await evaluated(), expected);
    const nothing = { ...part, rules: [] };
    assert.deepEqual(await evaluated(nothing), [false, false, false, false, true]);
    await Promise.all([...roles, part].map((one) => cluster.api.remove(`${path}/clusterroles/${one.metadata.name}`)));
  });
});
