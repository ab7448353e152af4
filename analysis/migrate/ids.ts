/** Migrates the strategies for user and group IDs. */

import { distinct, inexact, known, type MigratedField, stated, withRoom } from './migrated-field.ts';
import type { Remark } from './migration.ts';

export interface IdRange {
  readonly min: number;
  readonly max: number;
}

interface Strategy {
  readonly rule?: string | undefined;
  readonly ranges?: readonly Partial<IdRange>[];
}

/** The highest ID that a pod may have (apimachinery validation.IsValidUserID). */
const GREATEST = 2147483647;
const MOST_RANGES = 32;

/**
 * @param override the name of the override, such as `runAsUser`
 * @param field the field of the input, such as `spec.runAsUser`
 * @param ruled the values of `rule` that require ranges
 */
export function idStrategy(
  override: string,
  field: string,
  { rule = '', ranges: written = [] }: Strategy = {},
  ruled: readonly string[] = ['MustRunAs', 'MayRunAs'],
): MigratedField {
  const ranges = written.map(({ min = 0, max = 0 }) => ({ min, max }));
  if (!ruled.includes(rule)) {
    const text = `${rule} ignores ranges, as before`;
    return {
      statements: [stated(override, { rule }, field)],
      remarks: ranges.length > 0 ? [known(`${field}.ranges`, ranges, text)] : [],
    };
  }
  if (ranges.length === 0) {
    const text = `${rule} without ranges: the API server accepted this policy, but the policy could never admit a pod`;
    return { never: known(`${field}.ranges`, ranges, text) };
  }
  return ranged(override, field, rule, ranges);
}

function ranged(override: string, field: string, rule: string, ranges: readonly IdRange[]): MigratedField {
  const possible = ranges.filter(({ min }) => min <= GREATEST);
  if (possible.length === 0) {
    if (rule === 'MayRunAs') return noId(override, field, ranges);
    const text = `no pod may have an ID above ${GREATEST}, so the policy could never admit a pod`;
    return { never: known(`${field}.ranges`, ranges, text) };
  }
  const clipped = distinct(possible.map(({ min, max }) => ({ min, max: Math.min(max, GREATEST) })));
  const { kept, remarks } = withRoom(`${field}.ranges`, fewer(clipped), MOST_RANGES);
  return {
    statements: [stated(override, { rule, ranges: kept }, field)],
    remarks: [
      ...(rule === 'MustRunAs' ? [...firstRemark(field, ranges), ...emptyListRemark(override, field, clipped)] : []),
      ...remarks,
    ],
  };
}

/**
 * Migrates the rule MayRunAs without a valid range. MayRunAs without a range admitted only pods that leave the ID
 * unset.
 */
function noId(override: string, field: string, ranges: readonly IdRange[]): MigratedField {
  const text = `no pod may have an ID above ${GREATEST}: only pods that left the ID unset were admitted; now a pod with ID ${GREATEST} is admitted, too`;
  const last = { min: GREATEST, max: GREATEST };
  return {
    statements: [stated(override, { rule: 'MayRunAs', ranges: [last] }, field)],
    remarks: [inexact(`${field}.ranges`, ranges, text)],
  };
}

function firstRemark(field: string, [first]: readonly IdRange[]): Remark[] {
  if (!first || first.min <= GREATEST) return [];
  const text = `the "min" of this range was filled in, and no pod may have this ID. So pods that left the ID unset were refused. Now these pods get the "min" of the next range`;
  return [inexact(`${field}.ranges[0]`, first, text)];
}

/**
 * The remark on `supplementalGroups: []`. PodSecurityPolicy and SecurityContextConstraints refuse an empty list of
 * groups ("unable to validate empty groups against required ranges", k8s.io/kubernetes@v1.24.17
 * pkg/security/podsecuritypolicy/group/mustrunas.go). An admission policy cannot refuse an empty list. The field has
 * `omitempty`, so the API server drops the empty list when it serializes the pod for the policy (shown by
 * test/integration/decisions.test.ts).
 */
function emptyListRemark(override: string, field: string, [first]: readonly IdRange[]): Remark[] {
  if (override !== 'supplementalGroups' || !first) return [];
  const text = `the same, except for pods with \`supplementalGroups: []\`. Such pods were refused before. The API server does not show an empty list to admission policies. So a pod with an empty list counts as a pod without the field, and defaulting gives group ${first.min} to the pod`;
  return [known(field, [], text)];
}

/**
 * Reduces the number of ranges. The IDs in the ranges stay the same. The first range is kept separate, because
 * defaulting fills in its lower end. All other ranges are merged.
 */
function fewer(ranges: readonly IdRange[]): readonly IdRange[] {
  if (ranges.length <= MOST_RANGES) return ranges;
  const [first, ...others] = ranges as [IdRange, ...IdRange[]];
  return [first, ...merge(others)];
}

/** Merges ranges. The result has the same IDs in disjoint, sorted ranges. */
export function merge(ranges: readonly IdRange[]): IdRange[] {
  const merged: IdRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.min - b.min)) {
    const before = merged.at(-1);
    if (before && range.min <= before.max + 1)
      merged.splice(-1, 1, { min: before.min, max: Math.max(before.max, range.max) });
    else merged.push(range);
  }
  return merged;
}
