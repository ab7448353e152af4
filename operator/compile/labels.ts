/**
 * Computes the Pod Security Admission labels of a namespace. If a deciding policy admits a new pod, the labels must
 * also admit the pod. No tighter combination of level and version admits all of these pods.
 */
import type { Mode } from '../api/capability-policy.ts';
import { deciding, MODES } from '../policy/deciding.ts';
import { perObject } from '../policy/memo.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { RULES } from '../rules/index.ts';
import {
  compareLevels,
  formatVersion,
  type Level,
  looser,
  NEWEST_KNOWN_MINOR,
  parseVersion,
} from '../standards/level-version.ts';
import { isAsTight, isStrictlyTighter, minorsOf, newestMinor, tightestMinor } from './label-order.ts';

export const LABEL_PREFIX = 'pod-security.kubernetes.io/';

export interface LevelVersion {
  readonly level: Exclude<Level, 'privileged'>;
  readonly minor: number;
}

export type PodSecurityMode = 'enforce' | 'warn' | 'audit';
/**
 * The Pod Security defaults apply to namespaces without labels, and come from the cluster's PodSecurityConfiguration.
 */
export type PodSecurityDefaults = Partial<Readonly<Record<PodSecurityMode, LevelVersion>>>;

export const LABEL_OF_MODE: Readonly<Record<Mode, PodSecurityMode>> = {
  Enforce: 'enforce',
  Warn: 'warn',
  Audit: 'audit',
};

/**
 * The key of the Pod Security label of a mode. The label with the version has the same key with `-version` at the end.
 */
export function labelOfMode(mode: Mode): string {
  return `${LABEL_PREFIX}${LABEL_OF_MODE[mode]}`;
}

interface LabelOptions {
  /** The version of the oldest API server, as N of Kubernetes 1.N. */
  readonly oldestServer: number;
  /**
   * The cluster's Pod Security defaults. The API does not show these defaults. A label replaces the default of its
   * mode, so a label must not be looser than the default.
   */
  readonly podSecurityDefaults: PodSecurityDefaults;
}

/**
 * The Pod Security labels that policies want on a namespace with the given labels. The result is empty if the policies
 * want no labels.
 */
export function podSecurityLabels(
  policies: readonly ResolvedPolicy[],
  labels: Readonly<Record<string, string>>,
  options: LabelOptions,
): Record<string, string> {
  const wanted: Partial<Record<PodSecurityMode, LevelVersion>> = {};
  for (const mode of MODES) {
    const deciders = deciding(policies, mode, labels);
    if (deciders.length === 0 || deciders.some(({ podSecurityLabels }) => podSecurityLabels === 'Off')) continue;
    const found = tightest(deciders, options.oldestServer);
    if (!found) continue;
    wanted[LABEL_OF_MODE[mode]] = found;
    // If the Pod Security mode `warn` or `audit` has no label, the mode follows the label of the mode `enforce`.
    // Without a label, the mode would therefore warn about fields that defaulting will fill in.
    const unfilled = deciders.some(({ defaulting }) => defaulting) && tightest(deciders, options.oldestServer, true);
    if (unfilled) Object.assign(wanted, { warn: unfilled, audit: unfilled });
  }
  const entries = (Object.entries(wanted) as [PodSecurityMode, LevelVersion][])
    .filter(([mode, found]) => {
      const byDefault = options.podSecurityDefaults[mode];
      return !byDefault || isAsTight(found, byDefault, options.oldestServer);
    })
    .flatMap(([mode, { level, minor }]) => [
      [`${LABEL_PREFIX}${mode}`, level],
      [`${LABEL_PREFIX}${mode}-version`, formatVersion(minor)],
    ]);
  return Object.fromEntries(entries);
}

/**
 * Whether the wanted labels of a mode refuse some pod that the earlier labels admit. If there is no earlier label, the
 * function assumes that every pod was admitted.
 *
 * @param server the minor version of the oldest API server, such as 33 for Kubernetes 1.33
 */
export function isTighter(
  mode: PodSecurityMode,
  wanted: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>>,
  server: number,
): boolean {
  const [now, then] = [wanted, before].map((labels) => labelled(mode, labels, server));
  return now !== undefined && (then === undefined || !isAsTight(then, now, server));
}

/**
 * Whether Pod Security refuses a pod that the deciding policies admit. If no policy of mode Enforce decides, the result
 * is false.
 *
 * @param labels the labels by which the policies decide
 * @param enforced the level and version that Pod Security enforces in the namespace
 */
export function refusesAdmitted(
  policies: readonly ResolvedPolicy[],
  labels: Readonly<Record<string, string>>,
  enforced: LevelVersion,
): boolean {
  return deciding(policies, 'Enforce', labels).some(
    (policy) => compareLevels(levelAt(policy, enforced.minor), enforced.level) < 0,
  );
}

/**
 * The level and version that Pod Security enforces in a namespace without the label `enforce`. The label
 * `enforce-version` replaces the version of the default. If the namespace has the label `enforce`, the result is
 * undefined.
 */
export function enforcedByDefault(
  labels: Readonly<Record<string, string>>,
  byDefault: LevelVersion,
  server: number,
): LevelVersion | undefined {
  if (labels[labelOfMode('Enforce')] !== undefined) return undefined;
  const version = labels[`${labelOfMode('Enforce')}-version`];
  const minor = version === undefined ? byDefault.minor : (parseVersion(version) ?? server);
  return { ...byDefault, minor: Math.min(minor, NEWEST_KNOWN_MINOR) };
}

/** Returns 30 for `v1.30`. Every other text, such as `latest`, means the newest version that this release knows. */
export function minorOf(version: string): number {
  return parseVersion(version) ?? NEWEST_KNOWN_MINOR;
}

/** Returns `baseline:v1.30`, or `privileged` if there is no level. */
export function formatLevel(one: LevelVersion | undefined): string {
  return one ? `${one.level}:${formatVersion(one.minor)}` : 'privileged';
}

/**
 * Reads the level and version of a mode from a namespace's labels. The result is undefined if the labels admit every
 * pod, or if there are no labels for the mode.
 */
export function labelled(
  mode: PodSecurityMode,
  labels: Readonly<Record<string, string>>,
  server: number,
): LevelVersion | undefined {
  const level = labels[`${LABEL_PREFIX}${mode}`];
  if (level !== 'restricted' && level !== 'baseline') return undefined;
  const minor = parseVersion(labels[`${LABEL_PREFIX}${mode}-version`] ?? '') ?? server;
  return { level, minor: Math.min(minor, NEWEST_KNOWN_MINOR) };
}

/**
 * Returns the tightest level that admits every pod which the policies admit. The version is a version of this level
 * that admits these pods. No tighter version of this level admits all of these pods. Two versions may each refuse pods
 * that the other version admits. In this case, the result has the newer of the two versions.
 * @param unfilled as for levelAt
 */
export function tightest(
  policies: readonly ResolvedPolicy[],
  oldestServer: number,
  unfilled = false,
): LevelVersion | undefined {
  for (const level of ['restricted', 'baseline'] as const) {
    const fitting = minorsOf(oldestServer).filter((minor) =>
      policies.every((policy) => compareLevels(levelAt(policy, minor, unfilled), level) >= 0),
    );
    const minor = tightestMinor(level, fitting, oldestServer);
    if (minor !== undefined) return { level, minor };
  }
  return undefined;
}

/**
 * Returns the tightest level, at version v1.`label`, that admits every pod which the policy admits.
 * @param unfilled whether the label is for pods before defaulting. Only level `restricted` requires the fields that
 * defaulting fills in
 */
export function levelAt(policy: ResolvedPolicy, label: number, unfilled = false): Level {
  const known = levelsOf(policy);
  const level = known.get(label) ?? ofRules(policy, label);
  known.set(label, level);
  return unfilled && policy.fills.length > 0 ? looser(level, 'baseline') : level;
}

/** Caches the levels of a policy. The key is the version of the label. */
const levelsOf = perObject((_policy: ResolvedPolicy) => new Map<number, Level>());

/** The loosest level of all rules, including the values of rules for single containers. */
function ofRules(policy: ResolvedPolicy, label: number): Level {
  return levelsByRule(policy, label)
    .map(({ level }) => level)
    .reduce(looser);
}

/**
 * Returns one level for each value that the policy gives to a rule. The returned level is the tightest level that
 * admits all pods which the rule admits with this value.
 */
function levelsByRule({ values, containers, standard }: ResolvedPolicy, label: number) {
  const all = [{ values, names: undefined }, ...containers];
  return RULES.flatMap((rule) =>
    all
      .filter((one) => Object.hasOwn(one.values, rule.id))
      .map((one) => ({
        rule: rule.id,
        containers: one.names,
        level: rule.podSecurity(one.values[rule.id], standard, label),
      })),
  );
}

/** A value of a policy that prevents a tighter label. The value admits a pod that the tighter label refuses. */
export interface LabelCost extends LevelVersion {
  readonly policy: string;
  /**
   * The rule whose value prevents the label. The field is undefined if defaulting prevents the label. Defaulting
   * prevents a label that would require fields in pods before the policy fills in these fields.
   */
  readonly rule: string | undefined;
  /**
   * An entry of `spec.containers` gives the value to the containers with these names. The field is undefined if
   * `spec.overrides` gives the value.
   */
  readonly containers: readonly string[] | undefined;
}

/**
 * Explains why `tightest` returns no tighter label. The result has the values that prevent a tighter level, at the
 * newest version of this level. The result of `tightest` is a level and a version. If newer versions of the same level
 * are tighter, the result also has the values that prevent the oldest of these tighter versions. The result is empty if
 * neither a tighter level nor a newer and tighter version exists.
 * @param unfilled as for levelAt
 */
export function labelCosts(policies: readonly ResolvedPolicy[], oldestServer: number, unfilled = false): LabelCost[] {
  const found = tightest(policies, oldestServer, unfilled);
  const tighter = (['restricted', 'baseline'] as const)
    .filter((level) => compareLevels(level, found?.level ?? 'privileged') > 0)
    .map((level) => ({ level, minor: newestMinor(oldestServer) }));
  return [...tighter, ...newerAndTighter(found, oldestServer)].flatMap((wanted) =>
    policies.flatMap((policy) => costsOf(policy, wanted, unfilled)),
  );
}

/**
 * Finds the versions of a label's level that are newer and tighter than the label. Returns the oldest of these
 * versions.
 */
function newerAndTighter(found: LevelVersion | undefined, server: number): LevelVersion[] {
  if (!found) return [];
  const { level } = found;
  const newer = minorsOf(server).filter((minor) => minor > found.minor);
  const minor = newer.findLast((one) => isStrictlyTighter({ level, minor: one }, found, server));
  return minor === undefined ? [] : [{ level, minor }];
}

function costsOf(policy: ResolvedPolicy, { level, minor }: LevelVersion, unfilled: boolean): LabelCost[] {
  const cost = { policy: policy.name, level, minor };
  const fills = unfilled && policy.fills.length > 0 && level === 'restricted';
  return [
    ...(fills ? [{ ...cost, rule: undefined, containers: undefined }] : []),
    ...levelsByRule(policy, minor)
      .filter((one) => compareLevels(one.level, level) < 0)
      .map(({ rule, containers }) => ({ ...cost, rule, containers })),
  ];
}

/**
 * The rules that are stricter than the Pod Security label. The label does not cover these rules, so the admission
 * policy alone enforces them.
 */
export function rulesBeyondLabel(policy: ResolvedPolicy, found: LevelVersion | undefined): string[] {
  const standard = found
    ? { level: found.level, minor: found.minor, server: policy.standard.server }
    : { level: 'privileged' as const, minor: policy.standard.minor, server: policy.standard.server };
  return policy.checks
    .filter(({ rule, checks }) => {
      const definition = RULES.find(({ id }) => id === rule);
      const byLabel = definition?.checks(definition.value({}, standard), standard) ?? [];
      return JSON.stringify(checks) !== JSON.stringify(byLabel);
    })
    .map(({ rule }) => rule);
}
