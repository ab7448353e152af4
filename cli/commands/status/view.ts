/**
 * Collects the facts about a cluster's policies that an administrator needs. The code is pure: the same cluster always
 * gives the same view.
 */
import { evaluateCluster } from '../../../analysis/policies/evaluate-cluster.ts';
import { mergeUnknownPods, type UnknownPods, unknownPodsIn } from '../../../analysis/policies/pod-mutators.ts';
import type {
  CapabilityPolicyStatus,
  CompletePolicy,
  CompleteRollout,
  Condition,
  Mode,
  UsableBy,
} from '../../../operator/api/capability-policy.ts';
import { grantNeeds, outermost } from '../../../operator/evaluate/grant-needs.ts';
import { type Grant, withSince } from '../../../operator/evaluate/grants.ts';
import type { NamespaceVerdicts } from '../../../operator/evaluate/namespace.ts';
import type { Holder } from '../../../operator/evaluate/use.ts';
import { type Verdict, violationsBy } from '../../../operator/evaluate/verdict.ts';
import type { Evaluator } from '../../../operator/evaluate/violations.ts';
import type { Cluster } from '../../../operator/model/objects.ts';
import type { Area } from '../../../operator/policy/coverage.ts';
import type { Mutator } from '../../../operator/policy/mutators.ts';
import { type NotAdmitted, originText, reportWorkloads } from '../../../operator/report/violations.ts';
import type { PolicyState } from '../../../operator/state/policy-state.ts';
import type { Rights } from '../../live.ts';

/** The status as `-o json` prints it. */
export interface StatusView {
  /** The policies, sorted by name. */
  readonly policies: readonly PolicyView[];
  /** The subjects that may use every policy. The field is absent if roles or role bindings cannot be read. */
  readonly mayUseAll?: readonly Holder[];
  /**
   * Whether a file of the API server protects the objects that enforce the policies. The operator's condition Protected
   * says whether API servers have a file that protects the objects.
   */
  readonly protection: ProtectionView;
  /**
   * Sentences about the kinds that could not be read. The sentences also say which parts of the view are missing
   * because the kinds could not be read. The list is empty if the view is complete.
   */
  readonly missing: readonly string[];
}

export interface ProtectionView {
  readonly status: Condition['status'];
  readonly message: string;
}

export interface PolicyView {
  readonly name: string;
  readonly level: string;
  readonly levelVersion: string;
  readonly mode: Mode;
  readonly priority: number;
  /**
   * The Pod Security levels of the labels that the operator has set on the policy's namespaces, such as
   * `restricted:v1.36`. If the operator has set no label, `podSecurity` is `-`.
   */
  readonly podSecurity: string;
  /**
   * The time at which the policy expires. The time comes from the spec of the policy. The field is absent for a policy
   * that does not expire.
   */
  readonly expires?: string;
  /** Whether the policy has expired at the time of the view. The field is absent for a policy that does not expire. */
  readonly expired?: boolean;
  /** `spec.reason` of the policy. The text says why the policy exists. */
  readonly reason?: string;
  readonly conditions: readonly Condition[];
  readonly namespaces: { readonly selected: number; readonly deciding: number };
  /**
   * The workloads without pods in the namespaces where the policy's rollout is pending, if a webhook or mutating policy
   * may change their pods. Their templates do not show whether their pods will comply. The field is absent if there is
   * no such workload. Webhooks and mutating policies that the user may not list do not count.
   */
  readonly unknownPods?: UnknownPods;
  readonly sharesWith: NonNullable<CapabilityPolicyStatus['sharesWith']>;
  /**
   * The progress of `spec.rollout` as the operator reported it last. The field is absent without a rollout, and before
   * the first report.
   */
  readonly rollout?: RolloutView;
  /**
   * `Live`: the command evaluated the violations now. `Status`: the violations are from the operator's last report. The
   * operator's report names only the first workloads.
   */
  readonly verdictsFrom: 'Live' | 'Status';
  readonly workloads: { readonly evaluated: number; readonly violating: number; readonly unknown: number };
  /** The violations, sorted by namespace, kind and name of the workload. */
  readonly violations: readonly ViolationView[];
  /**
   * The grants that no workload needs. `since` is absent if the operator has not reported the grant yet. A view of one
   * namespace lists no unused grants, because another namespace may need the grants.
   */
  readonly unusedGrants: readonly UnusedView[];
  readonly usableBy: UsableBy;
  /**
   * The subjects that may use the policy by its name. The field is absent if everyone may use the policy, or if roles
   * or role bindings cannot be read.
   */
  readonly usedBy?: readonly Holder[];
}

export type UnusedView = Grant & { readonly since?: string };

export type RolloutView = NonNullable<CapabilityPolicyStatus['rollout']> &
  Pick<CompleteRollout, 'meanwhile' | 'soak' | 'paused' | 'namespacesPerHour'>;

export interface ViolationView {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  /**
   * The policy's mode in this namespace. In a namespace where a rollout is pending, the policy's mode differs from
   * `spec.mode`.
   */
  readonly mode: Mode;
  readonly verdict: Exclude<Verdict, 'Compliant'>;
  /** The number of the workload's pods that violate the policy now. */
  readonly pods: number;
  readonly rule: string;
  readonly container?: string;
  readonly message: string;
  /**
   * The name of a policy in mode Enforce that admits the workload. Even if the violated policy were enforced, the API
   * server would admit the workload.
   */
  readonly admittedBy?: string;
}

export interface Readable extends Pick<Rights, 'canEvaluate' | 'usersKnown' | 'missing'> {
  readonly state: PolicyState;
  readonly cluster: Cluster;
  readonly protection: ProtectionView;
  /** The webhooks and mutating policies that may change pods. By default, none are known. */
  readonly mutators?: readonly Mutator[];
  /**
   * The only namespace of the view. For a view of all namespaces, the value is undefined. A view of one namespace
   * contains only the workloads of this namespace, and the policies that select the namespace.
   */
  readonly namespace?: string | undefined;
}

/** The names of the requested namespaces that no policy can reach. */
export function unreachedNamespaces({
  cluster,
  state,
  namespace,
}: Pick<Readable, 'cluster' | 'state' | 'namespace'>): string[] {
  return cluster
    .namespaces()
    .filter(({ name, terminating }) => !terminating && (namespace === undefined || name === namespace))
    .filter((one) => !state.isReached(one))
    .map(({ name }) => name);
}

/**
 * @param evaluator the evaluator. Callers pass the evaluator of the last view again, because the evaluator caches
 * results
 */
export function statusView(readable: Readable, evaluator: Evaluator): StatusView {
  const { cluster, state, usersKnown, protection, missing, namespace } = readable;
  const verdicts = readable.canEvaluate ? verdictsOf(readable, evaluator) : undefined;
  const isAsked = ({ metadata }: CompletePolicy) =>
    namespace === undefined || !verdicts || state.coverage(metadata?.name ?? '')?.selected.includes(namespace);
  return {
    policies: cluster
      .policies()
      .filter(isAsked)
      .map((policy) => policyView(policy, readable, verdicts)),
    ...(usersKnown && { mayUseAll: state.use.holdersOfAll() }),
    protection,
    missing,
  };
}

/** @param asked the requested namespace. If `asked` is undefined, all namespaces are requested */
function isIn(asked: string | undefined, namespace: string): boolean {
  return asked === undefined || asked === namespace;
}

type VerdictsByNamespace = ReadonlyMap<string, NamespaceVerdicts>;

function verdictsOf({ cluster, state, namespace }: Readable, evaluator: Evaluator): VerdictsByNamespace {
  const evaluated = evaluateCluster(cluster, state, { evaluator, use: state.use }, { only: namespace });
  return new Map([...evaluated].map((result) => [result.namespace, result]));
}

function policyView(policy: CompletePolicy, readable: Readable, verdicts: VerdictsByNamespace | undefined): PolicyView {
  const { status = {} } = policy;
  const name = policy.metadata?.name ?? '';
  const coverage = verdicts && readable.state.coverage(name);
  const areas = (coverage?.areas ?? []).map(({ mode, namespaces }) => ({
    mode,
    namespaces: namespaces.filter((one) => isIn(readable.namespace, one)),
  }));
  // If the operator does not accept an edited policy, the last accepted spec of the policy decides.
  const spec = readable.state.acceptedText(name)?.spec ?? policy.spec;
  const { levelVersion, mode, priority, usableBy, expires, reason } = spec;
  return {
    name,
    level: spec.level,
    levelVersion,
    mode,
    priority,
    podSecurity: status.rendered?.podSecurity ?? '-',
    ...(expires !== undefined && { expires, expired: readable.state.hasExpired(name) }),
    ...(reason !== undefined && { reason }),
    conditions: status.conditions ?? [],
    namespaces: verdicts
      ? { selected: coverage?.selected.length ?? 0, deciding: coverage?.deciding.length ?? 0 }
      : { selected: status.namespaces?.selected ?? 0, deciding: status.namespaces?.deciding ?? 0 },
    ...(spec.rollout && status.rollout && { rollout: { ...spec.rollout, ...status.rollout } }),
    ...unknownPods(name, readable),
    sharesWith: [...(coverage?.sharesWith ?? status.sharesWith ?? [])],
    ...(verdicts ? evaluatedNow(name, areas, verdicts, status) : asReported(status, mode, readable.namespace)),
    // A view of one namespace does not list unused grants, because another namespace may need the grants.
    ...(readable.namespace !== undefined && { unusedGrants: [] }),
    usableBy,
    ...(usableBy !== 'Everyone' && readable.usersKnown && { usedBy: readable.state.use.holders(name) }),
  };
}

function unknownPods(
  policy: string,
  { cluster, state, mutators = [], namespace, canEvaluate }: Readable,
): Pick<PolicyView, 'unknownPods'> {
  if (!canEvaluate || mutators.length === 0) return {};
  const found = cluster.namespaces().flatMap((one) => {
    if (!isIn(namespace, one.name) || !state.isReached(one)) return [];
    const isPending = state.selecting(one.name).some(({ name, pendingFor }) => name === policy && pendingFor);
    return (isPending && unknownPodsIn(one, mutators, cluster)) || [];
  });
  const unknown = mergeUnknownPods(found);
  return unknown ? { unknownPods: unknown } : {};
}

type Evaluated = Pick<PolicyView, 'verdictsFrom' | 'workloads' | 'violations' | 'unusedGrants'>;

function evaluatedNow(
  name: string,
  areas: readonly Area[],
  verdicts: VerdictsByNamespace,
  { unusedGrants = [] }: CapabilityPolicyStatus,
): Evaluated {
  const report = reportWorkloads(name, areas, verdicts);
  const unneeded = outermost(grantNeeds(name, areas, verdicts)?.unneeded ?? []);
  return {
    verdictsFrom: 'Live',
    workloads: report?.counts ?? { evaluated: 0, violating: 0, unknown: 0 },
    violations: (report?.notAdmitted ?? []).flatMap((workload) => violationsOf(workload, name)).sort(byWorkload),
    unusedGrants: unneeded.map((grant) => withSince(grant, unusedGrants)),
  };
}

function violationsOf(workload: NotAdmitted, policy: string): ViolationView[] {
  const { kind, namespace, name, mode, verdict, pods, admittedBy, violations } = workload;
  if (verdict === 'Compliant') return [];
  return violationsBy(policy, violations).map(({ rule, container, message }) => ({
    namespace,
    kind,
    name,
    mode,
    verdict,
    pods,
    rule,
    ...(container !== undefined && { container }),
    message: message + originText(workload, container),
    ...(admittedBy !== undefined && { admittedBy }),
  }));
}

/**
 * @param mode the mode of the policy. If an earlier release wrote the status, its violations state no mode
 */
function asReported(
  { workloads, violations = [], unusedGrants = [] }: CapabilityPolicyStatus,
  mode: Mode,
  namespace: string | undefined,
): Evaluated {
  const { evaluated = 0, violating = 0, unknown = 0 } = workloads ?? {};
  return {
    verdictsFrom: 'Status',
    workloads: { evaluated, violating, unknown },
    violations: violations
      .filter((one) => isIn(namespace, one.namespace))
      .map(({ pods = 0, rule = '', message = '', ...rest }) => ({ mode, ...rest, pods, rule, message }))
      .sort(byWorkload),
    unusedGrants,
  };
}

function byWorkload(a: ViolationView, b: ViolationView): number {
  const [left, right] = [a, b].map(({ namespace, kind, name, rule, container = '' }) =>
    [namespace, kind, name, rule, container].join('\n'),
  ) as [string, string];
  return left < right ? -1 : left > right ? 1 : 0;
}
