/**
 * Compares Pod Security labels. A newer version of a level may be tighter, looser or neither, so the functions compare
 * rule by rule. For example, v1.34 of a level refuses host probes that v1.33 admits. Since v1.35, the levels admit more
 * pods in user namespaces.
 */
import { RULES } from '../rules/index.ts';
import { compareLevels, NEWEST_KNOWN_MINOR, type Standard } from '../standards/level-version.ts';

/** A level and version of Pod Security Admission, without the version of the API server. */
type Label = Pick<Standard, 'level' | 'minor'>;

/**
 * Whether `one` is at least as tight as `other`. If the result is true, `other` admits every pod that `one` admits.
 *
 * @param server the minor version of the oldest API server, such as 33 for Kubernetes 1.33
 */
export function isAsTight(one: Label, other: Label, server: number): boolean {
  const key = `${server} ${one.level} ${one.minor} ${other.level} ${other.minor}`;
  const known = KNOWN.get(key) ?? isAsTightByRules(one, other, server);
  KNOWN.set(key, known);
  return known;
}

const KNOWN = new Map<string, boolean>();

function isAsTightByRules(one: Label, other: Label, server: number): boolean {
  const standard: Standard = { level: one.level, minor: one.minor, server };
  return RULES.every(
    (rule) => compareLevels(rule.podSecurity(rule.value({}, standard), standard, other.minor), other.level) >= 0,
  );
}

/** Whether `one` is tighter than `other`. If the result is true, `one` admits some, but not all, pods of `other`. */
export function isStrictlyTighter(one: Label, other: Label, server: number): boolean {
  return isAsTight(one, other, server) && !isAsTight(other, one, server);
}

/**
 * Returns one of the given versions. No other given version is tighter than the returned version. If this is true for
 * several versions, the result is the newest of these versions. The result is undefined if there are no versions.
 *
 * @param minors the versions of the level to choose from. The newest version comes first
 */
export function tightestMinor(level: Standard['level'], minors: readonly number[], server: number): number | undefined {
  const key = `${server} ${level} ${minors}`;
  const known = TIGHTEST.get(key) ?? minors.find((minor) => !minors.some((other) => isTighter(other, minor)));
  if (known !== undefined) TIGHTEST.set(key, known);
  return known;

  function isTighter(one: number, other: number): boolean {
    return isStrictlyTighter({ level, minor: one }, { level, minor: other }, server);
  }
}

/** Caches the results of tightestMinor, because an operator computes the labels of many namespaces. */
const TIGHTEST = new Map<string, number>();

/**
 * Returns the newest version of a level that is at least as tight as the label. The result is undefined if this version
 * is the newest version that labels can have. The result is also undefined if no version of the level is as tight.
 */
export function newestAsTight(level: Standard['level'], label: Label, server: number): number | undefined {
  const found = minorsOf(server).find((minor) => isAsTight({ level, minor }, label, server));
  return found === newestMinor(server) ? undefined : found;
}

/** The newest version that labels can have, as N of v1.N. */
export function newestMinor(server: number): number {
  return Math.min(server, NEWEST_KNOWN_MINOR);
}

/** All versions that labels can have. The newest version comes first. */
export function minorsOf(server: number): number[] {
  const newest = newestMinor(server);
  return Array.from({ length: newest + 1 }, (_, older) => newest - older);
}
