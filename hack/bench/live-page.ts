/**
 * Part (m) of the bench measures the memory of cappol ui. The part also measures the time from a change in the cluster
 * to the event that informs the page.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Snapshot, SnapshotNamespace } from '../../analysis/snapshot/document.ts';
import { type CapabilityPolicySpec, GROUP, KIND, NAME_LABEL, VERSION } from '../../operator/api/capability-policy.ts';
import { type ApiClient, pathFor } from '../../operator/cluster/client.ts';
import { waitFor } from '../controlplane/wait.ts';
import { createServiceAccount, startBenchCluster } from './bench-cluster.ts';
import { FollowedPage } from './followed-page.ts';
import { MeasuredProcess, type Usage } from './measured-process.ts';
import { type Spread, shown, spreadOf } from './numbers.ts';
import { startOperator } from './operator-under-test.ts';
import { allProgrammed, applyPolicy } from './policies.ts';
import { namespaceName, populate, TEAMS } from './population.ts';
import type { Table } from './table.ts';

interface Measured {
  readonly pods: number;
  readonly namespaces: number;
  readonly policies: number;
  /** The seconds from the start of the program until the page has the snapshot. */
  readonly start: Usage;
  /** The memory of the program after all changes. */
  readonly rssMiB: number;
  /** The seconds from the write to the event, for each kind of change. */
  readonly changes: Readonly<Record<Change, Spread>>;
  /** The CPU seconds that the program uses after a change of the policy for all namespaces. */
  readonly cpu: Spread;
}

type Change = 'pod' | 'namespace' | 'policy of a team' | 'policy of all';

const ROOT = join(import.meta.dirname, '..', '..');
const CAPPOL = join(ROOT, 'dist', 'cappol', 'main.mjs');
const ROUNDS = 10;
const SHAPES = 60;
const EVERYWHERE = 'everywhere';
const TIMEOUT = { timeoutMs: 300_000, intervalMs: 5 };

/** @param sizes the numbers of pods for the measurements, one measurement after another */
export async function livePage(sizes: readonly number[]): Promise<Table> {
  execFileSync('npm', ['run', 'build', '--silent'], { cwd: ROOT, stdio: 'inherit' });
  const measured: Measured[] = [];
  for (const pods of sizes) measured.push(await measure(pods));
  return {
    title: '(m) cappol ui: from a change to the event for the page, p50 / max in s',
    columns: [
      'pods',
      'namespaces',
      'policies',
      'first shown',
      'CPU',
      'RSS then',
      'RSS after changes',
      ...Object.keys(measured[0]?.changes ?? {}),
      'its CPU',
    ],
    rows: measured.map(({ pods, namespaces, policies, start, rssMiB, changes, cpu }) => [
      String(pods),
      String(namespaces),
      String(policies),
      shown(start.seconds, 's'),
      shown(start.cpuSeconds, 's'),
      shown(start.rssMiB, 'MiB'),
      shown(rssMiB, 'MiB'),
      ...[...Object.values(changes), cpu].map(({ p50, max }) => `${shown(p50)} / ${shown(max)}`),
    ]),
    notes: [
      `Each change is made ${ROUNDS} times, one after the other.`,
      "The changes create and delete a pod, give a namespace to another team, change the level of one team's policy, and change the level of a policy for all namespaces.",
      'The time begins before the write is sent. Both columns of RSS have peaks.',
      'When the measurement ends, a second page is open.',
      'Before the changes, an operator has brought the policies into force.',
    ],
    measured,
  };
}

async function measure(pods: number): Promise<Measured> {
  const cluster = await startBenchCluster();
  const { client, controlPlane } = cluster;
  try {
    const { namespaces } = await populate(cluster, { pods, shapes: SHAPES, controllers: true });
    const policies = await bringIntoForce(client, controlPlane.kubeconfig);
    const program = new MeasuredProcess(CAPPOL, ['ui', '--kubeconfig', controlPlane.kubeconfig]);
    try {
      const link = await program.during(waitFor('the link', () => linkIn(program.output), TIMEOUT));
      const page = new FollowedPage();
      const session = await page.open(link);
      await program.during(page.until(({ namespaces: all }) => all.length >= namespaces));
      const start = program.usage();
      const measured = await program.during(
        changeAll({ client, page, namespaces, cpuSeconds: () => program.usage().cpuSeconds }),
      );
      const second = new FollowedPage();
      await second.open(session);
      await program.during(second.until(() => true));
      return { pods, namespaces, policies, start, rssMiB: program.usage().rssMiB, ...measured };
    } finally {
      await program.stop();
    }
  } finally {
    await cluster.stop();
  }
}

function linkIn(output: readonly string[]): string | undefined {
  return /http:\S+token=\S+/.exec(output.join('\n'))?.[0];
}

/**
 * Creates one policy for all namespaces, and three policies for each team. One team has only two policies.
 */
async function bringIntoForce(client: ApiClient, kubeconfig: string): Promise<number> {
  const specs = new Map<string, Partial<CapabilityPolicySpec>>([[EVERYWHERE, { mode: 'Warn' }]]);
  for (let team = 0; team < TEAMS; team++) {
    const namespaceSelector = { matchLabels: { team: `team-${team}` } };
    specs.set(enforced(team), { namespaceSelector, level: 'baseline', mode: 'Enforce', priority: 10 });
    specs.set(`audit-${team}`, { namespaceSelector, mode: 'Audit' });
    if (team === 0) continue;
    const one = { matchLabels: { team: `team-${team}`, [NAME_LABEL]: namespaceName(team) } };
    const exception = { level: 'privileged', priority: 20, usableBy: 'Bindings' } as const;
    specs.set(`exception-${team}`, { namespaceSelector: one, mode: 'Enforce', ...exception });
  }
  const unlimited = ['--kube-api-qps', '100000', '--kube-api-burst', '100000'];
  const operator = startOperator(kubeconfig, { args: unlimited });
  try {
    for (const [name, spec] of specs) await applyPolicy(client, name, spec);
    await operator.during(allProgrammed(client, [...specs.keys()]));
    await operator.during(operator.idle());
  } finally {
    await operator.stop('SIGTERM');
  }
  return specs.size;
}

function enforced(team: number): string {
  return `enforce-${team}`;
}

interface Changing {
  readonly client: ApiClient;
  readonly page: FollowedPage;
  /**
   * The number of namespaces. The bench changes only the last namespaces, because the exceptions select the first
   * namespaces.
   */
  readonly namespaces: number;
  /** The CPU time that the program has used so far. */
  cpuSeconds(): number;
}

async function changeAll({
  client,
  page,
  namespaces,
  cpuSeconds,
}: Changing): Promise<Pick<Measured, 'changes' | 'cpu'>> {
  const cpu: number[] = [];
  const seconds: Record<Change, number[]> = { pod: [], namespace: [], 'policy of a team': [], 'policy of all': [] };
  for (let round = 0; round < ROUNDS; round++) {
    const index = namespaces - 1 - round;
    const namespace = namespaceName(index);
    await createServiceAccount(client, namespace);
    const time = async (change: Change, act: () => Promise<unknown>, isThere: (snapshot: Snapshot) => boolean) => {
      const began = performance.now();
      await act();
      seconds[change].push(((await page.until(isThere)) - began) / 1000);
    };
    const path = pathFor('v1', 'Pod', namespace, POD.metadata.name);
    const hasPod = (snapshot: Snapshot) =>
      inNamespace(snapshot, namespace)?.pods.some(({ name }) => name === POD.metadata.name) ?? false;
    await time('pod', () => client.create(pathFor('v1', 'Pod', namespace), POD), hasPod);
    await time(
      'pod',
      () => client.remove(path),
      (snapshot) => !hasPod(snapshot),
    );
    const team = (index + TEAMS / 2) % TEAMS;
    await time(
      'namespace',
      () =>
        client.change(pathFor('v1', 'Namespace', undefined, namespace), {
          metadata: { labels: { team: `team-${team}` } },
        }),
      (snapshot) => inNamespace(snapshot, namespace)?.deciding.Enforce?.includes(enforced(team)) ?? false,
    );
    for (const [change, name] of [
      ['policy of a team', enforced(team)],
      ['policy of all', EVERYWHERE],
    ] as const) {
      const level = levelOf(page.snapshot, name) === 'baseline' ? 'restricted' : 'baseline';
      const before = cpuSeconds();
      await time(
        change,
        () => client.change(pathFor(`${GROUP}/${VERSION}`, KIND, undefined, name), { spec: { level } }),
        (snapshot) => levelOf(snapshot, name) === level,
      );
      if (name === EVERYWHERE) cpu.push(cpuSeconds() - before);
    }
  }
  const changes = {
    pod: spreadOf(seconds.pod),
    namespace: spreadOf(seconds.namespace),
    'policy of a team': spreadOf(seconds['policy of a team']),
    'policy of all': spreadOf(seconds['policy of all']),
  };
  return { changes, cpu: spreadOf(cpu) };
}

/** A pod that the level baseline admits, and that the level restricted refuses. */
const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'late' },
  spec: { containers: [{ name: 'app', image: 'app' }] },
};

function inNamespace(snapshot: Snapshot, name: string): SnapshotNamespace | undefined {
  return snapshot.namespaces.find((one) => one.name === name);
}

function levelOf({ policies }: Snapshot, name: string): string | undefined {
  return policies.find((one) => one.name === name)?.spec.level;
}
