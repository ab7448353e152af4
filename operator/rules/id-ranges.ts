/** Words that the rules about user and group IDs share. */

/** User or group IDs, both ends included. */
export interface IdRange {
  readonly min: number;
  readonly max: number;
}

/** PodSecurityPolicy's strategies for groups. */
export interface GroupStrategy {
  readonly rule: 'RunAsAny' | 'MustRunAs' | 'MayRunAs';
  readonly ranges?: readonly IdRange[];
}

/** What stands in for an ID that is not set: no range contains it. */
export const UNSET = -1;

/**
 * CEL, bool: whether an ID is in one of the ranges.
 * @param id CEL, number; evaluated up to twice for each range
 */
export function inRanges(id: string, ranges: readonly IdRange[]): string {
  const conditions = ranges.map(({ min, max }) => `(${id} >= ${min} && ${id} <= ${max})`);
  return conditions.length === 0 ? 'false' : conditions.join(' || ');
}

/** For messages: `1000-1999, 65534`, or `none`. */
export function listedRanges(ranges: readonly IdRange[]): string {
  return ranges.length === 0
    ? 'none'
    : ranges.map(({ min, max }) => (min === max ? `${min}` : `${min}-${max}`)).join(', ');
}

/** What defaulting fills in; UNSET where there is no range. */
export function firstOf(ranges: readonly IdRange[]): number {
  return ranges[0]?.min ?? UNSET;
}
