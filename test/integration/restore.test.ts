/** Tests on a real API server that a restore loosens nothing: objects come back with new uids, in every order. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../../hack/controlplane/api.ts';
import { COLLECTIONS, renderedObjects } from '../../hack/controlplane/rendered.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { refuseWrites } from '../support/foreign-policy.ts';
import { ADMITTED, eventually, OPERATOR_NAMESPACE, useCluster } from '../support/harness.ts';
import { eventsAbout } from '../support/observed.ts';
import { baselinePod, restrictedPod, workloads } from '../support/pod-manifests.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';

const CONFIG_MAPS = `/api/v1/namespaces/${OPERATOR_NAMESPACE}/configmaps`;
const WATCHED_SECONDS = 5;

describe('a restore loosens nothing', function () {
  this.timeout(300_000);
  const cluster = useCluster('restore');

  function spec(team: string, rest: Partial<CapabilityPolicySpec> = {}): CapabilityPolicySpec {
    return {
      namespaceSelector: { matchLabels: { team } },
      level: 'restricted',
      mode: 'Enforce',
      rollout: { soak: '1s' },
      // No Pod Security label fits this policy, so the admission policy alone refuses pods.
      overrides: { capabilities: { allowedAdd: ['NET_ADMIN'] } },
      ...rest,
    };
  }

  const label = (policy: string) => `rollout.capabilitypolicy.dev/${policy}`;
  const labelOf = async (policy: string, namespace: string) =>
    (await cluster.api.get(`${NAMESPACES}/${namespace}`)).metadata.labels[label(policy)];
  const isRefused = async (namespace: string) => (await cluster.admit(baselinePod(), namespace)) !== ADMITTED;
  const statesOf = async (policy: string) =>
    (await cluster.api.list(CONFIG_MAPS)).filter(
      ({ metadata }) => metadata.labels?.['capabilitypolicy.dev/rollout'] === policy,
    );

  interface RolledOut {
    readonly policy: string;
    readonly enforced: string;
    readonly pending: string;
  }

  /** Rolls a policy out to one of two namespaces. A workload in the other namespace violates the policy. */
  async function rolledOut(team: string): Promise<RolledOut> {
    const [enforced, pending] = await Promise.all(
      ['enforced', 'pending'].map((one) => cluster.namespace(`${team}-${one}`, { team })),
    );
    assert.ok(enforced && pending);
    await violates(pending);
    const policy = await cluster.policy(team, spec(team));
    await cluster.programmed(policy);
    await eventually('the promotion', async () => !(await labelOf(policy, enforced)) && (await isRefused(enforced)));
    assert.equal(await labelOf(policy, pending), 'pending');
    // A rollout that begins from the start would leave the namespace open for a day.
    await cluster.policy(team, spec(team, { rollout: { soak: '24h' } }));
    await cluster.programmed(policy);
    return { policy, enforced, pending };
  }

  async function violates(namespace: string): Promise<void> {
    const [deployment] = workloads(baselinePod()).filter(({ path }) => path.endsWith('deployments'));
    assert.ok(deployment);
    await cluster.api.create(deployment.path.replace('*', `namespaces/${namespace}`), deployment.object);
  }

  const backupOf = (path: string): Promise<Json> => cluster.api.get(path);

  /** Creates an object as Velero does: without the fields that the API server writes, and without owners. */
  async function restore(path: string, { metadata, status: _, ...rest }: Json): Promise<void> {
    const { uid: __, resourceVersion: ___, managedFields: ____, ownerReferences: _____, ...kept } = metadata;
    await cluster.api.create(path, { ...rest, metadata: kept });
  }

  /** Asks once a second. The policy must refuse in the namespace at each second. */
  async function staysRefused({ policy, enforced, pending }: RolledOut): Promise<void> {
    await cluster.programmed(policy);
    for (let second = 0; second < WATCHED_SECONDS; second++) {
      assert.ok(await isRefused(enforced), `after ${second} s, a violating pod is admitted in ${enforced}`);
      assert.equal(await labelOf(policy, enforced), undefined, `after ${second} s`);
      assert.equal(await cluster.admit(baselinePod(), pending), ADMITTED, `after ${second} s, in ${pending}`);
      assert.equal(await cluster.admit(restrictedPod(), enforced), ADMITTED);
      await sleep(1_000);
    }
  }

  it('kubectl replace --force goes on with the rollout', async () => {
    const before = await rolledOut('replaced');
    const { policy, enforced } = before;
    const old = await backupOf(`${POLICIES}/${policy}`);
    await cluster.deletePolicy(policy);
    await restore(POLICIES, old);
    assert.notEqual((await backupOf(`${POLICIES}/${policy}`)).metadata.uid, old.metadata.uid);
    await staysRefused(before);
    assert.ok(await isRefused(enforced));
  });

  it('a policy that comes back after its rows were removed goes on with the rollout', async () => {
    const before = await rolledOut('back');
    const old = await backupOf(`${POLICIES}/${before.policy}`);
    await cluster.deletePolicy(before.policy);
    await eventually('the rows to be gone', async () => (await cluster.having(before.policy)).length === 0);
    await eventually('the label to be gone', async () => !(await labelOf(before.policy, before.pending)));
    await restore(POLICIES, old);
    await staysRefused(before);
  });

  const REFUSALS = {
    'a quota': {
      message: /exceeded quota: none/,
      async refuse() {
        const quotas = `/api/v1/namespaces/${OPERATOR_NAMESPACE}/resourcequotas`;
        const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'none' } };
        await cluster.api.create(quotas, { ...quota, spec: { hard: { 'count/configmaps': '0' } } });
        await eventually('the quota', async () => (await cluster.api.get(`${quotas}/none`)).status?.hard);
        return () => cluster.api.remove(`${quotas}/none`);
      },
    },
    'an admission policy': {
      message: /frozen by aaa-restore-maps/,
      refuse: () =>
        refuseWrites(cluster.api, {
          name: 'aaa-restore-maps',
          rule: { apiGroups: [''], resources: ['configmaps'], operations: ['CREATE', 'UPDATE'] },
          expression: `object.metadata.namespace != '${OPERATOR_NAMESPACE}'`,
        }),
    },
  };

  for (const [by, { message, refuse }] of Object.entries(REFUSALS)) {
    it(`a ConfigMap that ${by} refuses is in the status, and new namespaces are enforced from their first pod`, async () => {
      const team = by.replace(/^an? /, '').replace(' ', '-');
      const before = await cluster.namespace(`${team}-before`, { team });
      const stop = await refuse();
      let isRefusing = true;
      try {
        const policy = await cluster.policy(team, spec(team, { rollout: { soak: '24h' } }));
        const text = new RegExp(`^the state of the rollout cannot be saved in a ConfigMap: [^]*${message.source}`);
        for (const type of ['Programmed', 'Ready']) {
          const found = await eventually(`${type} ApplyFailed`, async () => {
            const one = await cluster.condition(policy, type);
            return one?.reason === 'ApplyFailed' && one;
          });
          assert.equal(found.status, 'False');
          assert.match(found.message, text);
          assert.doesNotMatch(found.message, /in force/);
        }
        await eventually('the Event', async () =>
          (await eventsAbout(cluster.api, 'CapabilityPolicy', policy)).some(
            ({ type, reason, note }) => type === 'Warning' && reason === 'ApplyFailed' && text.test(note),
          ),
        );
        const other = await cluster.policy(`${team}-beside`, {
          ...spec(`${team}-beside`),
          rollout: undefined,
        } as CapabilityPolicySpec);
        await cluster.programmed(other);
        await eventually('the label', async () => (await labelOf(policy, before)) === 'pending');
        await eventually('the row', async () => (await cluster.having(policy)).length > 0);
        const created = await cluster.namespace(`${team}-new`, { team });
        await eventually('the refusal', () => isRefused(created), 10_000);
        const newer = await cluster.namespace(`${team}-newer`, { team });
        assert.ok(await isRefused(newer), 'the first pod of a new namespace is admitted');
        assert.equal(await cluster.admit(baselinePod(), before), ADMITTED);
        await stop();
        isRefusing = false;
        await cluster.programmed(policy);
        await eventually('the state', async () => (await statesOf(policy)).length === 1);
      } finally {
        if (isRefusing) await stop();
      }
    });
  }

  for (const lost of ['nothing', 'the ConfigMaps', 'the programs'] as const) {
    it(`while the operator is stopped, the policy and its namespaces come back, and ${lost} is lost`, async () => {
      const before = await rolledOut(lost.replace('the ', '').toLowerCase());
      const { policy, enforced, pending } = before;
      await cluster.operator.stop();
      const paths = [enforced, pending].map((name) => `${NAMESPACES}/${name}`);
      const old = await Promise.all([`${POLICIES}/${policy}`, ...paths].map(backupOf));
      await Promise.all([cluster.deletePolicy(policy), ...paths.map((path) => cluster.api.remove(path))]);
      for (const path of paths)
        await eventually('no namespace', async () => (await cluster.api.ask('GET', path)).status === 404);
      if (lost === 'the ConfigMaps')
        for (const { metadata } of await statesOf(policy)) await cluster.api.remove(`${CONFIG_MAPS}/${metadata.name}`);
      if (lost === 'the programs')
        for (const one of await renderedObjects(cluster.api)) {
          await cluster.byHand.remove(`${COLLECTIONS[one.kind]}/${one.metadata.name}`);
        }
      const [oldPolicy, ...oldNamespaces] = old;
      for (const one of oldNamespaces) {
        await restore(NAMESPACES, one);
        await cluster.serviceAccount(one.metadata.name, 'default');
      }
      await violates(pending);
      await restore(POLICIES, oldPolicy);
      await cluster.operator.startAndWatch();
      await staysRefused(before);
    });
  }
});
