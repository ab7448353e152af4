/** Makes the conditions of a policy, in the form that kstatus and Argo CD read. */
import type { Condition } from '../api/capability-policy.ts';
import type { LabelOutcome, ProgramOutcome } from '../apply/outcome.ts';
import type { ProtectionOutcome } from '../apply/protection-probe.ts';
import { useRoleName } from '../compile/rbac.ts';
import type { Loosening } from '../evaluate/loosening.ts';
import { type BindingName, coversControllers, type Holder } from '../evaluate/use.ts';
import type { UnlearnedDefaults } from '../model/objects.ts';
import type { PlatformNamespace } from '../model/platform-namespaces.ts';
import type { Refusal, Resolution, ResolvedPolicy } from '../policy/resolve.ts';
import { formatVersion } from '../standards/level-version.ts';
import { offeredSince } from '../standards/server-features.ts';
import { bounded } from '../text/printable.ts';
import { counted, firstOf } from '../text/wording.ts';
import type { BareCondition } from './bare-condition.ts';
import { compliantCondition } from './compliance.ts';
import { expiredCondition, expiredText, undecidedText } from './expiry.ts';
import { labelRefusedCondition, type RefusedLabels, unreadyByLabels } from './label-refusal.ts';
import { looseningTexts } from './loosening.ts';
import { refusingDefaultText, type WrongFlag, wrongFlagText } from './pod-security-default.ts';
import { protectedCondition } from './protection.ts';
import * as reasons from './reasons.ts';
import { useLimitCondition } from './use-limit.ts';
import type { WorkloadReport } from './violations.ts';

interface ConditionInput {
  readonly generation: number;
  readonly resolution: Resolution;
  /**
   * The spec that is in force. If the current spec is not accepted, the last accepted spec is in force. The field is
   * undefined if no spec was ever accepted.
   */
  readonly accepted: ResolvedPolicy | undefined;
  /** Whether the policy counts as deleted. */
  readonly expired: boolean;
  /** The value of `spec.reason`. */
  readonly why: string | undefined;
  /** After this policy expires, no policy of the same mode will decide in these namespaces. */
  readonly undecided: readonly string[];
  /**
   * Counts the deciding policies with restricted use in each namespace where this policy decides. The key is the
   * namespace.
   */
  readonly restricted: ReadonlyMap<string, number>;
  /** Says how far API servers enforce the policy. The value is undefined until the first pass over all policies. */
  readonly program: ProgramOutcome | undefined;
  /**
   * The report about workloads. The report is undefined until all namespaces have been evaluated. If no spec of the
   * policy was ever accepted, the report stays undefined.
   */
  readonly workloads: WorkloadReport | undefined;
  /** The default that the flag --psa-defaults names and the default that API servers enforce, if they differ. */
  readonly wrongFlag: WrongFlag | undefined;
  /** The label outcomes of the namespaces where the policy decides about pods. */
  readonly refusingDefaults: readonly LabelOutcome[];
  /** The sorted descriptions of label conflicts. Each namespace with a conflict has one description. */
  readonly labelConflicts: readonly string[];
  readonly refusedLabels: RefusedLabels;
  /** The subjects that may use every policy. */
  readonly holdersOfAll: readonly Holder[];
  /**
   * The sorted paths of unknown pod fields. A field is unknown if some API server has the field and this release does
   * not know the field.
   */
  readonly unknownPodFields: readonly string[];
  readonly unlearnedDefaults: UnlearnedDefaults | undefined;
  /**
   * The bindings that are older than the policy, and that grant the use of the policy. A binding refers to the policy
   * by the policy's name.
   */
  readonly olderBindings: readonly BindingName[];
  /** The selected namespaces that carry the cluster's platform. */
  readonly platform: readonly PlatformNamespace[];
  /** The policies with a rollout that become looser because of this policy. */
  readonly loosenings: readonly Loosening[];
  /**
   * Whether API servers protect the operator's objects. The value is undefined until API servers have answered the
   * first protection probe.
   */
  readonly protection: ProtectionOutcome | undefined;
  readonly previous: readonly Condition[];
  /** The current time, in ISO 8601 and UTC. */
  readonly now: string;
}

const MESSAGE_LENGTH = 1024;
const NAMED = 3;
/** The reasons of Ready with which the operator still works on the policy. */
const WORKING = [reasons.PENDING, reasons.PROGRAMMING, reasons.PROBE_REFUSED];
const MASTERS = 'system:masters';
/**
 * The kubectl flag that impersonates the ReplicaSet controller. This controller creates the pods of Deployments in
 * every namespace.
 */
const AS_CONTROLLER = '--as=system:serviceaccount:kube-system:replicaset-controller';

/**
 * Returns all conditions of a policy, sorted by type. Violations and label conflicts are observations, not failures.
 * Observations do not affect the condition Ready. A label that the API server refuses is a failure, unless the
 * namespace belongs to the cluster's platform.
 */
export function buildConditions(input: ConditionInput): Condition[] {
  const { resolution } = input;
  const accepted = acceptedCondition(resolution, input);
  const programmed = programmedCondition(input);
  const unready = unreadyByLabels(input.refusedLabels);
  const ready = readyCondition(accepted, programmed, unready);
  const working = ready === unready || WORKING.includes(ready.reason);
  const bare = [
    accepted,
    programmed,
    ...(input.accepted ? expiredCondition(input.accepted, input) : []),
    ...labelConflictCondition(input.labelConflicts),
    ...labelRefusedCondition(input.refusedLabels),
    ...useLimitCondition(input.restricted),
    ...protectedCondition(input.protection, input.previous),
    ready,
    ...(working ? [{ ...ready, type: 'Reconciling', status: 'True' as const }] : []),
    ...('refusal' in resolution ? [{ ...accepted, type: 'Stalled', status: 'True' as const }] : []),
  ];
  const conditions = bare.map((one) => withHistory(one, input));
  conditions.push(lastEvaluation(input) ?? withHistory(compliantCondition(input), input));
  return conditions.sort((a, b) => (a.type < b.type ? -1 : 1));
}

/**
 * The Compliant condition of the last complete evaluation. The status keeps the condition Compliant unchanged until the
 * next evaluation is complete. If a restart or a new namespace reset the condition, violations would disappear from the
 * status and come back.
 */
export function lastEvaluation({
  accepted,
  expired,
  workloads,
  previous,
}: Pick<ConditionInput, 'accepted' | 'expired' | 'workloads' | 'previous'>): Condition | undefined {
  if (!accepted || expired || workloads) return undefined;
  return previous.find(({ type, reason }) => type === 'Compliant' && reason !== reasons.NOT_EVALUATED);
}

function acceptedCondition(
  resolution: Resolution,
  {
    holdersOfAll,
    loosenings,
    olderBindings,
    platform,
    refusingDefaults,
    undecided,
    unknownPodFields,
    unlearnedDefaults,
    wrongFlag,
  }: Pick<
    ConditionInput,
    | 'holdersOfAll'
    | 'loosenings'
    | 'olderBindings'
    | 'platform'
    | 'refusingDefaults'
    | 'undecided'
    | 'unknownPodFields'
    | 'unlearnedDefaults'
    | 'wrongFlag'
  >,
): BareCondition {
  if ('refusal' in resolution) return refused(resolution.refusal);
  const { standard, mode } = resolution.policy;
  const what = `compiled: ${standard.level} ${formatVersion(standard.minor)}, mode ${mode}`;
  const { policy } = resolution;
  const message = [
    what,
    ...lagging(policy),
    ...refusingDefaultText(refusingDefaults),
    ...wrongFlagText(wrongFlag),
    ...unchecked(unknownPodFields),
    ...unlearned(standard.serverDefaults, unlearnedDefaults),
    ...selectsPlatform(policy, platform),
    ...unavailable(policy),
    ...withoutEffect(policy),
    ...policy.contradictions,
    ...wideSubjects(policy),
    ...namedForEveryone(policy),
    ...sharedProcesses(policy),
    ...looseningTexts(loosenings),
    ...boundBefore(policy, olderBindings),
    ...wildcardHolders(policy, holdersOfAll),
    ...undecidedText(policy, undecided),
    ...restingRollout(policy),
  ].join('; ');
  return { type: 'Accepted', status: 'True', reason: reasons.ACCEPTED, message };
}

/**
 * The message about a resting rollout. A rollout rests, for example, if somebody changed the mode of the policy in an
 * emergency.
 */
function restingRollout({ mode, meanwhile }: ResolvedPolicy): string[] {
  if (mode === 'Enforce' || !meanwhile) return [];
  return [
    `spec.rollout rests in mode ${mode}, so nothing is enforced. Write mode: Enforce to begin or continue the rollout`,
  ];
}

function refused({ reason, message }: Refusal): BareCondition {
  return { type: 'Accepted', status: 'False', reason, message };
}

function lagging({ latestLags, standard }: ResolvedPolicy): string[] {
  if (!latestLags) return [];
  const known = formatVersion(standard.minor);
  return [
    `levelVersion latest means ${known} here, because this release has no newer Standards; the API servers are at ${formatVersion(standard.server)}: upgrade the operator`,
  ];
}

/**
 * The message about pod fields that this release does not know. A newer Kubernetes version may have added fields that
 * give a container more power.
 */
function unchecked(fields: readonly string[]): string[] {
  if (fields.length === 0) return [];
  const named = firstOf(fields, NAMED);
  return [
    `warning: API servers have pod fields that this release does not know, so no rule checks them: ${named}. Upgrade the operator`,
  ];
}

/** The message about values that API servers fill in, or seem to fill in, and that the policy does not admit. */
function unlearned(known: readonly string[] = [], left: UnlearnedDefaults | undefined): string[] {
  const values = left?.values.filter((value) => !known.includes(value)) ?? [];
  if (!left || values.length === 0) return [];
  const { mutators, namespace } = left;
  const by = mutators.length === 0 ? 'a webhook or mutating policy' : firstOf(mutators, NAMED);
  return [
    `warning: policies do not admit the values of unknown fields that API servers fill in (${firstOf(values, NAMED)}), because ${by} may have set them. Exclude namespace ${namespace} from their rules, or upgrade the operator`,
  ];
}

/**
 * The message about namespaces that carry the cluster's platform. The operator never excludes them on its own, because
 * whoever may label a namespace could then exclude it from all policies.
 */
function selectsPlatform({ mode }: ResolvedPolicy, platform: readonly PlatformNamespace[]): string[] {
  if (platform.length === 0) return [];
  const named = firstOf(
    platform.map(({ name, evidence }) => `${name}: ${evidence}`),
    NAMED,
  );
  const effect = mode === 'Enforce' ? 'the policy refuses' : 'in mode Enforce, the policy would refuse';
  return [
    `warning: ${counted(platform.length, 'selected namespace')} ${platform.length === 1 ? 'carries' : 'carry'} the cluster's platform (${named}), and ${effect} their violating pods; leave them out in namespaceSelector, or run the operator with the --excluded-namespaces that cappol check --cluster prints`,
  ];
}

function unavailable({ defaultingUnavailable }: ResolvedPolicy): string[] {
  if (!defaultingUnavailable) return [];
  const since = offeredSince('mutatingAdmissionPolicies');
  return [
    `defaulting fills in no field: it needs MutatingAdmissionPolicy, which requires Kubernetes ${since} on every API server`,
  ];
}

function withoutEffect({ withoutEffect: overrides }: ResolvedPolicy): string[] {
  return overrides.map(({ path, feature, without, because }) => {
    const since = offeredSince(feature);
    return without === 'NodesMayIgnore'
      ? `warning: overrides.${path} may have no effect on some nodes until every API server is at ${since}: ${because}. Check the versions with kubectl get nodes`
      : `overrides.${path} has no effect: it needs Kubernetes ${since} on every API server, since ${because}`;
  });
}

/**
 * The message about subjects whose RBAC wildcards grant the use of every policy. A test pod that an administrator
 * creates may be admitted, although an equal pod of a Deployment is refused. A controller creates the pods of a
 * Deployment, and the controller is not allowed to use every policy.
 */
function wildcardHolders({ usableBy }: ResolvedPolicy, holders: readonly Holder[]): string[] {
  if (usableBy === 'Everyone') return [];
  const names = holders
    .filter(({ subject, wildcard }) => wildcard && subject.name !== MASTERS)
    .map(({ subject, namespace }) => `${subject.kind} ${subject.name}${namespace ? ` in namespace ${namespace}` : ''}`);
  const all = firstOf(['cluster administrators', ...[...new Set(names)].sort()], NAMED + 1);
  return [
    `holders of wildcard verbs (${all}) may use this policy, too, so their test pods are admitted: test with --as, such as kubectl create -f pod.yaml ${AS_CONTROLLER}`,
  ];
}

/**
 * The message about bindings that are older than the policy. RBAC refers to a policy by its name. A binding for an
 * earlier policy therefore also grants the use of a new policy with the same name. The operator reports an older
 * binding, but does not remove the binding. Somebody may have made the binding in advance for the new policy.
 */
function boundBefore({ name, usableBy }: ResolvedPolicy, bindings: readonly BindingName[]): string[] {
  const names = bindings
    // The operator itself writes the ClusterRoleBinding for `subjects`. This ClusterRoleBinding may be older than the
    // policy. Some admission policy may still check the use of an earlier CapabilityPolicy with the same name. Until
    // this check ends, the operator keeps the ClusterRoleBinding.
    .filter((one) => !(usableBy === 'Subjects' && one.namespace === undefined && one.name === useRoleName(name)))
    .map((one) => (one.namespace ? `RoleBinding ${one.namespace}/${one.name}` : `ClusterRoleBinding ${one.name}`));
  if (usableBy === 'Everyone' || names.length === 0) return [];
  const listed = firstOf(names.sort(), NAMED);
  return [
    `these bindings are older than this policy and grant its use by name: ${listed}; delete the bindings that were meant for an earlier policy`,
  ];
}

function wideSubjects({ usableBy, subjects }: ResolvedPolicy): string[] {
  const wide = usableBy === 'Subjects' ? subjects.filter(coversControllers) : [];
  if (wide.length === 0) return [];
  const names = wide.map(({ kind, namespace, name }) => `${kind} ${namespace ? `${namespace}/` : ''}${name}`).sort();
  const verb = wide.length === 1 ? 'includes' : 'include';
  return [
    `warning: ${names.join(', ')} ${verb} built-in workload controllers, so anybody who may create a workload may use this policy through such a controller`,
  ];
}

/**
 * The message about entries of `spec.containers` in a policy for everyone. The author of a pod chooses the names and
 * images of its containers.
 */
function namedForEveryone({ usableBy, containers }: ResolvedPolicy): string[] {
  if (usableBy !== 'Everyone' || containers.length === 0) return [];
  const names = firstOf(
    [...new Set(containers.flatMap(({ names, images }) => (names.length > 0 ? names : (images ?? []))))],
    NAMED,
  );
  return [
    `warning: the author of a pod chooses the names and images of its containers, so every pod may have a container that spec.containers selects (${names}); set usableBy to Subjects, and list the service accounts that need the exception`,
  ];
}

/**
 * The message about containers that share their processes. If the containers of a pod share their processes, an
 * exception for one container reaches the other containers. Without shared processes, the exception does not reach the
 * other containers.
 */
function sharedProcesses({ containers }: ResolvedPolicy): string[] {
  if (containers.length === 0) return [];
  return [
    'spec.containers: in a pod with shareProcessNamespace: true, other containers that run as the same user can end the processes of the selected containers',
  ];
}

function programmedCondition(input: ConditionInput): BareCondition {
  const { resolution, accepted, expired, program, previous, generation } = input;
  const type = 'Programmed';
  if ('refusal' in resolution) {
    const earlier = accepted && !expired ? '; the last accepted version stays in force' : '';
    const message = `this version of the policy is not in force: it is not accepted${earlier}`;
    return { type, status: 'False', reason: reasons.NOT_ACCEPTED, message };
  }
  if (expired) {
    return { type, status: 'True', reason: reasons.EXPIRED, message: expiredText(resolution.policy.expires) };
  }
  if (!program) {
    // After a restart, the operator keeps the condition from before the restart until the operator has observed the
    // state itself.
    const before = previous.find((one) => one.type === type && one.observedGeneration === generation);
    if (before && before.reason !== reasons.NOT_ACCEPTED && before.reason !== reasons.EXPIRED) return before;
    return { type, status: 'False', reason: reasons.PENDING, message: 'the program will be written' };
  }
  const { inForce, answering } = program.servers;
  const where = `row ${program.row} is in force on ${inForce} of ${answering} API servers`;
  if (program.state === 'InForce') return { type, status: 'True', reason: reasons.IN_FORCE, message: where };
  if (program.isUnprovable) {
    const unproved = `row ${program.row} is written and may be enforced, but this cannot be proved: ${program.message}`;
    return { type, status: 'False', reason: reasons.PROBE_REFUSED, message: unproved };
  }
  // An older row may be in force. A count of API servers would hide that the newest row is not.
  if (program.state === 'Failed')
    return { type, status: 'False', reason: reasons.APPLY_FAILED, message: program.message || where };
  const message = program.message === '' ? where : `${where}; ${program.message}`;
  return { type, status: 'False', reason: reasons.PROGRAMMING, message };
}

function labelConflictCondition(conflicts: readonly string[]): BareCondition[] {
  if (conflicts.length === 0) return [];
  const message = `${firstOf(conflicts, NAMED, '; ')}. The policy is still enforced; to let the operator manage the label, remove it`;
  return [{ type: 'LabelConflict', status: 'True', reason: reasons.FOREIGN_LABEL, message }];
}

/**
 * @param unready the condition Ready if a label is refused. If no label is refused, the value is undefined
 */
function readyCondition(
  accepted: BareCondition,
  programmed: BareCondition,
  unready: BareCondition | undefined,
): BareCondition {
  const { status, reason, message } = accepted.status === 'True' ? programmed : accepted;
  return status === 'True' && unready ? unready : { type: 'Ready', status, reason, message };
}

function withHistory(bare: BareCondition, { previous, generation, now }: ConditionInput): Condition {
  const before = previous.find(({ type }) => type === bare.type);
  return {
    ...bare,
    message: bounded(bare.message, MESSAGE_LENGTH),
    observedGeneration: generation,
    lastTransitionTime: before?.status === bare.status ? before.lastTransitionTime : inSeconds(now),
  };
}

/** Returns the time without fractions of a second, because metav1.Time has no fractions. */
export function inSeconds(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}
