/** Makes the complete status of a policy. Equal inputs give statuses with equal bytes. */
import type { CapabilityPolicyStatus, CompletePolicy, CompleteSpec, Condition } from '../api/capability-policy.ts';
import type { LabelOutcome, ProgramOutcome } from '../apply/outcome.ts';
import type { ProtectionOutcome } from '../apply/protection-probe.ts';
import { labelOfMode, rulesBeyondLabel, tightest } from '../compile/labels.ts';
import type { Loosening } from '../evaluate/loosening.ts';
import type { NamespaceVerdicts } from '../evaluate/namespace.ts';
import type { BindingName, Holder } from '../evaluate/use.ts';
import type { UnlearnedDefaults } from '../model/objects.ts';
import type { PlatformNamespace } from '../model/platform-namespaces.ts';
import type { AcceptedText } from '../policy/accepted-text.ts';
import type { Coverage } from '../policy/coverage.ts';
import { perObject } from '../policy/memo.ts';
import type { Resolution, ResolvedPolicy } from '../policy/resolve.ts';
import type { RolloutProgress } from '../promotion/progress.ts';
import { rollsOut } from '../promotion/state.ts';
import { formatVersion } from '../standards/level-version.ts';
import { bounded } from '../text/printable.ts';
import { firstOf } from '../text/wording.ts';
import { buildConditions, lastEvaluation } from './conditions.ts';
import { conflictsOf, describeConflict } from './label-conflict.ts';
import { NONE_REFUSED, refusedLabels } from './label-refusal.ts';
import type { WrongFlag } from './pod-security-default.ts';
import { rolloutStatus } from './rollout-status.ts';
import type { UnusedGrant } from './unused-grants.ts';
import { reportWorkloads, type WorkloadReport } from './violations.ts';

export interface StatusInput {
  /** The policy as it is in the cluster, with its previous status. */
  readonly policy: CompletePolicy;
  readonly resolution: Resolution;
  /** The spec that is in force while the current spec is refused. If no spec was ever accepted, the field is absent. */
  readonly lastAccepted?: AcceptedText;
  /** Whether the policy counts as deleted. */
  readonly expired?: boolean;
  /**
   * The namespaces that the spec in force selects, and the namespaces where this spec decides. The field is absent if
   * no spec was ever accepted, or if the policy has expired.
   */
  readonly coverage?: Coverage;
  /** Says how far API servers enforce the policy. The field is absent until the first pass over all policies. */
  readonly program?: ProgramOutcome;
  /**
   * The progress of the rollout. The progress is absent without `spec.rollout`. With `spec.rollout`, the progress is
   * absent until the first pass over the policy's namespaces.
   */
  readonly progress?: RolloutProgress;
  /** The label outcomes. The key is the namespace. */
  readonly labels: ReadonlyMap<string, LabelOutcome>;
  /** The verdicts. The key is the namespace. A namespace without an entry has not been evaluated yet. */
  readonly verdicts: ReadonlyMap<string, NamespaceVerdicts>;
  /**
   * The grants that no workload needs. Each item says since when no workload needs the grant. The list is absent until
   * all namespaces have been evaluated.
   */
  readonly unusedGrants?: readonly UnusedGrant[];
  /** The subjects that may use every policy. */
  readonly holdersOfAll?: readonly Holder[];
  /**
   * The sorted paths of unknown pod fields. A field is unknown if some API server has the field and this release does
   * not know the field.
   */
  readonly unknownPodFields?: readonly string[];
  /** The answers of API servers that do not count in `serverDefaults`. */
  readonly unlearnedDefaults?: UnlearnedDefaults | undefined;
  /**
   * The bindings that are older than the policy and grant its use. A binding refers to the policy by the policy's name.
   */
  readonly olderBindings?: readonly BindingName[];
  /** The policies with a rollout that become looser because of this policy. */
  readonly loosenings?: readonly Loosening[];
  /**
   * Whether API servers protect the operator's objects. The field is absent until API servers have answered the first
   * protection probe.
   */
  readonly protection?: ProtectionOutcome;
  /** The selected namespaces that carry the cluster's platform. */
  readonly platform?: readonly PlatformNamespace[];
  /** The default that the flag --psa-defaults names and the default that API servers enforce, if they differ. */
  readonly wrongFlag?: WrongFlag;
  /** The current time, in ISO 8601 and UTC. This time is the transition time of all conditions that change. */
  readonly now: string;
}

const MOST_SHARES = 32;
const MOST_DEFAULTS = 64;
/** The number of names that a column of `kubectl get` shows. */
const NAMED_SHARES = 3;
const NAME_LENGTH = 253;
const NOWHERE: Coverage = {
  selected: [],
  deciding: [],
  undecided: [],
  areas: [],
  sharesWith: [],
  restricted: new Map(),
};

/** Makes the complete status, without empty lists. As JSON, the status is always shorter than 64 KiB. */
export function buildStatus(input: StatusInput): CapabilityPolicyStatus {
  const { resolution, policy, expired = false } = input;
  const { lastAccepted } = input;
  // A policy that waits until its former users are removed has a resolution, but an earlier spec decides.
  const isEarlier = 'policy' in resolution && lastAccepted !== undefined && lastAccepted.policy !== resolution.policy;
  const isCurrent = 'policy' in resolution && !isEarlier;
  const text = isCurrent ? { policy: resolution.policy, spec: policy.spec } : lastAccepted;
  const generation = policy.metadata?.generation ?? 0;
  const effective = effectiveOf(text?.spec ?? policy.spec);
  const base = {
    generation,
    resolution,
    accepted: text?.policy,
    expired,
    why: (text?.spec ?? policy.spec).reason,
    undecided: input.coverage?.undecided ?? [],
    restricted: input.coverage?.restricted ?? new Map(),
    program: input.program,
    protection: input.protection,
    previous: policy.status?.conditions ?? [],
    holdersOfAll: input.holdersOfAll ?? [],
    unknownPodFields: input.unknownPodFields ?? [],
    unlearnedDefaults: input.unlearnedDefaults,
    olderBindings: input.olderBindings ?? [],
    loosenings: input.loosenings ?? [],
    platform: input.platform ?? [],
    wrongFlag: input.wrongFlag,
    now: input.now,
  };
  if (!text || expired) {
    const conditions = buildConditions({
      ...base,
      workloads: undefined,
      refusingDefaults: [],
      labelConflicts: [],
      refusedLabels: NONE_REFUSED,
    });
    return { observedGeneration: generation, conditions, effective, columns: columnsOf(conditions, []) };
  }
  const { selected, deciding, areas, sharesWith } = input.coverage ?? NOWHERE;
  const workloads = reportWorkloads(text.policy.name, areas, input.verdicts);
  const outcomesIn = (namespaces: readonly string[]) =>
    namespaces.flatMap((namespace) => input.labels.get(namespace) ?? []);
  const outcomes = outcomesIn(deciding);
  const labelled = areas.flatMap(({ mode, namespaces }) =>
    outcomesIn(namespaces).filter(({ applied }) => labelOfMode(mode) in applied),
  );
  const conflicting = outcomes.filter((outcome) => conflictsOf(text.policy, outcome).length > 0);
  const labelConflicts = conflicting.flatMap((outcome) =>
    conflictsOf(text.policy, outcome).map(
      (conflict) => `namespace ${outcome.namespace}: ${describeConflict(conflict, outcome.namespace)}`,
    ),
  );
  const platform = new Set(base.platform.map(({ name }) => name));
  const refused = refusedLabels(text.policy, outcomesIn(selected), platform);
  const conditions = buildConditions({
    ...base,
    workloads,
    refusingDefaults: text.policy.mode === 'Enforce' ? outcomes : [],
    labelConflicts: labelConflicts.sort(),
    refusedLabels: refused,
  });
  return withoutEmpty({
    observedGeneration: generation,
    conditions,
    effective,
    columns: columnsOf(conditions, sharesWith),
    rendered: { ...rendered(text.policy), podSecurity: podSecurityOf(labelled, text.policy) },
    serverDefaults: text.policy.standard.serverDefaults?.slice(0, MOST_DEFAULTS) ?? [],
    ...(input.progress
      ? { rollout: rolloutStatus(text.policy.name, input.progress) }
      : lastRollout(text.spec, policy.status)),
    namespaces: {
      selected: selected.length,
      deciding: deciding.length,
      labelled: labelled.length,
      conflicting: conflicting.length,
      ...(refused.texts.length > 0 && { refused: refused.texts.length }),
    },
    ...evaluation(workloads, input.unusedGrants, lastEvaluation({ ...base, workloads }) ? policy.status : {}),
    sharesWith: sharesWith.slice(0, MOST_SHARES).map((one) => ({ ...one, policy: bounded(one.policy, NAME_LENGTH) })),
  });
}

/** The levels and versions of the labels that the operator has set for the policy, for the column PSA. */
function podSecurityOf(labelled: readonly LabelOutcome[], { mode }: ResolvedPolicy): string {
  const key = labelOfMode(mode);
  const values = labelled.flatMap(({ applied }) =>
    applied[key] ? [`${applied[key]}:${applied[`${key}-version`]}`] : [],
  );
  return values.length === 0 ? '-' : firstOf([...new Set(values)].sort(), NAMED_SHARES);
}

/** After a restart, the policy keeps the earlier status of its rollout until the operator has read the namespaces. */
function lastRollout(
  spec: CompleteSpec,
  status: CapabilityPolicyStatus | undefined,
): Pick<CapabilityPolicyStatus, 'rollout'> {
  return rollsOut(spec) && status?.rollout ? { rollout: status.rollout } : {};
}

type Evaluation = Pick<CapabilityPolicyStatus, 'workloads' | 'violations' | 'violationsTotal' | 'unusedGrants'>;

/** @param before the values of the previous status. If there is no report, the function returns the previous values */
function evaluation(
  report: WorkloadReport | undefined,
  unusedGrants: StatusInput['unusedGrants'],
  before: Evaluation = {},
): Evaluation {
  if (!report) {
    const { workloads, violations, violationsTotal, unusedGrants: unused } = before;
    return { workloads, violations, violationsTotal, unusedGrants: unused };
  }
  return {
    workloads: report.counts,
    violations: [...report.violations],
    violationsTotal: report.notAdmitted.length,
    unusedGrants: [...(unusedGrants ?? [])],
  };
}

/** The effective values for the columns of `kubectl get`. The spec lacks the fields that the author left out. */
function effectiveOf(spec: CompleteSpec): NonNullable<CapabilityPolicyStatus['effective']> {
  const { levelVersion, mode, priority, usableBy, defaulting, podSecurityLabels } = spec;
  return { levelVersion, mode, priority, usableBy, defaulting, podSecurityLabels };
}

/**
 * Makes texts for the columns of `kubectl get`. A column can show the first item of a list, but not the other items.
 */
function columnsOf(
  conditions: readonly Condition[],
  sharesWith: Coverage['sharesWith'],
): NonNullable<CapabilityPolicyStatus['columns']> {
  const is = (wanted: string) => conditions.find(({ type }) => type === wanted)?.status ?? 'Unknown';
  const names = sharesWith.map(({ policy }) => bounded(policy, NAME_LENGTH));
  return {
    // The condition Ready of an expired policy stays True. With Ready=False, Flux and `kubectl wait` would wait forever
    // (docs/decisions/0050).
    ready: is('Ready') === 'True' && is('Expired') === 'True' ? 'Expired' : is('Ready'),
    ...(names.length > 0 && { sharesWith: firstOf(names, NAMED_SHARES) }),
  };
}

const rendered = perObject((policy: ResolvedPolicy): NonNullable<CapabilityPolicyStatus['rendered']> => {
  const found = tightest([policy], policy.standard.server);
  const rules = rulesBeyondLabel(policy, found);
  const left = rules.length > 0 ? { rulesLeftToAdmissionPolicy: [...rules].sort() } : {};
  // Pod Security Admission does not check who may use a policy. So for a policy with restricted use, a Pod Security
  // level alone is never an exact equivalent.
  const exact = rules.length === 0 && policy.usableBy === 'Everyone';
  if (!found) return { level: 'privileged', exact, ...left };
  return { level: found.level, version: formatVersion(found.minor), exact, ...left };
});

function withoutEmpty(status: CapabilityPolicyStatus): CapabilityPolicyStatus {
  const kept = Object.entries(status).filter(
    ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
  );
  return Object.fromEntries(kept) as CapabilityPolicyStatus;
}
