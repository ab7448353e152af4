/** (b) From the change of a pod to the status, while many other pods change. */
import { setTimeout as sleep } from 'node:timers/promises';
import { GROUP, KIND, VERSION } from '../../operator/api/capability-policy.ts';
import { type ApiClient, type Identified, pathFor, type WatchEvent } from '../../operator/cluster/client.ts';
import { objectOf } from '../../operator/cluster/raw.ts';
import { waitFor } from '../controlplane/wait.ts';
import { startBenchCluster } from './bench-cluster.ts';
import { ratio, type Spread, shown, spreadOf } from './numbers.ts';
import { startOperator } from './operator-under-test.ts';
import { applyPolicy, readPolicy, reported } from './policies.ts';
import { namespaceName, populate } from './population.ts';
import type { Table } from './table.ts';

interface Measured {
  readonly changes: number;
  /** Changes a second that the API server took. */
  readonly reached: number;
  /** Seconds until the status names a pod that violates, and until it no longer does. */
  readonly begun: Spread;
  readonly ended: Spread;
  /** Of the operator, in seconds of CPU a second. */
  readonly cpu: number;
  /** Writes of the status a second. */
  readonly writes: number;
}

const RATES = [0, 50, 200];
const ROUNDS = 10;
const POLICY = 'restricted';
const NAMESPACE = namespaceName(0);
const LOOK = { timeoutMs: 60_000, intervalMs: 20 };

/** @param pods how many there are */
export async function storm(pods: number): Promise<Table> {
  const cluster = await startBenchCluster();
  const { client, controlPlane } = cluster;
  try {
    const { workloads, violatingWorkloads } = await populate(cluster, { pods, shapes: 60 });
    await applyPolicy(client, POLICY, { podSecurityLabels: 'Off' });
    const operator = startOperator(controlPlane.kubeconfig);
    try {
      await reported(client, POLICY, workloads, violatingWorkloads);
      const names = await podNames(client, pods);
      const measured: Measured[] = [];
      for (const rate of RATES) {
        const usage = () => operator.usage().cpuSeconds;
        const violating = async () =>
          Number(objectOf(objectOf((await readPolicy(client, POLICY)).status).workloads).violating);
        const isSeen = async () => (await violating()) > violatingWorkloads;
        measured.push(await measure(client, names, rate, { usage, isSeen }));
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
  const calm = measured[0];
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
      `${ROUNDS} bare pods that violate, created and deleted while the annotations of other pods change. CPU: share of one core.`,
    ],
    measured,
  };
}

interface Views {
  /** Of the operator, in seconds of CPU. */
  usage(): number;
  /** Whether the status counts the pod that violates. */
  isSeen(): Promise<boolean>;
}

async function measure(client: ApiClient, pods: readonly string[], rate: number, views: Views): Promise<Measured> {
  const { usage, isSeen } = views;
  const stop = new AbortController();
  const changing = change(client, pods, rate, stop.signal);
  let writes = 0;
  const path = pathFor(`${GROUP}/${VERSION}`, KIND);
  const count = ({ type }: WatchEvent) => {
    if (type === 'MODIFIED') writes++;
  };
  const counting = client.watch(path, {}, count, { signal: stop.signal });
  const [started, before] = [performance.now(), usage()];
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
  const elapsed = (performance.now() - started) / 1000;
  const cpu = (usage() - before) / elapsed;
  stop.abort();
  await counting;
  const reached = (await changing) / elapsed;
  return { changes: rate, reached, begun: spreadOf(begun), ended: spreadOf(ended), cpu, writes: writes / elapsed };
}

/** @returns how many changes it made */
async function change(client: ApiClient, pods: readonly string[], rate: number, signal: AbortSignal): Promise<number> {
  let made = 0;
  if (rate === 0) return made;
  const started = performance.now();
  const pending = new Set<Promise<void>>();
  while (!signal.aborted) {
    const due = Math.floor(((performance.now() - started) / 1000) * rate);
    for (; made < due && pending.size < 100; made++) {
      const [namespace = '', name = ''] = (pods[(made * 7_919) % pods.length] ?? '').split('/');
      const metadata = { namespace, name, annotations: { 'bench/turn': String(made) } };
      const write = client
        .apply({ apiVersion: 'v1', kind: 'Pod', metadata } as Identified, { force: true })
        .then(() => void pending.delete(write));
      pending.add(write);
    }
    await sleep(5);
  }
  await Promise.all(pending);
  return made;
}

async function podNames(client: ApiClient, most: number): Promise<string[]> {
  const names: string[] = [];
  await client.list('/api/v1/pods', { limit: 500 }, ({ items }) => {
    for (const { metadata } of items ?? []) names.push(`${metadata?.namespace}/${metadata?.name}`);
  });
  return names.slice(0, most);
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
