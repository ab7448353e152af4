/**
 * Part (f) of the bench measures the time from the change of a policy to its enforcement. The baseline is the change of
 * an admission policy by hand.
 */
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { type ApiClient, ApiError } from '../../operator/cluster/client.ts';
import { waitFor } from '../controlplane/wait.ts';
import { createNamespace, startBenchCluster } from './bench-cluster.ts';
import { bindByHand, writeByHand } from './by-hand.ts';
import { growth, ratio, type Spread, shown, spreadOf } from './numbers.ts';
import { startOperator } from './operator-under-test.ts';
import { allProgrammed, applyPolicy, isProgrammed, readPolicy } from './policies.ts';
import type { Table } from './table.ts';

interface Measured {
  readonly others: number;
  /**
   * The seconds from a manual change of an admission policy until the API server refuses a pod because of the change.
   */
  readonly byHand: Spread;
  /** The seconds from the change of a policy until the API server refuses a pod because of the change. */
  readonly refused: Spread;
  /** The seconds from the change of a policy until the status says that the policy is in force. */
  readonly programmed: Spread;
}

const CHANGES = 15;
const OTHERS = [0, 10, 50];
const LOOK = { intervalMs: 10, timeoutMs: 60_000 };
const BY_HAND = 'by-hand';

export async function inForce(): Promise<Table> {
  const measured: Measured[] = [];
  for (const others of OTHERS) measured.push(await measure(others));
  const crowded = measured.filter(({ others }) => others > 0);
  return {
    title: '(f) From the change of a policy to its enforcement, p50 / max in s',
    columns: ['other policies', 'admission policy by hand', 'refused', 'Programmed', 'refused / by hand'],
    rows: measured.map(({ others, byHand, refused, programmed }) => [
      String(others),
      both(byHand),
      both(refused),
      both(programmed),
      ratio(refused.p50, byHand.p50),
    ]),
    notes: [
      `${CHANGES} changes each, with dry runs of a pod in between.`,
      'By hand: the same kind of change of an admission policy that no operator manages.',
      'API servers compile admission policies only once a second.',
      ...growth(
        'The time until Programmed grows with the number of policies',
        crowded.map(({ others }) => others),
        crowded.map(({ programmed }) => programmed.p50),
      ),
    ],
    measured,
  };
}

async function measure(others: number): Promise<Measured> {
  const cluster = await startBenchCluster();
  const { client, controlPlane } = cluster;
  const operator = startOperator(controlPlane.kubeconfig);
  try {
    for (const name of ['ours', 'hand']) await createNamespace(client, name);
    const names = ['changing', ...Array.from({ length: others }, (_, index) => `other-${index}`)];
    for (const name of names) await applyPolicy(client, name, specOf(name === 'changing' ? 'ours' : name, 0));
    await operator.during(allProgrammed(client, names));
    await changeByHand(client, 0);
    await bindByHand(client, BY_HAND, { 'kubernetes.io/metadata.name': 'hand' });
    await waitFor('the binding', () => isRefused(client, 'hand', 0), LOOK);
    const times = { byHand: [] as number[], refused: [] as number[], programmed: [] as number[] };
    for (let user = 1; user <= CHANGES; user++) {
      times.byHand.push(
        await seconds(
          () => changeByHand(client, user),
          () => isRefused(client, 'hand', user),
        ),
      );
      await changeOurs(client, user, times);
    }
    const { byHand, refused, programmed } = times;
    return { others, byHand: spreadOf(byHand), refused: spreadOf(refused), programmed: spreadOf(programmed) };
  } finally {
    await operator.stop();
    await cluster.stop();
  }
}

async function changeOurs(client: ApiClient, user: number, times: { refused: number[]; programmed: number[] }) {
  const started = performance.now();
  await applyPolicy(client, 'changing', specOf('ours', user));
  const since = () => (performance.now() - started) / 1000;
  await Promise.all([
    waitFor('the pod to be refused', () => isRefused(client, 'ours', user), LOOK).then(() =>
      times.refused.push(since()),
    ),
    waitFor('the status', async () => isProgrammed(await readPolicy(client, 'changing')), LOOK).then(() =>
      times.programmed.push(since()),
    ),
  ]);
}

async function seconds(change: () => Promise<unknown>, look: () => Promise<boolean>): Promise<number> {
  const started = performance.now();
  await change();
  await waitFor('the pod to be refused', look, LOOK);
  return (performance.now() - started) / 1000;
}

/** A policy that refuses the pods of one user in the namespace with the given name. */
function specOf(namespace: string, user: number): CapabilityPolicySpec {
  const ranges = [
    { min: 0, max: user },
    { min: user + 2, max: 65_535 },
  ];
  return {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    level: 'baseline',
    mode: 'Enforce',
    overrides: { runAsUser: { rule: 'MustRunAs', ranges } },
  };
}

async function isRefused(client: ApiClient, namespace: string, user: number): Promise<boolean> {
  const spec = { securityContext: { runAsUser: user + 1 }, containers: [{ name: 'app', image: 'app' }] };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { generateName: 'pod-', namespace }, spec };
  try {
    await client.create(`/api/v1/namespaces/${namespace}/pods`, pod, { dryRun: true });
    return false;
  } catch (error) {
    if (error instanceof ApiError && (error.status === 422 || error.status === 403)) return true;
    throw error;
  }
}

/**
 * Changes the admission policy by hand. The changed policy refuses the pods of one user in the namespace that the
 * binding selects.
 */
async function changeByHand(client: ApiClient, user: number): Promise<void> {
  await writeByHand(client, BY_HAND, `object.spec.?securityContext.?runAsUser.orValue(0) != ${user + 1}`);
}

function both({ p50, max }: Spread): string {
  return `${shown(p50)} / ${shown(max)}`;
}
