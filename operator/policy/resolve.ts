/**
 * Resolves policies. A resolved policy has the form that is compiled and evaluated. A resolved policy has a value for
 * every rule, and no longer depends on levels or defaults.
 */
import type { CompletePolicy, CompleteSpec, LabelSelector, Mode, Subject, UsableBy } from '../api/capability-policy.ts';
import { Recent } from '../model/recent.ts';
import { RULES } from '../rules/index.ts';
import { afterFilling, type Check, type Fill, type Fix, type Rule, type ServerNeed } from '../rules/rule.ts';
import { formatVersion, NEWEST_KNOWN_MINOR, parseVersion, type Standard } from '../standards/level-version.ts';
import { offeredSince, offers } from '../standards/server-features.ts';
import {
  type ContainerEntry,
  checksOfRule,
  containerEntries,
  fillsOfRule,
  fixesOfRule,
  ruleValues,
  statedIn,
} from './containers.ts';
import { contradictionsIn } from './contradictions.ts';
import { NEVER, parseTime } from './expiry.ts';

export interface ResolvedPolicy {
  /**
   * An ID that is unique among resolved policies. The ID is the policy's name. The pending part of a rollout has a
   * suffix (parts.ts).
   */
  readonly id: string;
  /** The name of the CapabilityPolicy. */
  readonly name: string;
  readonly uid: string;
  /** The spec that was resolved. */
  readonly spec: CompleteSpec;
  readonly selector: LabelSelector;
  readonly mode: Mode;
  readonly priority: number;
  readonly usableBy: UsableBy;
  readonly subjects: readonly Subject[];
  /** The time from which the policy counts as deleted (see expiry.ts). */
  readonly expires: number;
  readonly podSecurityLabels: 'Managed' | 'Off';
  readonly adminAccessLabel: 'Guarded' | 'Unguarded';
  readonly standard: Standard;
  /**
   * Whether levelVersion is `latest` and the API servers are newer than the Standards in this release.
   */
  readonly latestLags: boolean;
  /** The values for the pod, and for containers that no entry of `containers` selects. The key is the rule's ID. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The entries of `spec.containers`, in the order of the spec. */
  readonly containers: readonly ContainerEntry[];
  /** The checks of the rules that restrict anything, in the order of the list of rules. */
  readonly checks: readonly RuleChecks[];
  /** Whether the policy fills in unset fields of a pod, if the pod complies after defaulting. */
  readonly defaulting: boolean;
  /**
   * Whether defaulting counts a pod with its own seccomp profile as changed. PodSecurityPolicy counted a pod with its
   * own seccomp profile as changed.
   */
  readonly seccompChanges: boolean;
  /** Whether the policy has defaulting enabled, but the API servers do not support defaulting. */
  readonly defaultingUnavailable: boolean;
  /**
   * The overrides that need a feature which some API server lacks. Without the feature, an override has no effect, or
   * some nodes ignore the override.
   */
  readonly withoutEffect: readonly ServerNeed[];
  /** The settings that have no effect because of other settings of the policy. Each item is one sentence. */
  readonly contradictions: readonly string[];
  /** The checks of a pod after defaulting. If the policy has no defaulting, this list is `checks`. */
  readonly filledChecks: readonly RuleChecks[];
  /** The mode of a policy with `rollout` in namespaces that are still pending. */
  readonly meanwhile?: Mode;
  /**
   * The enforced part, which will decide in the pending namespaces after their promotion. Only the pending part of a
   * rollout has this field.
   */
  readonly pendingFor?: ResolvedPolicy;
  /** The fields that defaulting writes, in the order of the list of rules. Without defaulting, the list is empty. */
  readonly fills: readonly Fill[];
}

export interface RuleChecks {
  readonly rule: string;
  readonly checks: readonly Check[];
}

/**
 * Why a policy does not come into force. A refusal has the reason of the condition Accepted, and a message with the field
 * and the fix.
 */
export interface Refusal {
  readonly reason: 'VersionTooNew' | 'ServerTooOld' | 'InvalidSpec' | 'TooExpensive' | 'WriteRefused';
  readonly message: string;
}

export type Resolution =
  | { readonly policy: ResolvedPolicy }
  | {
      readonly refusal: Refusal;
      /**
       * The resolved policy, if the operator accepted the spec before an older API server joined the cluster. A policy
       * that the operator accepted earlier stays in force.
       */
      readonly asBefore?: ResolvedPolicy;
    };

/**
 * @param oldestServer the version of the oldest API server, as N of Kubernetes 1.N. This version determines the meaning
 * of `latest`. This version is also the newest version of the Standards that every API server enforces.
 * @param serverDefaults the fields that this release does not know, but that API servers fill in. The list has the
 * format of Standard
 */
export function resolvePolicy(
  policy: Pick<CompletePolicy, 'metadata' | 'spec'>,
  oldestServer: number,
  serverDefaults: readonly string[] = [],
): Resolution {
  const { spec } = policy;
  const version = resolveVersion(spec.levelVersion, oldestServer);
  if (typeof version !== 'number') return { refusal: version };
  const expires = spec.expires === undefined ? NEVER : parseTime(spec.expires);
  if (expires === undefined) return { refusal: notATime(spec.expires) };
  const standard: Standard = {
    level: spec.level,
    minor: version,
    server: oldestServer,
    ...(serverDefaults.length > 0 && { serverDefaults }),
  };
  const asked = spec.defaulting !== 'Disabled';
  const defaulting = asked && offers(oldestServer, 'mutatingAdmissionPolicies');
  const { overrides = {} } = spec;
  const values = Object.fromEntries(RULES.map((rule) => [rule.id, rule.value(overrides, standard)]));
  const containers = containerEntries(spec, standard, values);
  const lacking = needsOf(spec).filter(({ feature }) => !offers(oldestServer, feature));
  const resolved: ResolvedPolicy = {
    id: policy.metadata?.name ?? '',
    name: policy.metadata?.name ?? '',
    uid: policy.metadata?.uid ?? '',
    spec,
    selector: spec.namespaceSelector,
    mode: spec.mode,
    ...(spec.rollout && { meanwhile: spec.rollout.meanwhile }),
    priority: spec.priority,
    usableBy: spec.usableBy,
    subjects: spec.subjects ?? [],
    expires,
    podSecurityLabels: spec.podSecurityLabels,
    adminAccessLabel: spec.adminAccessLabel ?? 'Unguarded',
    standard,
    latestLags: oldestServer > NEWEST_KNOWN_MINOR && spec.levelVersion === 'latest',
    values,
    containers,
    checks: checksOf({ values, containers, standard }, false),
    defaulting,
    seccompChanges: defaulting && spec.defaulting === 'PodSecurityPolicy',
    defaultingUnavailable: asked && !defaulting,
    withoutEffect: lacking.filter(({ without }) => without !== 'NotAccepted'),
    contradictions: contradictionsIn(spec, standard),
    filledChecks: checksOf({ values, containers, standard }, defaulting),
    fills: defaulting ? fillsOf({ values, containers, standard }) : [],
  };
  const needed = lacking.find(({ without }) => without === 'NotAccepted');
  return needed ? { refusal: tooOld(needed, oldestServer), asBefore: resolved } : { policy: resolved };
}

function tooOld({ path, feature, because }: ServerNeed, oldestServer: number): Refusal {
  const message = `spec.overrides.${path}: needs Kubernetes ${offeredSince(feature)} on every API server, and the oldest is at ${formatVersion(oldestServer)}: ${because}; upgrade it, or remove the field`;
  return { reason: 'ServerTooOld', message };
}

/** The overrides that need a feature of the API servers. The list has each override once. */
function needsOf(spec: CompletePolicy['spec']): ServerNeed[] {
  const needs = RULES.flatMap((rule) => statedIn(spec).flatMap((overrides) => rule.needs?.(overrides) ?? []));
  return [...new Map(needs.map((need) => [`${need.path} ${need.feature}`, need])).values()];
}

/** The checks of one part of a pod, such as its containers or volumes. */
export function checksOver(ofRules: readonly RuleChecks[], part: Check['over']): Check[] {
  return ofRules.flatMap(({ checks }) => checks).filter(({ over }) => over === part);
}

export type Valued = Pick<ResolvedPolicy, 'values' | 'containers' | 'standard'>;

/**
 * Most policies of a cluster have only the values of their level. All policies without values of their own share one
 * list of checks.
 */
const KNOWN_CHECKS = new Recent<readonly RuleChecks[]>(256);

/** @param filled whether the checks evaluate a pod after defaulting */
export function checksOf({ values, containers, standard }: Valued, filled: boolean): readonly RuleChecks[] {
  // The cache key also contains the rule IDs, because JSON leaves out undefined values. In an entry, an undefined value
  // has another meaning than a missing value. If the value is missing, the pod's value applies.
  const entries = containers.map(({ selects, values: own }) => [selects, own, Object.keys(own)]);
  return KNOWN_CHECKS.get(JSON.stringify([values, entries, standard, filled]), () =>
    checksOfRules(RULES, { values, containers, standard }, filled),
  );
}

/** The checks of some of the rules. */
export function checksOfRules(
  rules: readonly Rule[],
  { values, containers, standard }: Valued,
  filled: boolean,
): readonly RuleChecks[] {
  const fills = filled ? fillsOf({ values, containers, standard }) : [];
  return rules
    .map((rule) => ({
      rule: rule.id,
      checks: afterFilling(checksOfRule(ruleValues(rule, values, containers), standard, filled), fills),
    }))
    .filter(({ checks }) => checks.length > 0);
}

/** The fields that defaulting writes, in the order of the list of rules. */
export function fillsOf({ values, containers, standard }: Valued): Fill[] {
  return RULES.flatMap((rule) => fillsOfRule(ruleValues(rule, values, containers), standard));
}

/**
 * The fixes that end violations of the policy. The key is the rule's ID. The map contains every rule, in the order of
 * the list of rules.
 */
export function fixesOf({ values, containers, standard }: Valued): ReadonlyMap<string, readonly Fix[]> {
  return new Map(RULES.map((rule) => [rule.id, fixesOfRule(ruleValues(rule, values, containers), standard)]));
}

function notATime(text: unknown): Refusal {
  const message = `spec.expires: ${JSON.stringify(text)} is not a time: write date and time in whole seconds with Z or an offset (RFC 3339), such as 2027-01-31T00:00:00Z`;
  return { reason: 'InvalidSpec', message };
}

function resolveVersion(text: string, oldestServer: number): number | Refusal {
  const newest = Math.min(oldestServer, NEWEST_KNOWN_MINOR);
  if (text === 'latest') return newest;
  const minor = parseVersion(text);
  if (minor === undefined) {
    const message = `spec.levelVersion: ${JSON.stringify(text)} is not a version: write latest, or v1.N such as ${formatVersion(newest)}`;
    return { reason: 'InvalidSpec', message };
  }
  if (minor <= newest) return minor;
  const limit =
    oldestServer <= NEWEST_KNOWN_MINOR
      ? 'the oldest API server enforces versions up to'
      : 'this release knows the Standards up to version';
  const message = `spec.levelVersion: ${text} is too new: ${limit} ${formatVersion(newest)}; write ${formatVersion(newest)} or older, or latest`;
  return { reason: 'VersionTooNew', message };
}
