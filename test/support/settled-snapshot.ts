/**
 * Makes snapshots of settled clusters. Each policy has the status that the operator would write after the end of all
 * work.
 */
import { evaluateCluster } from '../../analysis/policies/evaluate-cluster.ts';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { takeSnapshot } from '../../analysis/snapshot/take.ts';
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import type { ProgramOutcome } from '../../operator/apply/outcome.ts';
import { ClusterState } from '../../operator/controllers/cluster-state.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import { rolloutLabel } from '../../operator/policy/parts.ts';
import type { NamespaceProgress, RolloutProgress } from '../../operator/promotion/progress.ts';
import { GrantHistories } from '../../operator/report/grant-histories.ts';
import { buildStatus } from '../../operator/report/status.ts';
import { largeCluster } from './large-cluster.ts';

/** The time at which the snapshots are taken. */
export const TAKEN = '2026-11-26T12:00:00.000Z';
const AT = Date.parse(TAKEN);

const REACH = { operatorNamespace: 'capabilitypolicy-system', excludedNamespaces: ['kube-system'] };

const IN_FORCE: ProgramOutcome = {
  state: 'InForce',
  row: '0123456789ab',
  servers: { inForce: 3, answering: 3 },
  message: '',
};

const DAY_MS = 86_400_000;

let large: Snapshot | undefined;

/**
 * The snapshot of `largeCluster()`. All tests of a process share this snapshot, because a new snapshot takes about 6 s
 * of CPU time.
 */
export function largeSnapshot(): Snapshot {
  large ??= settledSnapshot(largeCluster(), 'large');
  return large;
}

/**
 * A snapshot of a cluster with statuses. The function evaluates the cluster only once, for the snapshot and for the
 * statuses. Evaluating a large cluster takes long.
 */
export function settledSnapshot(cluster: Cluster, context = 'test'): Snapshot {
  const state = new ClusterState(cluster, { ...REACH, podSecurityDefaults: {}, now: () => AT });
  state.accept();
  const evaluation = { evaluator: new Evaluator(), use: state.policies.use };
  for (const result of evaluateCluster(cluster, state.policies, evaluation)) {
    state.outcomes.verdicts.set(result.namespace, result);
  }
  const policies = cluster.policies().map((policy) => ({ ...policy, status: statusOf(policy, state, cluster) }));
  return takeSnapshot({
    cluster: { ...cluster, policies: () => policies },
    accepted: state.policies.compiled.specs,
    recorded: new Map(
      [...state.policies.compiled.specs].map(([name, spec]) => [state.policies.compiled.uids.get(name) ?? '', spec]),
    ),
    verdicts: state.outcomes.verdicts.values(),
    taken: TAKEN,
    context,
    ...REACH,
    missing: [],
    usersKnown: true,
  });
}

function statusOf(policy: CompletePolicy, state: ClusterState, cluster: Cluster) {
  const name = policy.metadata?.name ?? '';
  const coverage = state.policies.coverage(name);
  const resolution = state.policies.resolution(name);
  if (!resolution) throw new Error(`policy ${name} was not compiled`);
  const lastAccepted = state.policies.acceptedText(name);
  const unused = new GrantHistories().look(policy, coverage?.areas ?? [], state.outcomes.verdicts, AT);
  return buildStatus({
    policy,
    resolution,
    ...(lastAccepted && { lastAccepted }),
    expired: state.policies.hasExpired(name),
    ...(coverage && { coverage }),
    program: IN_FORCE,
    ...(policy.spec.rollout && { progress: progressOf(name, coverage?.selected ?? [], state, cluster) }),
    labels: state.labelOutcomes(coverage?.deciding ?? []),
    verdicts: state.outcomes.verdicts,
    ...(unused && { unusedGrants: unused.grants }),
    holdersOfAll: state.policies.use.holdersOfAll(),
    now: TAKEN,
  });
}

/**
 * The progress of a rollout. In namespaces without the rollout's label, the policy is enforced. In a namespace with the
 * label, violations block the rollout, or the soak is in progress.
 */
function progressOf(
  policy: string,
  selected: readonly string[],
  state: ClusterState,
  cluster: Cluster,
): RolloutProgress {
  const since = AT - DAY_MS / 2;
  const namespaces = selected.map((name): [string, NamespaceProgress] => {
    const { labels = {} } = cluster.namespace(name) ?? {};
    if (!Object.hasOwn(labels, rolloutLabel(policy))) return [name, { state: 'Enforced' }];
    const verdict = state.outcomes.verdicts.get(name)?.promotions?.get(policy);
    if (verdict && verdict.violating > 0) return [name, { state: 'Blocked', since, verdict }];
    return [name, { state: 'Soaking', since, soakedAt: since + DAY_MS }];
  });
  return { begun: true, paused: false, namespaces: new Map(namespaces), lastPromotion: since };
}
