/**
 * Makes `status.rollout`. The field has numbers of namespaces, and a list of blocked namespaces. The size of the list
 * is limited.
 */
import type { CapabilityPolicyStatus } from '../api/capability-policy.ts';
import { worstFirst } from '../evaluate/severity.ts';
import { violationsBy } from '../evaluate/verdict.ts';
import type { NamespaceProgress, RolloutProgress } from '../promotion/progress.ts';
import { bounded } from '../text/printable.ts';
import { inSeconds } from './conditions.ts';

type RolloutStatus = NonNullable<CapabilityPolicyStatus['rollout']>;
type BlockedNamespace = NonNullable<RolloutStatus['blockedNamespaces']>[number];
type Blocked = Extract<NamespaceProgress, { state: 'Blocked' }>;

const MOST_BLOCKED = 32;
/**
 * The size limit of the list of blocked namespaces, in bytes. The whole status must stay shorter than 64 KiB, and must
 * have room for violations, too.
 */
const MOST_BYTES = 12 * 1024;
const WORST_LENGTH = 512;

/**
 * The status of a rollout. A namespace that has not been evaluated yet counts as soaking, because no violation is known
 * in the namespace.
 */
export function rolloutStatus(policy: string, { namespaces, next }: RolloutProgress): RolloutStatus {
  const states = [...namespaces.values()].map(({ state }) => state);
  const enforced = states.filter((state) => state === 'Enforced').length;
  const blocked = blockedNamespaces(namespaces);
  return {
    enforced,
    soaking: states.length - enforced - blocked.length,
    blocked: blocked.length,
    progress: `${enforced}/${states.length}`,
    ...(next && { next: { namespace: bounded(next.namespace, 63), time: timeText(next.at) } }),
    ...(blocked.length > 0 && { blockedNamespaces: entries(policy, blocked) }),
  };
}

/**
 * The blocked namespaces. The namespaces with the fewest violating workloads come first, because these namespaces are
 * the easiest to repair.
 */
function blockedNamespaces(namespaces: RolloutProgress['namespaces']): [string, Blocked][] {
  return [...namespaces]
    .flatMap(([name, progress]): [string, Blocked][] => (progress.state === 'Blocked' ? [[name, progress]] : []))
    .sort(([a, one], [b, other]) => violatingIn(one) - violatingIn(other) || (a < b ? -1 : 1));
}

function violatingIn({ verdict }: Blocked): number {
  return verdict?.violating ?? 0;
}

/** Returns as many blocked namespaces as fit into the status. */
function entries(policy: string, blocked: readonly [string, Blocked][]): BlockedNamespace[] {
  const kept: BlockedNamespace[] = [];
  let bytes = 0;
  for (const [name, { since, verdict }] of blocked.slice(0, MOST_BLOCKED)) {
    const worst = worstText(policy, verdict);
    const entry = {
      name: bounded(name, 63),
      violating: verdict?.violating ?? 0,
      since: timeText(since),
      ...(worst !== undefined && { worst }),
    };
    bytes += Buffer.byteLength(JSON.stringify(entry)) + 1;
    if (bytes > MOST_BYTES) break;
    kept.push(entry);
  }
  return kept;
}

/**
 * The worst violation as text, such as `Deployment legacy: capabilities: container "app" must not add capability
 * SYS_TIME (allowed: none)`.
 */
function worstText(policy: string, verdict: Blocked['verdict']): string | undefined {
  const workload = verdict?.worst;
  if (!workload) return undefined;
  const [worst] = [...violationsBy(policy, workload.violations)].sort(worstFirst);
  const why = worst ? `: ${worst.rule}: ${worst.message}` : '';
  return bounded(`${workload.kind} ${workload.name}${why}`, WORST_LENGTH);
}

function timeText(ms: number): string {
  return inSeconds(new Date(ms).toISOString());
}
