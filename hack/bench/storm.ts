/** Part (b) of the bench measures the time from the change of a pod to the status, while many other pods change. */
import { setTimeout as sleep } from 'node:timers/promises';
import { GROUP, KIND, VERSION } from '../../operator/api/capability-policy.ts';
import { type ApiClient, pathFor, type WatchEvent } from '../../operator/cluster/client.ts';
import { objectOf, type RawObject, type RawPage } from '../../operator/model/raw.ts';
import { waitFor } from '../controlplane/wait.ts';
import { createServiceAccount, startBenchCluster } from './bench-cluster.ts';
import { Etcd } from './etcd.ts';
import { growth, ratio, type Spread, shown, spreadOf } from './numbers.ts';
import { startOperator } from './operator-under-test.ts';
import { applyPolicy, readPolicy, reported } from './policies.ts';
import { namespaceName, populate } from './population.ts';
import type { Table } from './table.ts';

interface Measured {
  readonly changes: number;
  /** The number of changes per second that the bench achieved. */
  readonly reached: number;
  /**
   * The seconds until the status names a violating pod. `ended` is the number of seconds until the status no longer
   * names the pod.
   */
  readonly begun: Spread;
  readonly ended: Spread;
  /** The CPU seconds that the operator uses per second. */
  readonly cpu: number;
  /** The number of status writes per second. */
  readonly writes: number;
}

const RATES = [0, 50, 200];
const ROUNDS = 10;
const MOST_PENDING = 100;
const CHANGING = 500;
const POLICY = 'restricted';
const NAMESPACE = namespaceName(0);
const LOOK = { timeoutMs: 60_000, intervalMs: 20 };

/** @param pods the number of pods in the cluster */
export async function storm(pods: number): Promise<Table> {
  const cluster = await startBenchCluster();
  const { client, controlPlane } = cluster;
  try {
    const { workloads, violatingWorkloads } = await populate(cluster, { pods, shapes: 60 });
    await applyPolicy(client, POLICY, { podSecurityLabels: 'Off' });
    const operator = startOperator(controlPlane.kubeconfig);
    try {
      await operator.during(reported(client, POLICY, workloads, violatingWorkloads));
      await createServiceAccount(client, NAMESPACE);
      const views = {
        etcd: new Etcd(controlPlane.pids),
        pods: await somePods(client),
        usage: () => operator.usage().cpuSeconds,
        isSeen: async () => (await violatingWorkloadsOf(client)) > violatingWorkloads,
      };
      const measured: Measured[] = [];
      for (const rate of RATES) {
        measured.push(await measure(client, rate, views));
      }
      return describe(pods, measured);
    } finally {
      await operator.stop();
    }
  } finally {
    await cluster.stop();
  }
}

function describe(pods: number, measured: readonly Measured[]): Table {
  const [calm, ...busy] = measured;
  return {
    title: `(b) From the change of a pod to the status, of ${pods} pods, p50 / max in s`,
    columns: [
      'other changes / s',
      'reached',
      'violation begun',
      'violation ended',
      'begun / calm',
      'operator CPU',
      'status writes / s',
    ],
    rows: measured.map(({ changes, reached, begun, ended, cpu, writes }) => [
      String(changes),
      shown(reached),
      both(begun),
      both(ended),
      ratio(begun.p50, calm?.begun.p50 ?? begun.p50),
      `${(cpu * 100).toFixed(0)} %`,
      shown(writes),
    ]),
    notes: [
      `${ROUNDS} violating bare pods are created and deleted while other pods change.`,
      'Each change makes a pod different from all other pods, so the operator has to evaluate the pod. CPU: share of one core.',
      ...growth(
        'CPU grows with the number of changes',
        busy.map(({ reached }) => reached),
        busy.map(({ cpu }) => cpu),
      ),
    ],
    measured,
  };
}

interface Views {
  readonly etcd: Etcd;
  /** The pods that the bench changes. */
  readonly pods: readonly RawObject[];
  /** The CPU seconds that the operator has used until now. */
  usage(): number;
  /** Whether the status counts the violating pod. */
  isSeen(): Promise<boolean>;
}

async function measure(client: ApiClient, rate: number, { etcd, pods, usage, isSeen }: Views): Promise<Measured> {
  const stop = new AbortController();
  const changing = change(etcd, pods, rate, stop.signal);
  let writes = 0;
  const path = pathFor(`${GROUP}/${VERSION}`, KIND);
  const count = ({ type }: WatchEvent) => {
    if (type === 'MODIFIED') writes++;
  };
  const counting = client.watch(path, {}, count, { signal: stop.signal });
  const [started, before] = [performance.now(), usage()];
  const probing = probe(client, rate, isSeen).finally(() => stop.abort());
  const [made, { begun, ended }] = await Promise.all([changing, probing, counting]);
  const elapsed = (performance.now() - started) / 1000;
  const cpu = (usage() - before) / elapsed;
  return { changes: rate, reached: made / elapsed, begun, ended, cpu, writes: writes / elapsed };
}

async function probe(client: ApiClient, rate: number, isSeen: Views['isSeen']) {
  const [begun, ended]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    const name = `storm-${rate}-${round}`;
    begun.push(await seconds(() => createPod(client, name), isSeen));
    ended.push(
      await seconds(
        () => deletePod(client, name),
        async () => !(await isSeen()),
      ),
    );
  }
  return { begun: spreadOf(begun), ended: spreadOf(ended) };
}

/**
 * Changes `rate` pods per second, until `signal` is aborted.
 *
 * @returns the number of changes
 */
async function change(etcd: Etcd, pods: readonly RawObject[], rate: number, signal: AbortSignal): Promise<number> {
  const started = performance.now();
  const pending = new Set<Promise<void>>();
  let made = 0;
  while (!signal.aborted) {
    const due = Math.floor(((performance.now() - started) / 1000) * rate);
    for (; made < due && pending.size < MOST_PENDING; made++) {
      const pod = pods[(made * 7_919) % pods.length] ?? {};
      const write = alter(etcd, pod, made).finally(() => pending.delete(write));
      pending.add(write);
    }
    await Promise.race([sleep(5), ...pending]);
  }
  await Promise.all(pending);
  return made;
}

/**
 * Gives a pod another user ID. No other pod has this user ID, so the operator must evaluate the pod again. The pod is
 * written directly into etcd, because the bench does not measure how many writes the API server can handle.
 */
async function alter(etcd: Etcd, pod: RawObject, turn: number): Promise<void> {
  const { namespace, name } = pod.metadata ?? {};
  const object = JSON.stringify(pod).replace(/"runAsUser":\d+/, `"runAsUser":${20_000 + turn}`);
  await etcd.write([{ key: `pods/${namespace}/${name}`, object }]);
}

/** Reads some of the existing pods, in the form in which etcd stores them. */
async function somePods(client: ApiClient): Promise<RawObject[]> {
  const { items } = await client.get<RawPage>('/api/v1/pods', { limit: CHANGING });
  return (items ?? []).map((pod) => {
    const { resourceVersion: _, ...metadata } = pod.metadata ?? {};
    return { ...pod, apiVersion: 'v1', kind: 'Pod', metadata };
  });
}

async function violatingWorkloadsOf(client: ApiClient): Promise<number> {
  const { status } = await readPolicy(client, POLICY);
  return Number(objectOf(objectOf(status).workloads).violating);
}

async function createPod(client: ApiClient, name: string): Promise<void> {
  const spec = {
    hostNetwork: true,
    containers: [{ name: 'app', image: 'app', securityContext: { privileged: true } }],
  };
  const metadata = { name, namespace: NAMESPACE };
  await client.create(pathFor('v1', 'Pod', NAMESPACE), { apiVersion: 'v1', kind: 'Pod', metadata, spec });
}

async function deletePod(client: ApiClient, name: string): Promise<void> {
  await client.remove(pathFor('v1', 'Pod', NAMESPACE, name));
}

async function seconds(act: () => Promise<void>, look: () => Promise<boolean>): Promise<number> {
  const started = performance.now();
  await act();
  await waitFor('the status', look, LOOK);
  return (performance.now() - started) / 1000;
}

function both({ p50, max }: Spread): string {
  return `${shown(p50)} / ${shown(max)}`;
}
