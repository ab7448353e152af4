/**
 * Part (i) of the bench measures many policies with one namespace each. The baseline is a loop that writes the same
 * objects at the same rate.
 */
import { GROUP, NAME_LABEL, KIND as POLICY, VERSION } from '../../operator/api/capability-policy.ts';
import { type ApiClient, ApiError, type Identified, pathFor } from '../../operator/cluster/client.ts';
import { POLICY_LABEL } from '../../operator/compile/objects.ts';
import { PROBE_ANSWER, PROGRAM_LABEL, probeCarrier, TEXT_LABEL } from '../../operator/compile/program.ts';
import { parseFlags } from '../../operator/flags.ts';
import type { RawObject } from '../../operator/model/raw.ts';
import { inParallel } from '../../operator/runtime/in-parallel.ts';
import { Api } from '../controlplane/api.ts';
import { renderedObjects } from '../controlplane/rendered.ts';
import { waitFor } from '../controlplane/wait.ts';
import { connect, createNamespace, startBenchCluster } from './bench-cluster.ts';
import { ratio, shown, spreadOf } from './numbers.ts';
import { startOperator } from './operator-under-test.ts';
import { allProgrammed, applyPolicy, readPolicy } from './policies.ts';
import { ServerUsage } from './server-usage.ts';
import type { Table } from './table.ts';

interface Cost {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

interface Measured {
  readonly policies: number;
  /** The cost of all policies, from the creation of the first policy until all policies are Ready. */
  readonly all: Cost;
  /** The median cost of a policy that the bench creates when the operator has finished all earlier policies. */
  readonly more: Cost;
  /**
   * The seconds from SIGTERM to the end of the process. The signal is sent while the operator applies another policy.
   */
  readonly stopSeconds: number;
  readonly rssMiB: number;
  /**
   * The seconds that a loop needs for the same objects. The measured time ends when the API server enforces the last
   * object.
   */
  readonly bare: number;
  /**
   * The seconds that the loop takes for the policies themselves, the objects, the labels and the statuses.
   */
  readonly complete: number;
  readonly objects: number;
  readonly apiServer: {
    /** The CPU seconds from the creation of the first policy until all policies are Ready. */
    readonly cpuSeconds: number;
    /**
     * The memory after a garbage collection. The first value is the memory before the first policy existed. The second
     * value is the memory with all policies.
     */
    readonly rssMiB: readonly [before: number, after: number];
  };
}

const KIND = 'ValidatingAdmissionPolicy';
const WRITES_AT_ONCE = 8;
/**
 * The number of further policies. The number is odd, so that one measurement is the median. An API server compiles
 * policies only once a second, so single times differ.
 */
const MORE = 5;
const TIMEOUT_MS = 900_000;

/** @param sizes the numbers of policies for the measurements, one measurement after another */
export async function manyPolicies(sizes: readonly number[]): Promise<Table> {
  const measured: Measured[] = [];
  for (const policies of sizes) measured.push(await measure(policies));
  return {
    title: '(i) Policies in mode Enforce for one namespace each, applied one after the other',
    columns: [
      'policies',
      'all Ready',
      'CPU',
      'bare loop',
      'all / loop',
      'complete loop',
      'all / complete',
      'one more',
      'CPU',
      'peak RSS',
      'SIGTERM',
      'API server CPU',
      'RSS before → with all',
    ],
    rows: measured.map(({ policies, all, more, bare, complete, rssMiB, stopSeconds, apiServer }) => [
      String(policies),
      shown(all.seconds, 's'),
      shown(all.cpuSeconds, 's'),
      shown(bare, 's'),
      ratio(all.seconds, bare),
      shown(complete, 's'),
      ratio(all.seconds, complete),
      shown(more.seconds, 's'),
      shown(more.cpuSeconds, 's'),
      shown(rssMiB, 'MiB'),
      shown(stopSeconds, 's'),
      shown(apiServer.cpuSeconds, 's'),
      `${apiServer.rssMiB.map((rss) => shown(rss)).join(' → ')} MiB`,
    ]),
    notes: [
      "The bare loop writes the objects that the operator wrote, at the operator's rate and with as many writes at a time.",
      'The bare loop ends when the API server evaluates by the last object.',
      'The complete loop also creates the policies one after the other, and writes the labels of their namespaces and one status of each policy.',
      'The operator runs with the flags of the Deployment.',
      `One more: the median of ${MORE} policies, each applied when the operator is idle.`,
      'Limits: 300 policies are Ready after 15 s. One more policy needs 2 s and 0.3 CPU seconds.',
      'With 1,000 policies, the API server needs 100 MiB more memory.',
    ],
    measured,
  };
}

async function measure(policies: number): Promise<Measured> {
  const cluster = await startBenchCluster();
  const { client, controlPlane } = cluster;
  const api = new Api(controlPlane.kubeconfig);
  const servers = new ServerUsage(controlPlane);
  const operator = startOperator(controlPlane.kubeconfig);
  try {
    for (let index = 0; index < policies + MORE + 1; index++) await createNamespace(client, `tenant-${index}`);
    await operator.during(apply(client, 'warm-up', 'default'));
    await operator.during(allProgrammed(client, ['warm-up']));
    const cost = async (indexes: readonly number[]): Promise<Cost> => {
      const before = operator.usage();
      for (const index of indexes) await apply(client, `policy-${index}`, `tenant-${index}`);
      await operator.during(
        allProgrammed(
          client,
          indexes.map((index) => `policy-${index}`),
        ),
      );
      const after = operator.usage();
      return { seconds: after.seconds - before.seconds, cpuSeconds: after.cpuSeconds - before.cpuSeconds };
    };
    await operator.during(operator.idle());
    const { rssMiB: rssBefore } = await servers.memory();
    const cpuBefore = servers.cpuSeconds('kube-apiserver');
    const all = await cost(Array.from({ length: policies }, (_, index) => index));
    const cpuSeconds = servers.cpuSeconds('kube-apiserver') - cpuBefore;
    // The operator may still be writing the last statuses, or deleting the last objects.
    await operator.during(operator.idle());
    const { rssMiB: rssAfter } = await servers.memory();
    const apiServer = { cpuSeconds, rssMiB: [rssBefore, rssAfter] as const };
    const objects = (await renderedObjects(api)) as RawObject[];
    const more: Cost[] = [];
    for (let index = policies; index < policies + MORE; index++) {
      more.push(await cost([index]));
      await operator.during(operator.idle());
    }
    const { rssMiB } = operator.usage();
    const last = policies + MORE;
    await apply(client, `policy-${last}`, `tenant-${last}`);
    const stopping = performance.now();
    await operator.stop('SIGTERM');
    const stopSeconds = (performance.now() - stopping) / 1000;
    const writes = await Promise.all(Array.from({ length: policies }, (_, index) => writesOf(client, index)));
    const bare = await bareLoop(objects);
    const complete = await bareLoop(objects, writes);
    return {
      policies,
      all,
      more: medianOf(more),
      stopSeconds,
      rssMiB,
      bare,
      complete,
      objects: objects.length,
      apiServer,
    };
  } finally {
    await operator.stop();
    await servers.close();
    await api.close();
    await cluster.stop();
  }
}

function medianOf(costs: readonly Cost[]): Cost {
  const of = (field: keyof Cost) => spreadOf(costs.map((cost) => cost[field])).p50;
  return { seconds: of('seconds'), cpuSeconds: of('cpuSeconds') };
}

/** @returns the UID of the policy */
async function apply(client: ApiClient, name: string, namespace: string): Promise<string> {
  const namespaceSelector = { matchLabels: { [NAME_LABEL]: namespace } };
  const { metadata } = await applyPolicy(client, name, { namespaceSelector, mode: 'Enforce' });
  return metadata?.uid ?? '';
}

/**
 * The writes for a policy, except for the objects that enforce the policy. The writes are the policy itself, the labels
 * of its namespace, and its status.
 */
interface PolicyWrites {
  readonly name: string;
  readonly namespace: string;
  readonly labels: object;
  readonly status: object;
}

interface Created extends PolicyWrites {
  /** The UID of the policy in the separate cluster where the loop writes. */
  readonly uid: string;
}

async function writesOf(client: ApiClient, index: number): Promise<PolicyWrites> {
  const [name, namespace] = [`policy-${index}`, `tenant-${index}`];
  const { status } = await readPolicy(client, name);
  const { metadata } = await client.get(pathFor('v1', 'Namespace', undefined, namespace));
  return { name, namespace, labels: metadata?.labels ?? {}, status: status ?? {} };
}

/**
 * Runs a loop of writes on a separate cluster. The loop writes the objects of a policy in sequence, one object after
 * another. The loop also writes the programs one after another.
 *
 * @param writes the policies to create, in order. Each entry also has the status of the policy, and the labels of the
 * policy's namespace
 */
async function bareLoop(objects: readonly RawObject[], writes: readonly PolicyWrites[] = []): Promise<number> {
  const cluster = await startBenchCluster();
  const { qps, burst } = parseFlags([]);
  const loop = connect(cluster.controlPlane.kubeconfig, { qps, burst });
  try {
    await cluster.client.create('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'capabilitypolicy-system' },
    });
    const groups = Map.groupBy(objects.map(bareObject), ({ metadata }) => metadata.labels?.[POLICY_LABEL] ?? '');
    for (const { namespace } of writes) await createNamespace(cluster.client, namespace);
    const began = performance.now();
    const created = new Map<string, Promise<Created>>();
    let last: Promise<unknown> = Promise.resolve();
    for (const own of writes) {
      const creating = last.then(() => apply(cluster.client, own.name, own.namespace)).then((uid) => ({ ...own, uid }));
      created.set(own.name, creating);
      last = creating;
    }
    await inParallel(groups, WRITES_AT_ONCE, async ([policy, group]) => {
      const own = await created.get(policy);
      for (const object of group) await loop.apply(object as Identified);
      if (own) await report(loop, own);
    });
    for (const { kind, metadata } of objects) {
      const labels = metadata?.labels ?? {};
      if (kind === KIND) await enforces(cluster.client, labels[PROGRAM_LABEL] ?? '', labels[TEXT_LABEL] ?? '');
    }
    return (performance.now() - began) / 1000;
  } finally {
    await loop.close();
    await cluster.stop();
  }
}

async function report(loop: ApiClient, { name, namespace, labels, status, uid }: Created): Promise<void> {
  await loop.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } } as Identified);
  await loop.replaceStatus(pathFor(`${GROUP}/${VERSION}`, POLICY, undefined, name), uid, status);
}

function bareObject({ metadata, status: _, ...rest }: RawObject) {
  const { name = '', labels } = metadata ?? {};
  return { ...rest, metadata: { name, ...(labels && { labels }) } };
}

/** Waits until the API server enforces a program. @param hash the hash of the program's text */
async function enforces(client: ApiClient, name: string, hash: string): Promise<void> {
  const carrier = probeCarrier({ name }, KIND);
  const look = async () => {
    try {
      await client.create(pathFor(carrier.apiVersion, carrier.kind), carrier, { dryRun: true });
      return false;
    } catch (error) {
      if (error instanceof ApiError && error.message.includes(`${PROBE_ANSWER} ${hash}`)) return true;
      throw error;
    }
  };
  await waitFor(`${name} ${hash}`, look, { timeoutMs: TIMEOUT_MS, intervalMs: 50 });
}
