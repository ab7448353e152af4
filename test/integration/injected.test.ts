import assert from 'node:assert/strict';
import { load } from 'js-yaml';
import type { Json } from '../../hack/controlplane/api.ts';
import { cappol } from '../support/cappol.ts';
import { CREATOR, eventually, useCluster } from '../support/harness.ts';
import { Injector } from '../support/injector.ts';
import { entries, statusOf } from '../support/observed.ts';
import { baselinePod, restrictedPod } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';

const DEPLOYMENTS = '/apis/apps/v1/namespaces/*/deployments';
const OLDER = /; only pods of an older template violate a policy: the current template complies/;

describe('pods into which a webhook injects containers', function () {
  this.timeout(300_000);
  const cluster = useCluster('injected');

  it('have the injected container, also in a dry run', async () => {
    const namespace = await cluster.namespace('tried');
    const injector = await Injector.start(cluster.api, { name: 'injected-tried', namespaces: [namespace] });
    const { status, body } = await cluster.tryCreate(`${NAMESPACES}/${namespace}/pods`, restrictedPod(), CREATOR);
    assert.equal(status, 201);
    assert.deepEqual(
      body.spec.initContainers.map(({ name }: { name: string }) => name),
      ['istio-init'],
    );
    await injector.stop();
  });

  it('are named in the status and by check, and are not taken for pods of an older template', async () => {
    const namespace = await cluster.namespace('named', { team: 'injected-named' });
    const injector = await Injector.start(cluster.api, { name: 'injected-named', namespaces: [namespace] });
    const policy = await cluster.policy('named', audit('injected-named'));
    const pinger = { kind: 'Deployment', namespace, name: 'pinger' };
    await cluster.api.create(DEPLOYMENTS.replace('*', namespace), deployment('pinger', restrictedPod()));
    const [entry] = await eventually('the violation', async () => {
      const found = entries(await statusOf(cluster.api, policy), pinger);
      return found.some(({ container, pods }) => container === 'istio-init' && pods === 1) && found;
    });
    const injected = `container "istio-init" is not in the template of Deployment ${namespace}/pinger: something injects it`;
    assert.ok(entry?.message?.endsWith(`; ${injected}`), entry?.message);
    const { stdout, code } = await check(namespace);
    assert.equal(code, 1);
    assert.ok(stdout.includes(`; ${injected}`), stdout);
    assert.doesNotMatch(stdout, OLDER);
    const json = JSON.parse((await check(namespace, '-o', 'json')).stdout);
    const { onlyOldPods, addedContainers, remark } = json.items.find(({ kind }: Json) => kind === 'Deployment');
    assert.deepEqual(
      { onlyOldPods, addedContainers, remark },
      {
        onlyOldPods: false,
        addedContainers: ['istio-init'],
        remark: injected,
      },
    );
    for (const format of ['sarif', 'junit', 'github', 'markdown'])
      assert.ok((await check(namespace, '-o', format)).stdout.includes('something injects it'), format);
    await injector.stop();
  });

  it('are considered by check --policy and by suggest, which say what is injected', async () => {
    const namespace = await cluster.namespace('considered', { team: 'injected-considered' });
    const injector = await Injector.start(cluster.api, { name: 'injected-considered', namespaces: [namespace] });
    await cluster.api.create(DEPLOYMENTS.replace('*', namespace), deployment('pinger', restrictedPod()));
    await eventually('the pod', async () => (await podsIn(namespace)) === 1);
    const injected = `container "istio-init" is not in the template of Deployment ${namespace}/pinger: something injects it`;
    const candidate = JSON.stringify({
      ...policyOf('injected-candidate', 'injected-considered'),
      kind: 'CapabilityPolicy',
    });
    const changes = await run(['check', '--cluster', '-n', namespace, '--policy', '-'], candidate);
    assert.equal(changes.code, 1, changes.stdout);
    assert.match(changes.stdout, /safe to enforce in 0 of 1 namespace/);
    assert.ok(changes.stdout.includes(injected), changes.stdout);
    const policy = await cluster.policy('considered', { ...audit('injected-considered'), mode: 'Audit' });
    await cluster.programmed(policy);
    const suggested = await run(['suggest', '--cluster', '-n', namespace]);
    assert.equal(suggested.code, 0, suggested.stderr);
    assert.ok(
      suggested.stdout.includes(`# ${injected}. The suggestions consider the pods as they run.`),
      suggested.stdout,
    );
    assert.match(suggested.stdout, /names: \[istio-init\]|- istio-init/);
    for (const args of [
      ['-o', 'json'],
      ['-o', 'report'],
    ])
      assert.ok((await run(['suggest', '--cluster', '-n', namespace, ...args])).stdout.includes('istio-init'));
    await cluster.api.apply(
      '/apis/capabilitypolicy.dev/v1alpha1/capabilitypolicies/injected-exception',
      exceptionIn(suggested.stdout),
    );
    await cluster.programmed('injected-exception');
    const again = await run(['check', '--cluster', '-n', namespace]);
    assert.equal(again.code, 0, again.stdout);
    await injector.stop();
  });

  it('are not said to be admitted by suggest if every pod is refused', async () => {
    const namespace = await cluster.namespace('all-refused', { team: 'injected-all-refused' });
    const policy = await cluster.policy('all-refused', { ...audit('injected-all-refused'), mode: 'Enforce' });
    await cluster.programmed(policy);
    const injector = await Injector.start(cluster.api, { name: 'injected-all-refused', namespaces: [namespace] });
    await cluster.api.create(DEPLOYMENTS.replace('*', namespace), deployment('pinger', restrictedPod()));
    const { stdout } = await eventually('the refusal', async () => {
      const ran = await run(['suggest', '--cluster', '-n', namespace]);
      return ran.stdout.includes('refuses the pods') && ran;
    });
    assert.doesNotMatch(stdout, /already admit every workload/);
    assert.ok(stdout.includes(`The API server refuses the pods of Deployment ${namespace}/pinger: `), stdout);
    await injector.stop();
  });

  it('pods of an older template are told apart by the revision of their StatefulSet or DaemonSet', async () => {
    const namespace = await cluster.namespace('revisions', { team: 'injected-revisions' });
    await cluster.policy('revisions', audit('injected-revisions'));
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'injected-node' } };
    await cluster.api.create('/api/v1/nodes', node);
    const made = ['StatefulSet', 'DaemonSet'].map((kind) => ({
      path: `/apis/apps/v1/namespaces/${namespace}/${kind.toLowerCase()}s`,
      object: onDelete(kind, baselinePod({ add: ['NET_ADMIN'] })),
    }));
    for (const { path, object } of made) await cluster.api.create(path, object);
    await eventually('two pods', async () => (await podsIn(namespace)) === 2);
    const { containers, securityContext } = specOf(restrictedPod());
    const template = { spec: { containers, securityContext } };
    for (const { path } of made) await cluster.api.patch(`${path}/old`, { spec: { template } });
    await eventually('the older pods', async () => {
      const { stdout } = await check(namespace);
      return stdout.split('\n').filter((line) => OLDER.test(line)).length >= 2;
    });
    const injector = await Injector.start(cluster.api, { name: 'injected-revisions', namespaces: [namespace] });
    for (const { metadata } of await cluster.api.list(`${NAMESPACES}/${namespace}/pods`))
      await cluster.api.remove(`${NAMESPACES}/${namespace}/pods/${metadata.name}`);
    await eventually('injected pods', async () => {
      const { stdout } = await check(namespace);
      return ['StatefulSet', 'DaemonSet'].every((kind) =>
        stdout.includes(`"istio-init" is not in the template of ${kind} ${namespace}/old: something injects it`),
      );
    });
    const { stdout } = await check(namespace);
    assert.doesNotMatch(stdout, OLDER);
    await injector.stop();
    await cluster.api.remove('/api/v1/nodes/injected-node');
  });

  async function podsIn(namespace: string): Promise<number> {
    return (await cluster.api.list(`${NAMESPACES}/${namespace}/pods`)).length;
  }

  function check(namespace: string, ...args: readonly string[]) {
    return run(['check', '--cluster', '-n', namespace, '--fail-on', 'Audit', ...args]);
  }

  function run(args: readonly string[], stdin = '') {
    return cappol([...args, '--kubeconfig', cluster.controlPlane.kubeconfig], stdin);
  }
});

function audit(team: string) {
  return { namespaceSelector: { matchLabels: { team } }, level: 'restricted', mode: 'Audit' } as const;
}

function policyOf(name: string, team: string): object {
  return { apiVersion: 'capabilitypolicy.dev/v1alpha1', metadata: { name }, spec: { ...audit(team), mode: 'Enforce' } };
}

/** The only policy in the output of suggest, with a name of this test. */
function exceptionIn(yaml: string): object {
  const { metadata: _, ...policy } = load(yaml) as Json;
  return { ...policy, metadata: { name: 'injected-exception' } };
}

function specOf(pod: object): Json {
  return (pod as Json).spec;
}

function deployment(name: string, pod: object, fields: object = {}): Json {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: specOf(pod) };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { selector: { matchLabels: labels }, template, ...fields },
  };
}

function onDelete(kind: string, pod: object): Json {
  const { spec, ...object } = deployment('old', pod);
  return { ...object, kind, spec: { ...spec, updateStrategy: { type: 'OnDelete' } } };
}
