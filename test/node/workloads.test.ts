/**
 * Tests DaemonSets, Jobs and CronJobs on a real node. The node runs the pods of admitted workloads. The API server
 * refuses the pods of the other workloads.
 */
import assert from 'node:assert/strict';
import type { Json } from '../../hack/controlplane/api.ts';
import { NODE_ADDRESS } from '../../hack/node/configuration.ts';
import { NODE_NEEDS } from '../../hack/node/needs.ts';
import { conditionOf, eventually } from '../support/harness.ts';
import { describeWith } from '../support/needs.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import { useNode } from './cluster.ts';
import { podSpec, RESTRICTED } from './pods.ts';

const NET_RAW = { ...RESTRICTED, capabilities: { drop: ['ALL'], add: ['NET_RAW'] } };
const NET_ADMIN = { ...RESTRICTED, capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } };
const PING = ['/bin/ping-permitted', '-c', '1', NODE_ADDRESS];
const REFUSED = /must not add capability NET_ADMIN/;
/**
 * The timeout in ms for a CronJob. A CronJob runs at the next full minute. On a busy machine, the CronJob runs even
 * later.
 */
const CRON_MS = 300_000;

describeWith(NODE_NEEDS, 'workloads below a policy that allows NET_RAW', () => {
  const cluster = useNode();
  let namespace: string;

  before(async () => {
    namespace = await cluster.namespace('workloads');
    await cluster.policy('workloads', namespace, {
      level: 'restricted',
      mode: 'Enforce',
      overrides: { capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'NET_RAW'] } },
    });
    for (const [name, securityContext] of Object.entries({ good: NET_RAW, bad: NET_ADMIN })) {
      await create('apps', 'daemonsets', daemonSet(name, podSpec({ securityContext })));
      await create('batch', 'jobs', job(name, podSpec({ command: PING, securityContext })));
      await create('batch', 'cronjobs', cronJob(`${name}-cron`, podSpec({ command: PING, securityContext })));
    }
  });

  it('a DaemonSet runs on the node', async () => {
    await eventually('its pod', async () => (await get('apps', 'daemonsets', 'good')).status?.numberReady === 1);
  });

  it('a Job pings, and is complete', async () => {
    await complete(async () => get('batch', 'jobs', 'good'));
  });

  it('a DaemonSet, a Job and a CronJob that add NET_ADMIN are named in the status', async () => {
    const wanted = ['CronJob/bad-cron', 'DaemonSet/bad', 'Job/bad'];
    await eventually('the violations', async () => {
      const { status } = await cluster.api.get(`${POLICIES}/workloads`);
      const named: string[] = (status?.violations ?? []).map(({ kind, name, pods }: Json) => {
        assert.equal(pods, 0, `${kind}/${name} has no pods`);
        return `${kind}/${name}`;
      });
      return [...new Set(named)].sort().join() === wanted.join();
    });
  });

  for (const [kind, name] of [
    ['DaemonSet', 'bad'],
    ['Job', 'bad'],
  ] as const) {
    it(`a ${kind} that adds NET_ADMIN gets no pod, and its event says why`, async () => {
      await eventually('the event', () => refusal((object) => object.kind === kind && object.name === name));
    });
  }

  it('a CronJob pings at the next minute', async () => {
    await eventually('its Job', async () => (await jobsOf('good-cron')).length > 0, CRON_MS);
    await complete(async () => (await jobsOf('good-cron'))[0]);
  });

  it('a CronJob that adds NET_ADMIN makes Jobs without pods, and the events of the Jobs say why', async () => {
    await eventually('its Job', async () => (await jobsOf('bad-cron')).length > 0, CRON_MS);
    const [{ metadata }] = await jobsOf('bad-cron');
    await eventually('the event', () => refusal(({ kind, name }) => kind === 'Job' && name === metadata.name));
    const pods = await cluster.api.list(`${NAMESPACES}/${namespace}/pods`);
    assert.deepEqual(
      pods.filter(({ spec }) => JSON.stringify(spec).includes('NET_ADMIN')),
      [],
    );
  });

  async function create(group: string, resource: string, object: object): Promise<void> {
    await cluster.api.create(`/apis/${group}/v1/namespaces/${namespace}/${resource}`, object);
  }

  async function get(group: string, resource: string, name: string): Promise<Json> {
    return cluster.api.get(`/apis/${group}/v1/namespaces/${namespace}/${resource}/${name}`);
  }

  async function jobsOf(cronJob: string): Promise<Json[]> {
    const jobs = await cluster.api.list(`/apis/batch/v1/namespaces/${namespace}/jobs`);
    return jobs.filter(({ metadata }) => metadata.ownerReferences?.[0]?.name === cronJob);
  }

  async function complete(look: () => Promise<Json>): Promise<void> {
    await eventually('the Job to be complete', async () => conditionOf(await look(), 'Complete')?.status === 'True');
    assert.equal((await look()).status.succeeded, 1);
  }

  async function refusal(about: (object: Json) => boolean): Promise<boolean> {
    const events = await cluster.api.list(`${NAMESPACES}/${namespace}/events`);
    return events.some(({ reason, message, involvedObject }) => {
      return reason === 'FailedCreate' && REFUSED.test(message) && about(involvedObject);
    });
  }
});

function daemonSet(name: string, spec: object): object {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

function jobSpec(spec: object): object {
  return { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', ...spec } } };
}

function job(name: string, spec: object): object {
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: jobSpec(spec) };
}

function cronJob(name: string, spec: object): object {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name },
    spec: { schedule: '* * * * *', concurrencyPolicy: 'Forbid', jobTemplate: { spec: jobSpec(spec) } },
  };
}
