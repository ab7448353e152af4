/** Tests what `cappol status` says about workloads without pods while webhooks and mutating policies change pods. */
import assert from 'node:assert/strict';
import type { StatusView } from '../../cli/commands/status/view.ts';
import type { Json } from '../../hack/controlplane/api.ts';
import { POLICY_RULES } from '../policies/mutator-rules.ts';
import { cappol, type Ran } from '../support/cappol.ts';
import { CREATOR, eventually, useCluster } from '../support/harness.ts';
import { Injector } from '../support/injector.ts';
import { grant } from '../support/namespace-changes.ts';
import { itIfOffered } from '../support/needs.ts';
import { statusOf } from '../support/observed.ts';
import { restrictedPod } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';

const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
const API_VERSION = 'admissionregistration.k8s.io/v1';
const ASK = 'cappol check --cluster --dry-run=server asks the API server';

describe('cappol status about workloads without pods', function () {
  this.timeout(300_000);
  const cluster = useCluster('mutators');

  it('names them in pending namespaces, as long as a webhook changes the pods of the namespace', async () => {
    const [namespace, other] = [await pendingNamespace('webhook', 'net'), await pendingNamespace('spared', 'net')];
    const policy = await pendingPolicy('webhook', 'net', 2);
    assert.deepEqual(await unknownPods(policy), undefined);
    const injector = await Injector.start(cluster.api, { name: 'mutators-webhook', namespaces: [namespace] });
    assert.deepEqual(await unknownPods(policy), {
      workloads: [{ kind: 'Deployment', namespace, name: 'idle' }],
      mutators: ['webhook mutators-webhook.injector.example'],
    });
    const { code, stdout, stderr } = await status([policy]);
    assert.deepEqual([code, stderr], [0, '']);
    const line = `${policy}: 1 workload in pending namespaces has no pods (Deployment ${namespace}/idle), and webhook mutators-webhook.injector.example may change future pods; ${ASK}`;
    assert.ok(stdout.split('\n').includes(line), stdout);
    assert.ok((await status(['-n', namespace])).stdout.includes(line));
    assert.ok(!(await status(['-n', other])).stdout.includes(ASK));
    await cluster.api.patch(`/apis/apps/v1/namespaces/${namespace}/deployments/idle`, { spec: { replicas: 1 } });
    await eventually('the pod to end the line', async () => (await unknownPods(policy)) === undefined);
    await cluster.api.patch(`/apis/apps/v1/namespaces/${namespace}/deployments/idle`, { spec: { replicas: 0 } });
    await eventually('the line without the pod', async () => (await unknownPods(policy)) !== undefined);
    await injector.stop();
    assert.deepEqual(await unknownPods(policy), undefined);
  });

  it('names no workload where the policy is enforced', async () => {
    const namespace = await pendingNamespace('enforced', 'enforced');
    const policy = await cluster.policy('enforced', { ...ROLLOUT, ...selecting('enforced'), rollout: { soak: '1s' } });
    await rolledOut(policy, { enforced: 1 });
    const injector = await Injector.start(cluster.api, { name: 'mutators-enforced', namespaces: [namespace] });
    assert.deepEqual(await unknownPods(policy), undefined);
    await injector.stop();
  });

  it('says which right is missing, and keeps the exit code', async () => {
    const namespace = await pendingNamespace('rights', 'rights');
    const policy = await pendingPolicy('rights', 'rights', 1);
    const injector = await Injector.start(cluster.api, { name: 'mutators-rights', namespaces: [namespace] });
    const readable = ['capabilitypolicy.dev', '', 'apps', 'batch', 'rbac.authorization.k8s.io'];
    await grant(cluster.api, 'mutators-reader', [{ apiGroups: readable, resources: ['*'], verbs: ['list', 'watch'] }]);
    const { code, stdout, stderr } = await status([policy, '-o', 'json'], 'mutators-reader');
    assert.equal(code, 0);
    const named = ['mutatingwebhookconfigurations', 'mutatingadmissionpolicies', 'mutatingadmissionpolicybindings'];
    const texts = named.map((one) => `${one}.admissionregistration.k8s.io`).join(', ');
    assert.ok(stderr.startsWith(`cappol: you may not list ${texts}: what they change in pods is not known; `), stderr);
    assert.equal(JSON.parse(stdout).policies[0].unknownPods, undefined);
    await injector.stop();
  });

  it('names the injected container of a violation, as the status of the policy does', async () => {
    const namespace = await pendingNamespace('injected', 'injected');
    const injector = await Injector.start(cluster.api, { name: 'mutators-injected', namespaces: [namespace] });
    const policy = await pendingPolicy('injected', 'injected', 1);
    await cluster.api.patch(`/apis/apps/v1/namespaces/${namespace}/deployments/idle`, { spec: { replicas: 1 } });
    const reported = await eventually('the violation', async () => {
      const { violations = [] } = await statusOf(cluster.api, policy);
      return violations.some(({ pods }) => pods === 1) && violations;
    });
    const { violations } = await viewOf(policy);
    assert.deepEqual(violations, reported);
    assert.match(
      violations[0]?.message ?? '',
      /"istio-init" is not in the template of Deployment .*: something inject/,
    );
    await injector.stop();
  });

  itIfOffered('mutatingAdmissionPolicies', 'names the mutating policies that change the pod of a dry run', async () => {
    const label = { matchLabels: { mutators: 'policies' } };
    const namespace = await pendingNamespace('policies', 'policies');
    const policy = await pendingPolicy('policies', 'policies', 1);
    const cases = POLICY_RULES.map((one, index) => ({ ...one, name: `mutators-${index}` }));
    // The policies that change pods come last, so that all others are in force when the last of them is in force.
    const ordered = cases.toSorted((a, b) => Number(a.matches) - Number(b.matches));
    for (const { name, matchConstraints } of ordered)
      await cluster.api.create(`${ADMISSION}/mutatingadmissionpolicies`, marking(name, matchConstraints));
    for (const { name, matchResources = {} } of ordered)
      await cluster.api.create(`${ADMISSION}/mutatingadmissionpolicybindings`, {
        apiVersion: API_VERSION,
        kind: 'MutatingAdmissionPolicyBinding',
        metadata: { name },
        spec: { policyName: name, matchResources: { namespaceSelector: label, ...matchResources } },
      });
    const changing = cases.flatMap(({ matches, name }) => (matches ? [name] : [])).sort();
    const marks = await eventually('the policies to change pods', async () => {
      const { body } = await cluster.tryCreate(`${NAMESPACES}/${namespace}/pods`, restrictedPod(), CREATOR);
      const found = Object.keys(body.metadata?.annotations ?? {});
      return changing.every((name) => found.includes(name)) && found;
    });
    assert.deepEqual(marks.filter((name) => cases.some((one) => one.name === name)).sort(), changing);
    const named = (await unknownPods(policy))?.mutators;
    assert.deepEqual(
      named,
      changing.map((name) => `MutatingAdmissionPolicy ${name}`),
    );
    for (const { name } of cases)
      for (const kind of ['mutatingadmissionpolicybindings', 'mutatingadmissionpolicies'])
        await cluster.api.remove(`${ADMISSION}/${kind}/${name}`);
    assert.deepEqual(await unknownPods(policy), undefined);
  });

  const ROLLOUT = { level: 'restricted', mode: 'Enforce', podSecurityLabels: 'Off' } as const;

  function selecting(mutators: string) {
    return { namespaceSelector: { matchLabels: { mutators } } };
  }

  /** A namespace with a Deployment that has no pods. */
  async function pendingNamespace(suffix: string, mutators: string): Promise<string> {
    const namespace = await cluster.namespace(suffix, { mutators });
    const labels = { app: 'idle' };
    await cluster.api.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'idle' },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: (restrictedPod() as Json).spec },
      },
    });
    return namespace;
  }

  async function pendingPolicy(suffix: string, mutators: string, namespaces: number): Promise<string> {
    const policy = await cluster.policy(suffix, { ...ROLLOUT, ...selecting(mutators), rollout: { soak: '24h' } });
    await rolledOut(policy, { soaking: namespaces });
    // The namespaces get their labels after the program is in force.
    await cluster.programmed(policy);
    return policy;
  }

  async function rolledOut(policy: string, wanted: { enforced?: number; soaking?: number }): Promise<void> {
    await eventually('the progress of the rollout', async () => {
      const { rollout } = await statusOf(cluster.api, policy);
      return Object.entries(wanted).every(([count, value]) => rollout?.[count as 'soaking'] === value);
    });
  }

  function status(args: readonly string[], user?: string): Promise<Ran> {
    const { kubeconfig } = cluster.controlPlane;
    const file = user === undefined ? kubeconfig : cluster.controlPlane.kubeconfigFor(user);
    return cappol(['status', ...args, '--kubeconfig', file]);
  }

  async function viewOf(policy: string) {
    const { code, stdout, stderr } = await status([policy, '-o', 'json']);
    assert.deepEqual([code, stderr], [0, '']);
    const { policies }: StatusView = JSON.parse(stdout);
    const [view] = policies;
    assert.ok(view);
    return view;
  }

  async function unknownPods(policy: string) {
    return (await viewOf(policy)).unknownPods;
  }
});

/** A MutatingAdmissionPolicy that marks each pod that it changes with an annotation of its own name. */
function marking(name: string, matchConstraints: object): object {
  return {
    apiVersion: API_VERSION,
    kind: 'MutatingAdmissionPolicy',
    metadata: { name },
    spec: {
      matchConstraints,
      matchConditions: [{ name: 'pods', expression: "request.kind.kind == 'Pod'" }],
      failurePolicy: 'Ignore',
      reinvocationPolicy: 'Never',
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: { expression: `Object{metadata: Object.metadata{annotations: {"${name}": "changed"}}}` },
        },
      ],
    },
  };
}
