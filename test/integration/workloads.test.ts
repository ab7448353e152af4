import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { eventually, useCluster } from '../support/harness.ts';
import { entries, statusOf, timed } from '../support/observed.ts';
import { baselinePod, restrictedPod, workloads } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';

const GOOD = baselinePod();
const BAD = baselinePod({ add: ['NET_ADMIN'] });
const OWNER_UID = '7d8a9c1e-0000-4000-8000-000000000001';
const DEPLOYMENTS = '/apis/apps/v1/*/deployments';

interface Row {
  readonly title: string;
  /** The kind that the status shows for the workload. */
  readonly kind: string;
  readonly name: string;
  readonly pods: number;
  readonly container?: string;
  /** The path of the created object's collection. The path has `*` in place of the namespace. */
  readonly path: string;
  readonly object: Json;
  /**
   * The change after which the workload violates the policy. `change` is set only for a workload that complies before
   * the change.
   */
  readonly change?: (path: string) => Promise<unknown>;
  /** The change that repairs the workload. If `repair` is missing, the test deletes the workload instead. */
  readonly repair?: Json;
}

describe('existing violating workloads', function () {
  this.timeout(300_000);
  const cluster = useCluster('workloads');

  const ROWS: readonly Row[] = [
    { ...made('deployments', 'idle', { replicas: 0 }), title: 'a Deployment at 0 replicas', pods: 0 },
    {
      ...made('deployments', 'web', { replicas: 3, strategy: { type: 'Recreate' } }),
      title: 'a Deployment at 3 replicas',
      pods: 3,
      repair: { spec: { template: withoutAdding() } },
    },
    { ...made('cronjobs', 'nightly'), title: 'a CronJob', pods: 0 },
    { ...made('jobs', 'import'), title: 'a Job', pods: 1 },
    { ...made('statefulsets', 'database', { replicas: 1 }), title: 'a StatefulSet', pods: 1 },
    {
      ...made('daemonsets', 'agent'),
      title: 'a DaemonSet',
      pods: 0,
      repair: { spec: { template: withoutAdding() } },
    },
    { title: 'a bare pod', kind: 'Pod', name: 'bare', pods: 1, path: '/api/v1/*/pods', object: named(BAD, 'bare') },
    {
      title: 'a pod with an ephemeral container that was added later',
      kind: 'Pod',
      name: 'debugged',
      pods: 1,
      container: 'debugger',
      path: '/api/v1/*/pods',
      object: named(GOOD, 'debugged'),
      change: (path) => cluster.api.patch(`${path}/ephemeralcontainers`, [addDebugger()]),
    },
    {
      ...made('replicasets', 'shop-1'),
      title: 'a ReplicaSet of an unknown custom controller',
      kind: 'Rollout',
      name: 'shop',
      pods: 1,
      object: owned(made('replicasets', 'shop-1').object, 'example.org/v1', 'Rollout', 'shop'),
    },
  ];

  describe('of a later policy', () => {
    it('all appear, worst first', async () => {
      const namespace = await cluster.namespace('before', { team: 'before' });
      for (const row of ROWS) await make(row, namespace);
      await eventually('their pods', async () => (await podsIn(namespace)).length === 8);
      let policy = '';
      const ms = await timed(
        'all of them in the status',
        async () => {
          policy = await cluster.policy('before', audit('before'));
        },
        async () => {
          const status = await statusOf(cluster.api, policy);
          return status.workloads?.violating === ROWS.length;
        },
      );
      console.log(`      ${ROWS.length} workloads are in the status ${ms} ms after the policy was written`);
      const status = await statusOf(cluster.api, policy);
      const shown = (status.violations ?? []).map(({ kind, name, pods }) => `${kind} ${name} ${pods}`);
      assert.deepEqual(shown, [
        'Deployment web 3',
        'Job import 1',
        'Pod bare 1',
        'Pod debugged 1',
        'Rollout shop 1',
        'StatefulSet database 1',
        'CronJob nightly 0',
        'DaemonSet agent 0',
        'Deployment idle 0',
      ]);
    });
  });

  describe('of an existing policy', () => {
    let policy: string;

    before(async () => {
      policy = await cluster.policy('there', audit('there'));
      await cluster.programmed(policy);
      await eventually('the first evaluation', async () => (await statusOf(cluster.api, policy)).workloads);
    });

    for (const [index, row] of ROWS.entries()) {
      const { title, kind, name, pods, container = 'main' } = row;
      it(`${title}: appears by its top owner and vanishes`, async () => {
        const namespace = await cluster.namespace(`there-${index}`, { team: 'there' });
        const found = async () => entries(await statusOf(cluster.api, policy), { namespace });
        const made = row.change ? await create(row, namespace) : '';
        const write = () => (row.change ? row.change(made) : create(row, namespace));
        const appeared = await timed(`${title} in the status`, write, async () => (await found()).length > 0);
        await eventually(`${pods} pods`, async () => (await found())[0]?.pods === pods);
        const [entry, ...others] = await found();
        assert.deepEqual(others, []);
        const { message = '', ...where } = entry ?? {};
        const rule = 'capabilities';
        assert.deepEqual(where, { kind, name, namespace, mode: 'Audit', verdict: 'Violating', pods, rule, container });
        assert.match(message, new RegExp(`^container "${container}" must not add capability NET_ADMIN \\(allowed: `));
        const compliant = await cluster.condition(policy, 'Compliant');
        assert.match(compliant?.message ?? '', new RegExp(`${kind} ${namespace}/${name}`));

        const object = `${inNamespace(row.path, namespace)}/${row.object.metadata.name}`;
        const end = () => (row.repair ? cluster.api.patch(object, row.repair) : cluster.api.remove(object));
        const vanished = await timed(`${title} to vanish`, end, async () => (await found()).length === 0);
        const how = row.repair ? 'fixed' : 'deleted';
        console.log(`      appeared after ${appeared} ms, vanished ${vanished} ms after it was ${how}`);
      });
    }

    it('the policy is compliant again when all violating workloads are deleted', async () => {
      const { violations, violationsTotal, workloads } = await statusOf(cluster.api, policy);
      assert.deepEqual([violations, violationsTotal, workloads?.violating], [undefined, 0, 0]);
      assert.equal((await cluster.condition(policy, 'Compliant'))?.status, 'True');
    });

    it('a workload that breaks several rules in several containers has an entry for each rule and container', async () => {
      const namespace = await cluster.namespace('there-several', { team: 'there' });
      const pod = named(BAD, 'several');
      pod.spec.hostNetwork = true;
      pod.spec.containers[0].securityContext.privileged = true;
      pod.spec.initContainers = [{ ...pod.spec.containers[0], name: 'first' }];
      await cluster.api.create(`${NAMESPACES}/${namespace}/pods`, pod);
      await eventually('five entries', async () => (await statusOf(cluster.api, policy)).violations?.length === 5);
      const { violations = [], workloads } = await statusOf(cluster.api, policy);
      assert.deepEqual(
        violations.map(({ rule, container }) => [rule, container]),
        [
          ['capabilities', 'first'],
          ['capabilities', 'main'],
          ['hostNetwork', undefined],
          ['privileged', 'first'],
          ['privileged', 'main'],
        ],
      );
      assert.equal(workloads?.violating, 1);
      await cluster.api.remove(`${NAMESPACES}/${namespace}/pods/several`);
      await eventually('no entry', async () => (await statusOf(cluster.api, policy)).violations === undefined);
    });
  });

  it('the status lists pods of custom resources under these resources, and the Events are about these resources', async () => {
    const namespace = await cluster.namespace('custom', { team: 'custom' });
    const policy = await cluster.policy('custom', audit('custom'));
    await eventually('the first evaluation', async () => (await statusOf(cluster.api, policy)).workloads);
    const owners = [
      ['example.org/v1', 'Prometheus', 'k8s'],
      ['example.org/v1alpha1', 'Workflow', 'build'],
      ['batch.example.org/v1', 'Job', 'import'],
    ] as const;
    const [prometheus, workflow, job] = owners;
    const { object: statefulSet } = made('statefulsets', 'prometheus-k8s', { replicas: 1 });
    await cluster.api.create(inNamespace('/apis/apps/v1/*/statefulsets', namespace), owned(statefulSet, ...prometheus));
    const pods = `${NAMESPACES}/${namespace}/pods`;
    await cluster.api.create(pods, owned(named(BAD, 'build-1'), ...workflow));
    await cluster.api.create(pods, owned(named(BAD, 'import-1'), ...job));
    await cluster.api.create(inNamespace('/apis/batch/v1/*/jobs', namespace), made('jobs', 'import').object);
    const names = async () =>
      ((await statusOf(cluster.api, policy)).violations ?? []).map(({ kind, name }) => `${kind} ${name}`).sort();
    const wanted = ['Job import', 'Job.batch.example.org import', 'Prometheus k8s', 'Workflow build'];
    await eventually('all four', async () => (await names()).join() === wanted.join());
    for (const [apiVersion, kind, name] of owners) {
      const regarding = { apiVersion, kind, name, namespace, uid: OWNER_UID };
      const events = await eventually(`an Event about ${kind} ${name}`, async () => {
        const all = await cluster.api.list(`/apis/events.k8s.io/v1/namespaces/${namespace}/events`);
        const about = all.filter(
          (one) => one.reason === 'WorkloadViolates' && isDeepStrictEqual(one.regarding, regarding),
        );
        return about.length > 0 && about;
      });
      assert.match(events[0].note, /violates CapabilityPolicy .*capabilities/);
    }
  });

  it('a new Deployment under mode Enforce gives a warning at apply, and an entry in the status although no pod was created', async () => {
    const namespace = await cluster.namespace('enforce', { team: 'enforce' });
    const policy = await cluster.policy('enforce', { ...audit('enforce'), mode: 'Enforce' });
    await cluster.programmed(policy);
    const { object } = made('deployments', 'refused', { replicas: 2 });
    const path = inNamespace(DEPLOYMENTS, namespace);
    const { status: code, warnings } = await cluster.api.ask('POST', path, { body: object });
    assert.equal(code, 201);
    const [warning = ''] = warnings.filter((text) => text.includes(`CapabilityPolicy ${policy}: `));
    assert.match(warning, /container "main" must not add capability NET_ADMIN/);

    const wanted = { kind: 'Deployment', name: 'refused', namespace, pods: 0, verdict: 'Violating' } as const;
    await eventually('the entry', async () => entries(await statusOf(cluster.api, policy), wanted).length === 1);
    // The ReplicaSet's own status reports that its pods are refused.
    const refused = await eventually('the refusal', async () => {
      const sets = await cluster.api.list(inNamespace('/apis/apps/v1/*/replicasets', namespace));
      return sets[0]?.status.conditions?.find(({ type }: Json) => type === 'ReplicaFailure');
    });
    assert.match(refused.message, /NET_ADMIN/);
    assert.deepEqual(await podsIn(namespace), []);
    assert.equal(entries(await statusOf(cluster.api, policy), wanted).length, 1);
  });

  for (const usableBy of ['Subjects', 'Bindings'] as const) {
    it(`a bare pod that only a policy with usableBy: ${usableBy} admits is Unknown, and not counted as violating`, async () => {
      const team = usableBy.toLowerCase();
      const namespace = await cluster.namespace(team, { team });
      await cluster.serviceAccount(namespace, 'named');
      const subjects = [{ kind: 'ServiceAccount', name: 'named', namespace }] as const;
      const policy = await cluster.policy(team, {
        ...audit(team),
        usableBy,
        ...(usableBy === 'Subjects' && { subjects: [...subjects] }),
      });
      const pods = `${NAMESPACES}/${namespace}/pods`;
      await cluster.api.create(pods, named(GOOD, 'good'));
      await cluster.api.create(pods, named(BAD, 'bad'));
      await cluster.api.create(pods, named(baselinePod({ serviceAccountName: 'named' }), 'named'));
      const { object } = made('deployments', 'unusable', { replicas: 0 });
      object.spec.template.spec = (GOOD as Json).spec;
      await cluster.api.create(inNamespace(DEPLOYMENTS, namespace), object);

      const admitsNamed = usableBy === 'Subjects';
      const unknown = admitsNamed ? ['good'] : ['good', 'named'];
      await eventually('the verdicts', async () => {
        const { workloads } = await statusOf(cluster.api, policy);
        return workloads?.evaluated === 4 && workloads.unknown === unknown.length && workloads.violating === 2;
      });
      const status = await statusOf(cluster.api, policy);
      assert.deepEqual(
        status.violations?.map(({ verdict, kind, name, rule }) => `${verdict} ${kind} ${name} ${rule}`),
        [
          'Violating Pod bad capabilities',
          'Violating Deployment unusable use',
          ...unknown.map((name) => `Unknown Pod ${name} use`),
        ],
      );
      for (const { message = '' } of entries(status, { verdict: 'Unknown' })) {
        assert.match(
          message,
          /it is unknown whether the creator of the pod may use the policy: a RoleBinding to ClusterRole capabilitypolicy\.dev:use:/,
        );
      }

      await cluster.api.remove(`${pods}/bad`);
      await cluster.api.remove(`${inNamespace(DEPLOYMENTS, namespace)}/unusable`);
      await eventually('Compliant', async () => (await cluster.condition(policy, 'Compliant'))?.status === 'True');
      const message = (await cluster.condition(policy, 'Compliant'))?.message ?? '';
      assert.match(
        message,
        new RegExp(`unknown for ${unknown.length}, since the verdict depends on who created the pod`),
      );
    });
  }

  function audit(team: string): CapabilityPolicySpec {
    return { namespaceSelector: { matchLabels: { team } }, level: 'baseline' };
  }

  async function podsIn(namespace: string): Promise<Json[]> {
    return cluster.api.list(`${NAMESPACES}/${namespace}/pods`);
  }

  async function make(row: Row, namespace: string): Promise<void> {
    await row.change?.(await create(row, namespace));
    if (!row.change) await create(row, namespace);
  }

  /** Creates the object of a row. Returns its path. */
  async function create(row: Row, namespace: string): Promise<string> {
    await cluster.api.create(inNamespace(row.path, namespace), row.object);
    return `${inNamespace(row.path, namespace)}/${row.object.metadata.name}`;
  }
});

/** A violating workload. The parameter `plural` determines the kind of the workload. */
function made(plural: string, name: string, spec: object = {}): Pick<Row, 'kind' | 'name' | 'path' | 'object'> {
  const { path, object } = workloads(BAD).find((one) => one.path.endsWith(`/${plural}`)) as {
    path: string;
    object: Json;
  };
  const labels = { app: name };
  const copy = structuredClone(object);
  Object.assign(copy.spec, spec);
  if (copy.spec.selector) {
    copy.spec.selector = { matchLabels: labels };
    copy.spec.template.metadata = { labels };
  }
  return { kind: copy.kind, name, path, object: { ...copy, metadata: { name } } };
}

function named(pod: object, name: string): Json {
  return { ...structuredClone(pod), metadata: { name } };
}

function owned(object: Json, apiVersion: string, kind: string, name: string): Json {
  const reference = { apiVersion, kind, name, uid: OWNER_UID, controller: true };
  return { ...object, metadata: { ...object.metadata, ownerReferences: [reference] } };
}

/** A patch that makes the workload comply. A merge patch replaces the whole list of containers. */
function withoutAdding(): Json {
  const { spec } = restrictedPod() as Json;
  return { spec: { containers: spec.containers } };
}

function addDebugger(): Json {
  const securityContext = { capabilities: { add: ['NET_ADMIN'] } };
  const value = [{ name: 'debugger', image: 'example.org/shell', securityContext }];
  return { op: 'add', path: '/spec/ephemeralContainers', value };
}

function inNamespace(path: string, namespace: string): string {
  return path.replace('*', `namespaces/${namespace}`);
}
