/**
 * Tests exceptions that `cappol suggest` writes while other policies are in force. Also tests policies that loosen a
 * policy with a rollout.
 */
import assert from 'node:assert/strict';
import { loadAll } from 'js-yaml';
import type { CapabilityPolicy, CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { cappol, type Ran } from '../support/cappol.ts';
import { ADMITTED, eventually, useCluster } from '../support/harness.ts';
import { itIfOffered } from '../support/needs.ts';
import { restrictedPod } from '../support/pod-manifests.ts';
import { POLICIES } from '../support/rendered.ts';

const CONTROLLER = {
  user: 'system:serviceaccount:kube-system:replicaset-controller',
  groups: ['system:serviceaccounts'],
};

interface Pod {
  readonly spec: { readonly containers: readonly { readonly securityContext?: object }[] };
}

/** A pod that complies with the level restricted, apart from the capabilities in `add`. */
function podOf(serviceAccountName: string, ...add: readonly string[]) {
  const { spec, ...pod } = restrictedPod() as Pod;
  const containers = spec.containers.map(({ securityContext, ...container }) => ({
    ...container,
    securityContext: { ...securityContext, capabilities: { drop: ['ALL'], ...(add.length > 0 && { add }) } },
  }));
  return { ...pod, spec: { ...spec, serviceAccountName, containers } };
}

describe('exceptions beside policies in force', function () {
  this.timeout(300_000);
  const cluster = useCluster('beside');

  /**
   * Creates a namespace with two workloads. The level restricted admits the first workload and refuses the second
   * workload.
   */
  async function namespaceWith(suffix: string): Promise<string> {
    const namespace = await cluster.namespace(suffix, { beside: suffix });
    for (const [name, add] of [
      ['web', []],
      ['pinger', ['NET_RAW']],
    ] as const) {
      await cluster.serviceAccount(namespace, name);
      const labels = { app: name };
      const template = { metadata: { labels }, spec: podOf(name, ...add).spec };
      await cluster.api.apply(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`, {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name },
        spec: { replicas: 0, selector: { matchLabels: labels }, template },
      });
    }
    return namespace;
  }

  const ask = (...args: readonly string[]): Promise<Ran> =>
    cappol([...args, '--kubeconfig', cluster.controlPlane.kubeconfig]);

  async function suggested(namespace: string, ...args: readonly string[]): Promise<CapabilityPolicy[]> {
    const { code, stdout, stderr } = await ask('suggest', '--cluster', '-n', namespace, ...args);
    assert.deepEqual([code, stderr], [0, '']);
    return (loadAll(stdout) as (CapabilityPolicy | null)[]).flatMap((one) => one ?? []);
  }

  async function apply(policies: readonly CapabilityPolicy[]): Promise<void> {
    const names = policies.map(({ metadata }) => metadata?.name ?? '');
    for (const policy of policies) await cluster.api.apply(`${POLICIES}/${policy.metadata?.name}`, policy);
    await cluster.programmed(...names);
  }

  const admit = (namespace: string, account: string, ...add: readonly string[]) =>
    cluster.admit(podOf(account, ...add), namespace, CONTROLLER);

  const selecting = (suffix: string): Pick<CapabilityPolicySpec, 'namespaceSelector'> => ({
    namespaceSelector: { matchLabels: { beside: suffix } },
  });

  async function assertEnforced(namespace: string): Promise<void> {
    assert.equal(await admit(namespace, 'web'), ADMITTED);
    assert.equal(await admit(namespace, 'pinger', 'NET_RAW'), ADMITTED);
    assert.match(await admit(namespace, 'web', 'NET_RAW'), /must not add capability NET_RAW/);
    assert.match(await admit(namespace, 'pinger', 'SYS_TIME'), /must not add capability SYS_TIME/);
  }

  it('suggest writes exceptions and nothing else, and the exceptions suffice', async () => {
    const namespace = await namespaceWith('enforced');
    const base = await cluster.policy('base', {
      ...selecting('enforced'),
      level: 'restricted',
      mode: 'Enforce',
      priority: 3,
    });
    await cluster.programmed(base);
    const [exception, ...others] = await suggested(namespace, '--for', '30d', '--reason', 'TICKET-1');
    assert.deepEqual(others, []);
    const { level, mode, priority, usableBy, reason, overrides } = exception?.spec ?? {};
    assert.deepEqual([level, mode, priority, usableBy, reason], ['restricted', 'Enforce', 3, 'Subjects', 'TICKET-1']);
    assert.deepEqual(overrides, { capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'NET_RAW'] } });
    await apply(exception ? [exception] : []);
    await assertEnforced(namespace);
    const again = await ask('suggest', '--cluster', '-n', namespace);
    assert.equal(
      again.stdout,
      `# Nothing to write for namespace ${namespace}: the policies that decide already admit every workload.\n`,
    );
  });

  it('exceptions from a policy of mode Warn also have mode Warn, and refuse nothing', async () => {
    const namespace = await namespaceWith('warned');
    await cluster.programmed(
      await cluster.policy('warn', { ...selecting('warned'), level: 'restricted', mode: 'Warn' }),
    );
    const policies = await suggested(namespace);
    assert.deepEqual(
      policies.map(({ spec }) => spec.mode),
      ['Warn'],
    );
    await apply(policies);
    assert.equal(await admit(namespace, 'web', 'SYS_TIME'), ADMITTED);
  });

  itIfOffered(
    'admissionVariables',
    'come with the rules of a policy that is pending, without which they would decide alone',
    async () => {
      const namespace = await namespaceWith('pending');
      const rollout = { soak: '1h' };
      const base = await cluster.policy('rolled', {
        ...selecting('pending'),
        level: 'restricted',
        mode: 'Enforce',
        rollout,
      });
      await cluster.programmed(base);
      assert.equal(await admit(namespace, 'web', 'NET_RAW'), ADMITTED);
      const policies = await suggested(namespace);
      const [exception, copy] = policies;
      assert.deepEqual(
        [policies.length, copy?.metadata?.name, copy?.spec.usableBy],
        [2, `${base}-beside-exceptions`, undefined],
      );
      await apply(exception ? [exception] : []);
      assert.match(await admit(namespace, 'web'), /the pod complies, but neither its service account/);
      await apply(copy ? [copy] : []);
      await assertEnforced(namespace);
      assert.deepEqual(await suggested(namespace), []);
      await cluster.api.patch(`${POLICIES}/${base}`, { spec: { rollout: { soak: '1s' } } });
      await eventually('the namespace to be promoted', async () => {
        const { metadata } = await cluster.api.get(`/api/v1/namespaces/${namespace}`);
        return !(`rollout.capabilitypolicy.dev/${base}` in metadata.labels);
      });
      await cluster.deletePolicy(copy?.metadata?.name ?? '');
      await eventually('the copy to be out of force', async () =>
        (await admit(namespace, 'web', 'SYS_TIME')).includes(base),
      );
      await assertEnforced(namespace);
    },
  );

  itIfOffered(
    'admissionVariables',
    'come into force together with the policy that they loosen, if the operator is stopped meanwhile',
    async () => {
      const namespace = await namespaceWith('stopped');
      const accounts = [{ kind: 'ServiceAccount' as const, namespace, name: 'pinger' }];
      const common = { ...selecting('stopped'), level: 'restricted', mode: 'Enforce' } as const;
      await cluster.operator.stop();
      const overrides = { capabilities: { allowedAdd: ['NET_RAW'] } };
      await cluster.policy('stopped-ping', { ...common, usableBy: 'Subjects', subjects: accounts, overrides });
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await cluster.policy('stopped-all', common);
      const refusals: string[] = [];
      const starting = cluster.operator.startAndWatch();
      await eventually('the policy to be in force', async () => {
        const answers = [await admit(namespace, 'web'), await admit(namespace, 'pinger', 'NET_RAW')];
        refusals.push(...answers.filter((answer) => answer !== ADMITTED));
        return (await admit(namespace, 'web', 'NET_RAW')) !== ADMITTED;
      });
      await starting;
      assert.deepEqual(refusals, []);
      await assertEnforced(namespace);
    },
  );

  it('the condition Accepted and cappol check name a looser policy that everybody may use, but name no exceptions', async () => {
    const namespace = await namespaceWith('loosened');
    const base = await cluster.policy('tight', {
      ...selecting('loosened'),
      level: 'restricted',
      mode: 'Enforce',
      rollout: {},
    });
    const loose = await cluster.policy('loose', { ...selecting('loosened'), level: 'baseline', mode: 'Enforce' });
    await cluster.programmed(base, loose);
    const text = `everybody may use this policy, and it loosens `;
    await eventually('Accepted to name the loosened policy', async () =>
      (await cluster.condition(loose, 'Accepted'))?.message.includes(text),
    );
    assert.doesNotMatch((await cluster.condition(base, 'Accepted'))?.message ?? '', /loosens/);
    const { stderr } = await ask('check', '--cluster', '-n', namespace);
    assert.ok(stderr.includes(`cappol: cluster: warning: CapabilityPolicy ${loose}: ${text}`), stderr);
  });
});
