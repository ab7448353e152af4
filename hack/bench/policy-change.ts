/**
 * Part (c) of the bench measures the time from the change of a policy to a status about every pod. The part also
 * measures the operator's cost.
 */
import { startBenchCluster } from './bench-cluster.ts';
import { growth, type Spread, shown, spreadOf } from './numbers.ts';
import { startOperator } from './operator-under-test.ts';
import { applyPolicy, reported } from './policies.ts';
import { type Population, populate } from './population.ts';
import type { Table } from './table.ts';

interface Measured extends Population {
  /** The seconds from the change of the policy to the status. */
  readonly time: Spread;
  /** The CPU seconds that the operator uses. */
  readonly cpu: Spread;
  /** The maximum memory between the start and the last change, in MiB. */
  readonly rssMiB: number;
}

const CHANGES = 6;
const POLICY = 'changing';

/** @param sizes the numbers of pods, which are measured one after another */
export async function policyChange(sizes: readonly number[]): Promise<Table> {
  const measured: Measured[] = [];
  for (const pods of sizes) measured.push(await measure(pods));
  return {
    title: '(c) From the change of a policy to the status, p50 / max',
    columns: ['pods', 'namespaces', 'time in s', 'CPU of the operator in s', 'peak RSS in MiB'],
    rows: measured.map(({ pods, namespaces, time, cpu, rssMiB }) => [
      String(pods),
      String(namespaces),
      both(time),
      both(cpu),
      rssMiB.toFixed(0),
    ]),
    notes: [
      `${CHANGES} changes between two values. Different workloads violate each value, so every pod is evaluated again.`,
      'The CPU time covers everything that the operator does during a change, including admission policies and probes.',
      ...growth(
        'CPU grows with the number of pods',
        measured.map(({ pods }) => pods),
        measured.map(({ cpu }) => cpu.p50),
      ),
    ],
    measured,
  };
}

async function measure(pods: number): Promise<Measured> {
  const cluster = await startBenchCluster();
  const { client, controlPlane } = cluster;
  try {
    const population = await populate(cluster, { pods, shapes: 60 });
    const { workloads, violatingWorkloads } = population;
    // No pod runs as user 1 or 2, so all pods violate the policy.
    const none = { runAsUser: { rule: 'MustRunAs' as const, ranges: [{ min: 1, max: 2 }] } };
    const specs = [{}, { overrides: none }].map((spec) => ({ ...spec, podSecurityLabels: 'Off' as const }));
    const expected = [violatingWorkloads, workloads];
    await applyPolicy(client, POLICY, specs[0] ?? {});
    const operator = startOperator(controlPlane.kubeconfig);
    try {
      await operator.during(reported(client, POLICY, workloads, violatingWorkloads));
      const [time, cpu]: [number[], number[]] = [[], []];
      for (let change = 1; change <= CHANGES; change++) {
        const before = operator.usage();
        await applyPolicy(client, POLICY, specs[change % 2] ?? {});
        await operator.during(reported(client, POLICY, workloads, expected[change % 2] ?? 0));
        const after = operator.usage();
        time.push(after.seconds - before.seconds);
        cpu.push(after.cpuSeconds - before.cpuSeconds);
      }
      return { ...population, time: spreadOf(time), cpu: spreadOf(cpu), rssMiB: operator.usage().rssMiB };
    } finally {
      await operator.stop();
    }
  } finally {
    await cluster.stop();
  }
}

function both({ p50, max }: Spread): string {
  return `${shown(p50)} / ${shown(max)}`;
}
