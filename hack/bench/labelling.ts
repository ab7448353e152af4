/**
 * Part (d) of the bench measures the time to label every namespace. The baseline is a loop that makes the operator's
 * writes and does nothing else.
 */
import { type CapabilityPolicySpec, GROUP, KIND, VERSION } from '../../operator/api/capability-policy.ts';
import { type ApiClient, type Identified, pathFor, type WatchEvent } from '../../operator/cluster/client.ts';
import { objectOf } from '../../operator/model/raw.ts';
import { waitFor } from '../controlplane/wait.ts';
import { startBenchCluster } from './bench-cluster.ts';
import { divideCores } from './cores.ts';
import { growth, ratio, shown, spreadOf } from './numbers.ts';
import { startOperator } from './operator-under-test.ts';
import { allProgrammed, applyPolicy } from './policies.ts';
import { namespaceName, PODS_OF_NAMESPACE, populate } from './population.ts';
import type { Table } from './table.ts';

interface Measured {
  readonly namespaces: number;
  /** The time in seconds that the baseline loop took. */
  readonly loop: number;
  /** The seconds from the creation of the policy until the operator had labelled every namespace. */
  readonly operator: number;
}

const POLICY = 'restricted';
const LABEL = 'pod-security.kubernetes.io/audit';
/** The number of concurrent writes. The loop and the operator make the same number of concurrent writes. */
const AT_ONCE = 8;
/** The prefixes of the labels and annotations that the operator writes. */
const OURS = ['pod-security.kubernetes.io/', 'capabilitypolicy.dev/', 'rollout.capabilitypolicy.dev/'];
/**
 * The number of rounds. The number of rounds is odd, so that one round is the median. With 100,000 pods, the API server
 * collects garbage in some of the rounds. One garbage collection takes half as long as all writes of a round.
 */
const ROUNDS = 7;
const UNLIMITED = ['--kube-api-qps', '100000', '--kube-api-burst', '100000'];
/** The explanations in the notes of a table. */
export const BESIDE_LOOP = [
  `The loop makes the operator's own writes, ${AT_ONCE} at a time, after the operator has been stopped and its labels are gone.`,
  `Both times are medians of ${ROUNDS} rounds, between which the policy and the labels are removed.`,
  'The control plane has half of the cores. The measured program, which is the loop or the operator, has the other cores.',
  `The operator runs with ${UNLIMITED.join(' ')}, and evaluates ${PODS_OF_NAMESPACE} pods of each namespace meanwhile.`,
];

/** @param sizes the numbers of namespaces for the measurements, one measurement after another */
export async function labelling(sizes: readonly number[]): Promise<Table> {
  const measured: Measured[] = [];
  for (const namespaces of sizes) measured.push(await measure(namespaces));
  return {
    title: '(d) Labelling namespaces, in s',
    columns: ['namespaces', 'bare loop', 'operator', 'operator / loop', 'writes a second'],
    rows: measured.map(({ namespaces, loop, operator }) => [
      String(namespaces),
      shown(loop),
      shown(operator),
      ratio(operator, loop),
      shown(namespaces / operator),
    ]),
    notes: [
      ...BESIDE_LOOP,
      ...growth(
        'Time grows with the number of namespaces',
        measured.map(({ namespaces }) => namespaces),
        measured.map(({ operator }) => operator),
      ),
    ],
    measured,
  };
}

async function measure(namespaces: number): Promise<Measured> {
  const { measured, loop } = await besideLoop(namespaces, LABEL, async (client) => {
    const { median } = await labelAll(client, { namespaces, label: LABEL, policy: POLICY, spec: {} });
    return { namespaces, operator: median };
  });
  return { ...measured, loop };
}

interface Labelled {
  readonly namespaces: number;
  /** With the policy, every namespace has this label. Without the policy, no namespace has this label. */
  readonly label: string;
  readonly policy: string;
  readonly spec: Partial<CapabilityPolicySpec>;
}

/**
 * Creates the policy for all namespaces once in each of several rounds. After the last round, the bench does not delete
 * the policy.
 *
 * @returns the median time in seconds until every namespace has the label, and the start time of the last round
 */
export async function labelAll(
  client: ApiClient,
  { namespaces, label, policy, spec }: Labelled,
): Promise<{ readonly median: number; readonly began: number }> {
  const times: number[] = [];
  let began = 0;
  for (let round = 0; round < ROUNDS; round++) {
    if (round > 0) await withdraw(client, policy, label);
    began = performance.now();
    const all = allLabelled(client, namespaces, label);
    await applyPolicy(client, policy, { namespaceSelector: ALL_TEAMS, ...spec });
    await all;
    times.push((performance.now() - began) / 1000);
  }
  return { median: spreadOf(times).p50, began };
}

async function withdraw(client: ApiClient, policy: string, label: string): Promise<void> {
  await allProgrammed(client, [policy]);
  await client.remove(pathFor(`${GROUP}/${VERSION}`, KIND, undefined, policy));
  const isGone = async () => {
    const { items } = (await client.get(`/api/v1/namespaces?limit=1&labelSelector=${label}`)) as { items?: unknown[] };
    return items?.length === 0;
  };
  await waitFor('the labels to be removed', isGone, { timeoutMs: 300_000, intervalMs: 500 });
}

/**
 * A selector for all namespaces of the bench. Namespaces of the bench belong to a team. The namespaces of the cluster
 * itself do not belong to a team.
 */
const ALL_TEAMS = { matchExpressions: [{ key: 'team', operator: 'Exists' as const }] };

/**
 * Measures an operator on a separate cluster. Afterwards, measures a loop that makes the same writes as the operator.
 *
 * @param label the label that the operator writes on each namespace
 */
export async function besideLoop<Result>(
  namespaces: number,
  label: string,
  measure: (client: ApiClient) => Promise<Result>,
): Promise<{ readonly measured: Result; readonly loop: number }> {
  const cluster = await startBenchCluster();
  const { client, controlPlane } = cluster;
  let giveBack = () => {};
  try {
    giveBack = divideCores(controlPlane);
    await populate(cluster, { pods: namespaces * PODS_OF_NAMESPACE, shapes: 60 });
    const operator = startOperator(controlPlane.kubeconfig, { args: UNLIMITED });
    let measured: Result;
    try {
      await applyPolicy(client, 'nowhere', { namespaceSelector: { matchLabels: { none: 'none' } } });
      await operator.during(allProgrammed(client, ['nowhere']));
      measured = await operator.during(measure(client));
    } finally {
      await operator.stop();
    }
    const loops: number[] = [];
    for (let round = 0; round < ROUNDS; round++) loops.push(await loop(client, namespaces, label));
    return { measured, loop: spreadOf(loops).p50 };
  } finally {
    await cluster.stop();
    giveBack();
  }
}

/**
 * Resolves when the given number of namespaces has the operator's label. The policy's status counts a labelled
 * namespace a moment after the label appears on the namespace.
 */
async function allLabelled(client: ApiClient, namespaces: number, label: string): Promise<void> {
  const stop = new AbortController();
  const labelled = new Set<string>();
  const count = ({ type, object }: WatchEvent) => {
    if (type === 'ADDED') labelled.add(String(object.metadata?.name));
    if (labelled.size === namespaces) stop.abort();
  };
  // The API server may end a watch at any time. The next watch begins with the current objects.
  while (!stop.signal.aborted) {
    await client.watch('/api/v1/namespaces', { labelSelector: label }, count, { signal: stop.signal });
  }
}

/** Repeats the last write on each namespace: removes the label, and then sets the label again. */
async function loop(client: ApiClient, namespaces: number, label: string): Promise<number> {
  const names = Array.from({ length: namespaces }, (_, index) => namespaceName(index));
  const example = await client.get(pathFor('v1', 'Namespace', undefined, namespaceName(0)));
  const { labels, annotations } = objectOf(example.metadata);
  const isOurs = ([key]: [string, unknown]) => OURS.some((prefix) => key.startsWith(prefix));
  const ours = (texts: unknown) => Object.fromEntries(Object.entries(objectOf(texts)).filter(isOurs));
  const metadata = { labels: ours(labels), annotations: ours(annotations) };
  const write = (name: string, fields: object) =>
    client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...fields } } as Identified, { force: true });
  await inTurns(names, (name) => write(name, {}));
  const started = performance.now();
  // The loop's writes are watched like the operator's writes. Watching the loop's writes also costs the API server
  // time.
  const all = allLabelled(client, names.length, label);
  await inTurns(names, (name) => write(name, metadata));
  await all;
  return (performance.now() - started) / 1000;
}

async function inTurns(names: readonly string[], work: (name: string) => Promise<unknown>): Promise<void> {
  const rest = names.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const name of rest) await work(name);
    }),
  );
}
