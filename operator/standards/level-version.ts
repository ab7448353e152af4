/**
 * Levels and versions of the Pod Security Standards.
 *
 * A version is the minor number N of Kubernetes 1.N. The major number has been 1 since 2015.
 */

/** The levels of the Pod Security Standards, from the loosest to the tightest. */
export const LEVELS = ['privileged', 'baseline', 'restricted'] as const;
export type Level = (typeof LEVELS)[number];

/** The newest version whose checks this release knows (k8s.io/pod-security-admission v0.N). */
export const NEWEST_KNOWN_MINOR = 37;

/** The level and version of the Pod Security Standards on which a value or a check is based. */
export interface Standard {
  readonly level: Level;
  /** The Standard's version, as N of v1.N. */
  readonly minor: number;
  /** The version of the oldest API server, as N of v1.N. Some values depend on whether all API servers have a field. */
  readonly server: number;
  /**
   * The sorted fields that API servers fill in. The list contains only fields that this release does not know. If API
   * servers fill in only known fields, the list is absent. Each item has the form `PATH=VALUE`. In a path, the name of
   * a list stands for the items of the list. An example of an item is
   * `spec.containers.securityContext.procMount=Default`. If the value of a field is an object, the list contains an
   * item for each field of the object. If the value is a list of objects, `[]` follows the path.
   */
  readonly serverDefaults?: readonly string[];
}

/**
 * Compares two levels. The result is -1 if `a` is looser than `b`, 0 if the levels are equal, and 1 if `a` is tighter
 * than `b`.
 */
export function compareLevels(a: Level, b: Level): number {
  return Math.sign(LEVELS.indexOf(a) - LEVELS.indexOf(b));
}

/** Returns the looser of two levels. The looser level admits every pod that at least one of the two levels admits. */
export function looser(a: Level, b: Level): Level {
  return compareLevels(a, b) <= 0 ? a : b;
}

/** Returns 30 for `v1.30`. Returns undefined for a string that is not of the form v1.N, such as `latest`. */
export function parseVersion(text: string): number | undefined {
  const match = /^v1\.(0|[1-9]\d*)$/.exec(text);
  return match ? Number(match[1]) : undefined;
}

export function formatVersion(minor: number): string {
  return `v1.${minor}`;
}
