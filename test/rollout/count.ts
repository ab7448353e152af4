/**
 * Counts the state of a rollout from the cluster's objects, without code of the operator. Reads the operator's own
 * counts for comparison.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Api, Json } from '../../hack/controlplane/api.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import { PENDING_LABEL, POLICY, SELECTED } from './population.ts';

interface Counted {
  readonly enforced: number;
  readonly soaking: number;
  readonly blocked: number;
  /**
   * The number of violating workloads of each blocked namespace. The status lists only a limited number of blocked
   * namespaces. The test compares only the listed namespaces.
   */
  readonly blockedNamespaces: Readonly<Record<string, number>>;
}

async function countFromScratch(api: Api): Promise<Counted> {
  const selector = Object.entries(SELECTED).map(([key, value]) => `${key}=${value}`);
  const [namespaces, pods, deployments] = await Promise.all([
    api.list(NAMESPACES, selector.join(',')),
    api.list('/api/v1/pods'),
    api.list('/apis/apps/v1/deployments'),
  ]);
  const violating = new Map<string, Set<string>>();
  const add = ({ metadata }: Json, spec: Json, workload: string) => {
    if (spec.securityContext?.runAsNonRoot === true) return;
    const known = violating.get(metadata.namespace) ?? new Set();
    violating.set(metadata.namespace, known.add(workload));
  };
  for (const one of pods) add(one, one.spec, one.metadata.ownerReferences?.[0].name ?? one.metadata.name);
  for (const one of deployments) add(one, one.spec.template.spec, `Deployment ${one.metadata.name}`);
  const pending = namespaces.filter(({ metadata }) => metadata.labels[PENDING_LABEL] === 'pending');
  const blocked = pending.filter(({ metadata }) => violating.has(metadata.name)).map(({ metadata }) => metadata.name);
  return {
    enforced: namespaces.length - pending.length,
    soaking: pending.length - blocked.length,
    blocked: blocked.length,
    blockedNamespaces: Object.fromEntries(blocked.sort().map((name) => [name, violating.get(name)?.size ?? 0])),
  };
}

/** The counts in the status and in the metrics. */
async function reported(api: Api, metrics: ReadonlyMap<string, number>): Promise<{ status: Counted; metrics: object }> {
  const { status = {} } = await api.get(`${POLICIES}/${POLICY}`);
  const { enforced = 0, soaking = 0, blocked = 0, blockedNamespaces = [] } = status.rollout ?? {};
  const gauge = (state: string) =>
    metrics.get(`capabilitypolicy_rollout_namespaces{policy="${POLICY}",state="${state}"}`);
  const named = blockedNamespaces.map(({ name, violating }: Json) => [name, violating]).sort();
  return {
    status: { enforced, soaking, blocked, blockedNamespaces: Object.fromEntries(named) },
    metrics: { enforced: gauge('enforced'), soaking: gauge('soaking'), blocked: gauge('blocked') },
  };
}

/**
 * Waits while the operator catches up.
 * @returns the remaining difference, if any, and the count
 */
export async function compare(
  api: Api,
  metrics: () => Promise<ReadonlyMap<string, number>>,
  timeoutMs: number,
): Promise<{ readonly counted: Counted; readonly difference?: string }> {
  for (const until = Date.now() + timeoutMs; ; await sleep(200)) {
    const counted = await countFromScratch(api);
    const said = await reported(api, await metrics());
    // If a namespace was promoted while the test read the numbers, the count is invalid.
    const still = isDeepStrictEqual(await countFromScratch(api), counted);
    const numbers = numbersOf(counted);
    const same =
      isDeepStrictEqual(numbersOf(said.status), numbers) &&
      isDeepStrictEqual(said.metrics, numbers) &&
      Object.entries(said.status.blockedNamespaces).every(
        ([name, count]) => counted.blockedNamespaces[name] === count,
      ) &&
      numbers.blocked > 0 === Object.keys(said.status.blockedNamespaces).length > 0;
    if (still && same) return { counted };
    if (Date.now() < until) continue;
    return {
      counted,
      difference: `status and metrics say ${JSON.stringify(said)}; counted: ${JSON.stringify(counted)}`,
    };
  }
}

function numbersOf({ enforced, soaking, blocked }: Counted) {
  return { enforced, soaking, blocked };
}
