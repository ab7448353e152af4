/** Brings a random topology into force through a running operator, and removes the topology again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Api } from '../../../hack/controlplane/api.ts';
import type { ControlPlane } from '../../../hack/controlplane/controlplane.ts';
import { renderedObjects } from '../../../hack/controlplane/rendered.ts';
import { waitFor } from '../../../hack/controlplane/wait.ts';
import type { CompletePolicy } from '../../../operator/api/capability-policy.ts';
import { formatTime } from '../../../operator/policy/expiry.ts';
import { rolloutLabel } from '../../../operator/policy/parts.ts';
import { conditionOf, isProgrammed } from '../../support/harness.ts';
import { accountKubeconfig, install } from '../../support/installed.ts';
import { OperatorProcess } from '../../support/operator-process.ts';
import { policyManifest } from '../../support/policies.ts';
import { NAMESPACES, POLICIES } from '../../support/rendered.ts';
import { OPERATOR_NAMESPACE } from '../../support/rights.ts';
import { concurrently } from '../policies/campaign.ts';
import type { PolicyCluster } from '../policies/cluster.ts';
import { populate, withdraw } from '../sets/people.ts';
import type { Topology } from './arbitrary.ts';

const HOUR = 3_600_000;
const SECOND = 1_000;
/** The time in ms from writing the policies until the first policy expires. */
const LEAD_MS = 15_000;
const IN_FORCE_MS = 600_000;
/** A time in ms. If the labels of namespaces stay unchanged for this time, the operator has nothing more to write. */
const QUIET_MS = 3_000;

export type Labels = Readonly<Record<string, string>>;

export interface InForce {
  readonly policies: readonly CompletePolicy[];
  /** The labels of the namespaces, including the labels of rollouts. */
  readonly labels: ReadonlyMap<string, Labels>;
  /** The time in seconds from the creation of the first policy until all policies were programmed. */
  readonly seconds: number;
  /** The first and the last expiry while pods are evaluated, in ms since 1970. */
  readonly ends: readonly [first: number, last: number];
}

/** Starts an operator with the rights of its installation. */
export async function startOperator(controlPlane: ControlPlane): Promise<OperatorProcess> {
  const api = new Api(controlPlane.kubeconfig);
  await install(controlPlane);
  const kubeconfig = await accountKubeconfig(controlPlane, api);
  await api.close();
  const operator = new OperatorProcess(['--kubeconfig', kubeconfig, '--operator-namespace', OPERATOR_NAMESPACE]);
  await operator.startAndWatch();
  return operator;
}

/**
 * @param policies the policies of the topology that the API server accepts
 * @param spanMs a time in ms. The expiries of all policies that expire soon are spread over this time.
 */
export async function bringIntoForce(
  cluster: PolicyCluster,
  topology: Topology,
  policies: readonly CompletePolicy[],
  spanMs: number,
): Promise<InForce> {
  await populate(cluster, topology);
  const began = Date.now();
  const first = new Map(policies.map((policy) => [nameOf(policy), endAtFirst(topology, nameOf(policy))]));
  await concurrently(policies, (policy) => write(cluster, policy, first.get(nameOf(policy))));
  await programmed(cluster, policies);
  const seconds = (Date.now() - began) / SECOND;
  await settledLabels(cluster, topology);
  await promote(cluster, topology, policies);
  const soon = policies.filter((policy) => topology.ends.get(nameOf(policy)) === 'soon');
  const from = Math.ceil((Date.now() + LEAD_MS) / SECOND) * SECOND;
  const step = Math.floor(spanMs / Math.max(1, soon.length) / SECOND) * SECOND;
  const ends = new Map([...first, ...soon.map((policy, i) => [nameOf(policy), from + i * step] as const)]);
  await concurrently(soon, (policy) => write(cluster, policy, ends.get(nameOf(policy))));
  await programmed(cluster, policies);
  const labels = await settledLabels(cluster, topology);
  return {
    policies: policies.map((policy) => ending(policy, ends.get(nameOf(policy)))),
    labels,
    seconds,
    ends: [from, from + Math.max(0, soon.length - 1) * step],
  };
}

/** Deletes everything, and waits until the operator has removed the rendered objects. */
export async function takeAway(cluster: PolicyCluster, topology: Topology): Promise<void> {
  const { api } = cluster;
  const existing = await api.list(POLICIES);
  await concurrently(existing, ({ metadata }) => api.remove(`${POLICIES}/${metadata.name}`));
  await withdraw(cluster, topology);
  await waitFor('the operator to withdraw everything', async () => (await renderedObjects(api)).length === 0, {
    timeoutMs: IN_FORCE_MS,
  });
  await concurrently(topology.namespaces, ({ name }) => api.remove(`${NAMESPACES}/${name}`));
}

export function nameOf({ metadata }: CompletePolicy): string {
  return metadata?.name ?? '';
}

function endAtFirst({ ends }: Topology, policy: string): number | undefined {
  const end = ends.get(policy) ?? 'none';
  if (end === 'none') return undefined;
  const now = Math.floor(Date.now() / SECOND) * SECOND;
  return end === 'past' ? now - HOUR : now + HOUR;
}

function ending(policy: CompletePolicy, end: number | undefined): CompletePolicy {
  return end === undefined ? policy : { ...policy, spec: { ...policy.spec, expires: formatTime(end) } };
}

async function write({ api }: PolicyCluster, policy: CompletePolicy, end: number | undefined): Promise<void> {
  const { spec } = ending(policy, end);
  const name = nameOf(policy);
  await api.apply(`${POLICIES}/${name}`, policyManifest({ name }, spec));
}

async function programmed({ api }: PolicyCluster, policies: readonly CompletePolicy[]): Promise<void> {
  const names = new Set(policies.map(nameOf));
  let missing: readonly string[] = [];
  const look = async () => {
    const all = await api.list(POLICIES);
    missing = all
      .filter((policy) => names.has(policy.metadata.name) && !isProgrammed(policy))
      .map((policy) => `${policy.metadata.name}: ${conditionOf(policy, 'Accepted')?.message}`);
    return missing.length === 0;
  };
  await waitFor('the policies to be programmed', look, { timeoutMs: IN_FORCE_MS, intervalMs: 250 }).catch(
    (error: Error) => {
      throw new Error(`${error.message}: ${missing.length} are not\n${missing.slice(0, 5).join('\n')}`);
    },
  );
}

/** Promotes a namespace that is still pending, as a user would. */
async function promote(cluster: PolicyCluster, topology: Topology, policies: readonly CompletePolicy[]) {
  const labels = await settledLabels(cluster, topology);
  const accepted = new Set(policies.map(nameOf));
  const decisions = [...topology.promoted]
    .filter(([policy]) => accepted.has(policy))
    .flatMap(([policy, namespaces]) => namespaces.map((namespace) => ({ namespace, label: rolloutLabel(policy) })))
    .filter(({ namespace, label }) => labels.get(namespace)?.[label] === 'pending');
  await concurrently(decisions, async ({ namespace, label }) => {
    await cluster.api.patch(`${NAMESPACES}/${namespace}`, { metadata: { labels: { [label]: 'enforced' } } });
  });
}

async function settledLabels({ api }: PolicyCluster, { namespaces }: Topology): Promise<ReadonlyMap<string, Labels>> {
  const names = new Set(namespaces.map(({ name }) => name));
  const read = async () => {
    const all = (await api.list(NAMESPACES)).filter(({ metadata }) => names.has(metadata.name));
    return new Map(all.map(({ metadata }): [string, Labels] => [metadata.name, metadata.labels ?? {}]));
  };
  return waitFor(
    'the labels of the namespaces to settle',
    async () => {
      const before = await read();
      await sleep(QUIET_MS);
      const after = await read();
      return JSON.stringify([...before]) === JSON.stringify([...after]) && after;
    },
    { timeoutMs: IN_FORCE_MS },
  );
}
