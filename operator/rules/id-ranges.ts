/** CEL fragments and functions that the rules about user and group IDs share. */

import type { Example, ExamplePod } from './example.ts';

/** A range of user or group IDs, with both ends included. */
export interface IdRange {
  readonly min: number;
  readonly max: number;
}

/** PodSecurityPolicy's strategies for groups. */
export interface GroupStrategy {
  readonly rule: 'RunAsAny' | 'MustRunAs' | 'MayRunAs';
  readonly ranges?: readonly IdRange[];
}

/** Ranges for examples. Three ranges are enough to show the CEL of a binary search. */
export const THREE_RANGES = [
  { min: 1, max: 2 },
  { min: 5, max: 9 },
  { min: 100, max: 199 },
];

/** The examples of a rule about group IDs. @param pod returns a pod with the group ID */
export function groupExamples(id: 'runAsGroup' | 'fsGroup' | 'supplementalGroups', pod: (group: number) => ExamplePod) {
  const example = (
    rule: GroupStrategy['rule'],
    ranges: readonly IdRange[],
    refuses: readonly ExamplePod[],
  ): Example => ({
    overrides: { [id]: { rule, ranges } },
    admits: [pod(ranges[0]?.min ?? 0)],
    refuses,
  });
  return [
    example('MustRunAs', [{ min: 1000, max: 65535 }], [{}, pod(999)]),
    example('MayRunAs', THREE_RANGES, [pod(10)]),
  ];
}

/** Represents an unset ID. No range contains this number. */
export const UNSET = -1;

/**
 * A CEL expression of type bool: whether a number is in one of the ranges. The expression uses binary search, because
 * lists of numbers may be long.
 * @param number a CEL number, which the expression evaluates several times
 */
export function inRanges(number: string, ranges: readonly IdRange[]): string {
  const merged = mergedRanges(ranges);
  return merged.length === 0 ? 'false' : searched(number, merged);
}

/** The ranges in sorted order. Ranges without a gap between them are merged. */
function mergedRanges(ranges: readonly IdRange[]): IdRange[] {
  const merged: IdRange[] = [];
  for (const { min, max } of ranges.toSorted((a, b) => a.min - b.min)) {
    const last = merged.at(-1);
    if (last && min <= last.max + 1) merged[merged.length - 1] = { min: last.min, max: Math.max(last.max, max) };
    else merged.push({ min, max });
  }
  return merged;
}

/**
 * A CEL expression of type bool: whether the number is in one of the ranges, by binary search.
 * @param ranges at least one range, in sorted order
 */
function searched(number: string, ranges: readonly IdRange[]): string {
  const half = Math.floor(ranges.length / 2);
  const [middle] = ranges.slice(half) as [IdRange];
  if (half === 0) return `(${number} >= ${middle.min} && ${number} <= ${middle.max})`;
  const [below, above] = [ranges.slice(0, half), ranges.slice(half)];
  return `(${number} < ${middle.min} ? ${searched(number, below)} : ${searched(number, above)})`;
}

const MOST_RANGES = 32;

/**
 * Returns ranges that contain the given numbers and no other numbers. If there are more ranges than the API accepts,
 * the function merges the ranges that are nearest to each other.
 *
 * @returns undefined if a number is beyond the limits
 */
export function rangesOf(numbers: readonly number[], limits: IdRange): IdRange[] | undefined {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  if (sorted.some((number) => number < limits.min || number > limits.max)) return undefined;
  const gaps = sorted.slice(1).map((number, i) => ({ at: i + 1, size: number - (sorted[i] as number) }));
  const widest = gaps
    .filter(({ size }) => size > 1)
    .toSorted((a, b) => b.size - a.size)
    .slice(0, MOST_RANGES - 1);
  const starts = [0, ...widest.map(({ at }) => at).sort((a, b) => a - b), sorted.length];
  return starts.slice(1).flatMap((end, i) => {
    const [min, max] = [sorted[starts[i] as number], sorted[end - 1]];
    return min === undefined || max === undefined ? [] : [{ min, max }];
  });
}

/** The IDs that the API accepts in ranges. */
const IDS: IdRange = { min: 0, max: 2147483647 };

/**
 * PodSecurityPolicy's strategies that admit the given IDs of pods. The tightest strategy comes first.
 *
 * @param ids the IDs of pods and containers, with UNSET if some pod or container has no ID
 */
export function strategies(ids: readonly number[], ifSome: 'MayRunAs' | undefined) {
  const ranges = rangesOf(
    ids.filter((id) => id !== UNSET),
    IDS,
  );
  if (!ranges || ranges.length === 0) return [{ rule: 'RunAsAny' }];
  const must = ids.includes(UNSET) ? [] : [{ rule: 'MustRunAs', ranges }];
  return [...must, ...(ifSome ? [{ rule: ifSome, ranges }] : []), { rule: 'RunAsAny' }];
}

/** A range as text, in the form of an item of a column, such as `65534` or `1000-1999`. */
export function rangeText({ min, max }: IdRange): string {
  return min === max ? `${min}` : `${min}-${max}`;
}

/** The columns of a strategy: the column with the strategy's name, and the column with its ranges. */
export function groupColumns(id: string, rule: string, ranges: readonly IdRange[]) {
  return { [id]: [rule], [`${id}Ranges`]: ranges.map(rangeText) };
}

/** The ID that defaulting fills in. If there is no range, the result is UNSET. */
export function firstOf(ranges: readonly IdRange[]): number {
  return ranges[0]?.min ?? UNSET;
}
