/**
 * Part (a) of the bench measures the time from the start of the operator to a status that covers every workload. The
 * baseline is a client that only reads the pods.
 */
import { join } from 'node:path';
import type { ApiClient } from '../../operator/cluster/client.ts';
import { startBenchCluster } from './bench-cluster.ts';
import { MeasuredProcess, type Usage } from './measured-process.ts';
import { growth, ratio, shown } from './numbers.ts';
import { NODE_FLAGS, startOperator } from './operator-under-test.ts';
import { applyPolicy, reported } from './policies.ts';
import { type Population, populate } from './population.ts';
import type { Table } from './table.ts';

interface Measured extends Population {
  readonly distinct: boolean;
  readonly bytes: Usage;
  readonly parsed: Usage;
  readonly operator: Usage;
}

const SHAPES = 60;
const POLICY = 'restricted';
const BARE_CLIENT = join(import.meta.dirname, 'bare-client.ts');

interface FirstReportOptions {
  /** The numbers of pods for the measurements, one measurement after another. */
  readonly sizes: readonly number[];
  /** Whether to measure the last number of pods a second time, with pods that are all different. */
  readonly distinct: boolean;
}

export async function firstReport({ sizes, distinct }: FirstReportOptions): Promise<Table> {
  const measured: Measured[] = [];
  for (const pods of sizes) measured.push(await measure(pods, false));
  const alike = [...measured];
  if (distinct) measured.push(await measure(sizes.at(-1) ?? 0, true));
  const sizesOf = alike.map(({ pods }) => pods);
  return {
    title: '(a) First full report: seconds / CPU seconds / peak RSS in MiB',
    columns: ['pods', 'namespaces', 'shapes', 'bytes only', 'read and parsed', 'operator', 'time', 'CPU'],
    rows: measured.map((one) => [
      String(one.pods),
      String(one.namespaces),
      one.distinct ? 'all distinct' : String(SHAPES),
      usage(one.bytes),
      usage(one.parsed),
      usage(one.operator),
      ratio(one.operator.seconds, one.parsed.seconds),
      ratio(one.operator.cpuSeconds, one.parsed.cpuSeconds),
    ]),
    notes: [
      `Pods of ${measured[0]?.podBytes} bytes of JSON. Each client is a separate process, measured from its start.`,
      'The operator is measured until the status has the right numbers of workloads and violating workloads.',
      `Node flags of the operator: ${NODE_FLAGS.join(' ')}.`,
      'Time and CPU: the operator divided by "read and parsed" of the same run.',
      ...growth(
        'Time grows with the number of pods',
        sizesOf,
        alike.map(({ operator }) => operator.seconds),
      ),
      ...growth(
        'CPU grows with it',
        sizesOf,
        alike.map(({ operator }) => operator.cpuSeconds),
      ),
    ],
    measured,
  };
}

async function measure(pods: number, distinct: boolean): Promise<Measured> {
  const cluster = await startBenchCluster();
  try {
    const population = await populate(cluster, { pods, shapes: SHAPES, distinct });
    const { controlPlane, client } = cluster;
    const bytes = await bareClient(controlPlane.kubeconfig, 'bytes');
    const parsed = await bareClient(controlPlane.kubeconfig, 'parse');
    // The policy sets no Pod Security labels. Another part of the bench measures labels.
    await applyPolicy(client, POLICY, { podSecurityLabels: 'Off' });
    const operator = await untilReported(controlPlane.kubeconfig, client, population);
    return { ...population, distinct, bytes, parsed, operator };
  } finally {
    await cluster.stop();
  }
}

async function bareClient(kubeconfig: string, how: 'bytes' | 'parse'): Promise<Usage> {
  const client = new MeasuredProcess(BARE_CLIENT, [kubeconfig, how]);
  try {
    return await client.done();
  } finally {
    await client.stop();
  }
}

async function untilReported(kubeconfig: string, client: ApiClient, population: Population): Promise<Usage> {
  const operator = startOperator(kubeconfig);
  try {
    await operator.during(reported(client, POLICY, population.workloads, population.violatingWorkloads));
    return operator.usage();
  } finally {
    await operator.stop();
  }
}

function usage({ seconds, cpuSeconds, rssMiB }: Usage): string {
  return `${shown(seconds)} / ${shown(cpuSeconds)} / ${rssMiB.toFixed(0)}`;
}
