/**
 * Tests workloads with an owner, and claims of StatefulSets. The tests check how a rollout and the status evaluate the
 * templates of these workloads and claims.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { eventually, useCluster } from '../support/harness.ts';
import { entries, statusOf } from '../support/observed.ts';
import { baselinePod, workloads } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';

const GOOD = baselinePod();
const BAD = baselinePod({ add: ['NET_ADMIN'] });
const FOREIGN = {
  apiVersion: 'example.org/v1',
  kind: 'Rollout',
  name: 'shop',
  uid: '7d8a9c1e-0000-4000-8000-000000000001',
};
const SOAK_MS = 2_000;

type Make = (plural: string, name: string, pod: object, rest?: { spec?: object; owner?: Json }) => Promise<Json>;

interface Row {
  readonly title: string;
  /** Creates the objects of the row in a namespace. */
  readonly create: (make: Make) => Promise<unknown>;
  /** The name of the violating workload in the status. */
  readonly named: string;
  readonly rule?: string;
}

const ROWS: readonly Row[] = [
  {
    title: 'a CronJob that a compliant Deployment owns',
    create: async (make) => make('cronjobs', 'nightly', BAD, { owner: await make('deployments', 'web', GOOD) }),
    named: 'CronJob nightly',
  },
  {
    title: "a DaemonSet that its operator's Deployment owns",
    create: async (make) => make('daemonsets', 'agent', BAD, { owner: await make('deployments', 'operator', GOOD) }),
    named: 'DaemonSet agent',
  },
  {
    title: 'the last of three workloads that own each other',
    create: async (make) => {
      const top = await make('deployments', 'top', GOOD);
      const middle = await make('statefulsets', 'middle', GOOD, { owner: top, spec: { replicas: 0 } });
      return make('cronjobs', 'bottom', BAD, { owner: middle });
    },
    named: 'CronJob bottom',
  },
  {
    title: 'a Deployment that owns itself',
    create: async (make) => {
      const own = await make('deployments', 'own', BAD, { spec: { replicas: 0 } });
      return make('deployments', 'own', BAD, { owner: own, spec: { replicas: 0 } });
    },
    named: 'Deployment own',
  },
  {
    title: 'a ReplicaSet at 0 replicas with a foreign owner',
    create: (make) => make('replicasets', 'shop-1', BAD, { owner: FOREIGN, spec: { replicas: 0 } }),
    named: 'Rollout shop',
  },
  {
    title: 'a running Job whose CronJob has another template',
    create: async (make) => {
      const owner = await make('cronjobs', 'backup', GOOD, { spec: { suspend: true } });
      return make('jobs', 'backup-1', BAD, { owner, spec: { parallelism: 0 } });
    },
    named: 'CronJob backup',
  },
  {
    title: 'a StatefulSet with claims',
    create: (make) =>
      make('statefulsets', 'db', GOOD, {
        spec: {
          replicas: 0,
          volumeClaimTemplates: [
            {
              metadata: { name: 'data' },
              spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
            },
          ],
        },
      }),
    named: 'StatefulSet db',
    rule: 'volumes',
  },
];

describe('workloads with owners, and claims of StatefulSets', function () {
  this.timeout(300_000);
  const cluster = useCluster('owners');
  let audit: string;
  let pending: string;
  let label: string;

  before(async () => {
    const spec = {
      namespaceSelector: { matchLabels: { team: 'owners' } },
      level: 'baseline',
      overrides: { volumes: ['configMap', 'emptyDir', 'projected'] },
    } satisfies CapabilityPolicySpec;
    const clean = await cluster.namespace('clean', { team: 'owners' });
    for (const [index, { create }] of ROWS.entries()) {
      await create(makeIn(await cluster.namespace(`${index}`, { team: 'owners' })));
    }
    // The namespace `clean` has the same owners, but all its workloads comply.
    const make = makeIn(clean);
    const owner = await make('deployments', 'web', GOOD);
    await make('cronjobs', 'nightly', GOOD, { owner });
    await make('replicasets', 'shop-1', BAD, { owner: FOREIGN, spec: { replicas: 0 } });
    await make('replicasets', 'shop-2', GOOD, { owner: FOREIGN, spec: { replicas: 1 } });

    audit = await cluster.policy('audit', spec);
    pending = await cluster.policy('enforce', { ...spec, mode: 'Enforce', rollout: { soak: `${SOAK_MS / 1000}s` } });
    label = `rollout.capabilitypolicy.dev/${pending}`;
    await eventually('the first evaluation', async () => (await statusOf(cluster.api, audit)).workloads);
    await eventually('the clean namespace to be enforced', async () => !(await isPending(clean)));
    await sleep(SOAK_MS);
  });

  for (const [index, { title, named, rule = 'capabilities' }] of ROWS.entries()) {
    it(`evaluates ${title}, and the rollout waits for it`, async () => {
      const namespace = cluster.named(`${index}`);
      const found = async () => entries(await statusOf(cluster.api, audit), { namespace });
      await eventually('the violation in the status', async () => (await found()).length > 0, 20_000);
      assert.deepEqual(
        (await found()).map((one) => `${one.kind} ${one.name} ${one.rule}`),
        [`${named} ${rule}`],
      );
      assert.equal(await isPending(namespace), true);
    });
  }

  it('the policy warns about the claims of a new StatefulSet, but not about a volume that a claim replaces', async () => {
    const namespace = await cluster.namespace('warned', { team: 'warned' });
    const policy = await cluster.policy('warned', {
      namespaceSelector: { matchLabels: { team: 'warned' } },
      level: 'baseline',
      mode: 'Enforce',
      overrides: { volumes: ['emptyDir', 'projected'] },
    });
    await cluster.programmed(policy);
    const object: Json = workloads(GOOD).find(({ path }) => path.endsWith('/statefulsets'))?.object;
    const made = structuredClone(object);
    made.spec.template.spec.volumes = [
      { name: 'data', hostPath: { path: '/' } },
      { name: 'tmp', emptyDir: {} },
    ];
    const volumeClaimTemplates = ['data', 'log'].map((name) => ({
      metadata: { name },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    }));
    const path = `/apis/apps/v1/namespaces/${namespace}/statefulsets`;
    const body = { ...made, spec: { ...made.spec, replicas: 0, volumeClaimTemplates } };
    const { status, warnings } = await cluster.api.ask('POST', path, { body, query: { dryRun: 'All' } });
    assert.equal(status, 201);
    const [warning = ''] = warnings.filter((text) => text.includes(`CapabilityPolicy ${policy}: `));
    for (const name of ['data', 'log']) {
      assert.ok(warning.includes(`volume "${name}" must not be of type persistentVolumeClaim`), warning);
    }
    assert.doesNotMatch(warning, /hostPath/);
  });

  it('the status lists no workload of the namespace with only compliant workloads', async () => {
    assert.deepEqual(entries(await statusOf(cluster.api, audit), { namespace: cluster.named('clean') }), []);
    assert.equal((await cluster.condition(audit, 'Compliant'))?.status, 'False');
  });

  async function isPending(namespace: string): Promise<boolean> {
    const { metadata } = await cluster.api.get(`${NAMESPACES}/${namespace}`);
    return metadata.labels[label] === 'pending';
  }

  /**
   * Returns a function that creates or changes a workload. The function gets the plural name of the workload's kind.
   */
  function makeIn(namespace: string): Make {
    return async (plural, name, pod, { spec = {}, owner } = {}) => {
      const { path, object } = workloads(pod).find((one) => one.path.endsWith(`/${plural}`)) as {
        path: string;
        object: Json;
      };
      const made = structuredClone(object);
      Object.assign(made.spec, spec);
      if (made.spec.selector) {
        made.spec.selector = { matchLabels: { app: name } };
        made.spec.template.metadata = { labels: { app: name } };
      }
      const reference = owner && { apiVersion: owner.apiVersion, kind: owner.kind, ...(owner.metadata ?? owner) };
      const { apiVersion, kind, name: ownerName, uid } = reference ?? {};
      const ownerReferences = owner && [{ apiVersion, kind, name: ownerName, uid, controller: true }];
      made.metadata = { name, ...(ownerReferences && { ownerReferences }) };
      return cluster.api.apply(`${path.replace('*', `namespaces/${namespace}`)}/${name}`, made);
    };
  }
});
