/**
 * Part (o) of the bench edits one of many policies for some minutes, to find out whether kube-apiserver keeps old
 * admission policies in memory.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from '../../operator/cluster/client.ts';
import { waitFor } from '../controlplane/wait.ts';
import { startBenchCluster } from './bench-cluster.ts';
import { shown } from './numbers.ts';
import { startOperator } from './operator-under-test.ts';
import { applyPolicy, inForceOf, isProgrammed, readPolicy } from './policies.ts';
import { type Memory, ServerUsage } from './server-usage.ts';
import type { Table } from './table.ts';
import { EVERYWHERE, edited, TOPOLOGIES } from './topology-policies.ts';

export interface EditsOptions {
  readonly rows: number;
  readonly minutes: number;
  readonly perMinute: number;
}

const MINUTE_MS = 60_000;
const TIMEOUT_MS = 1_800_000;
const LIMIT_MIB = 100;

export async function edits({ rows, minutes, perMinute }: EditsOptions): Promise<Table> {
  const cluster = await startBenchCluster({ controllers: true });
  const { client, controlPlane } = cluster;
  const servers = new ServerUsage(controlPlane);
  const operator = startOperator(controlPlane.kubeconfig);
  try {
    const specs = TOPOLOGIES.beside?.exceptions(rows - 1) ?? [];
    for (const { name, spec } of [EVERYWHERE, ...specs]) await applyPolicy(client, name, spec);
    await operator.during(allInForce(client, rows));
    await operator.during(operator.idle());
    const before = await servers.memory();
    const cpu = () => ({
      apiServer: servers.cpuSeconds('kube-apiserver'),
      controllers: servers.cpuSeconds('kube-controller-manager'),
      operator: operator.usage().cpuSeconds,
    });
    const cpuBefore = cpu();
    const count = Math.round(minutes * perMinute);
    for (let edit = 1; edit <= count; edit++) {
      const target = specs[edit % specs.length];
      const change = target && edited(target, Math.ceil(edit / specs.length));
      if (change) await applyPolicy(client, change.name, change.spec);
      await operator.during(sleep(MINUTE_MS / perMinute));
    }
    const last = specs[count % specs.length]?.name ?? EVERYWHERE.name;
    await waitFor('the last edit', async () => isProgrammed(await readPolicy(client, last)), { timeoutMs: TIMEOUT_MS });
    await operator.during(operator.idle());
    const cpuAfter = cpu();
    const after = await servers.memory();
    return describe({ rows, count, before, after }, [
      ['kube-apiserver', cpuAfter.apiServer - cpuBefore.apiServer],
      ['kube-controller-manager', cpuAfter.controllers - cpuBefore.controllers],
      ['operator', cpuAfter.operator - cpuBefore.operator],
    ]);
  } finally {
    await operator.stop();
    await servers.close();
    await cluster.stop();
  }
}

interface Measured {
  readonly rows: number;
  readonly count: number;
  readonly before: Memory;
  readonly after: Memory;
}

function describe(measured: Measured, cpu: readonly (readonly [program: string, seconds: number])[]): Table {
  const { rows, count, before, after } = measured;
  const memory = (what: string, field: keyof Memory) => {
    const grown = after[field] - before[field];
    return [what, shown(before[field]), shown(after[field]), `${grown < 0 ? '−' : '+'}${shown(Math.abs(grown))}`];
  };
  return {
    title: `(o) ${count} edits among ${rows} policies`,
    columns: ['kube-apiserver, MiB', 'before', 'after', 'grown', 'limit'],
    rows: [
      [...memory('heap after a collection', 'heapMiB'), `+${LIMIT_MIB}`],
      [...memory('RSS', 'rssMiB'), ''],
    ],
    notes: [
      `CPU seconds an edit: ${cpu.map(([program, seconds]) => `${program} ${shown(seconds / count)}`).join(', ')}.`,
    ],
    measured: { ...measured, cpu },
  };
}

async function allInForce(client: ApiClient, count: number): Promise<void> {
  const look = async () => (await inForceOf(client)).length === count;
  await waitFor(`${count} policies to be in force`, look, { timeoutMs: TIMEOUT_MS, intervalMs: 500 });
}
