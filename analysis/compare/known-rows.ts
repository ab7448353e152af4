/** The values of groups of checks, found only once for the many pairs of policies that have the same group. */
import { perList } from '../../operator/policy/memo.ts';
import { commonDimensions, type Dimension, dimensionsOf, type Rows, rowsOf } from './dimensions.ts';
import type { Group, Groups, UnderstoodCheck } from './groups.ts';
import type { TinyPods } from './tiny-pods.ts';

export interface GroupRows {
  readonly dimensions: readonly Dimension[];
  /** The rows of these dimensions and of the common ones. */
  readonly rows: Rows;
}

export class KnownRows {
  readonly #pods: TinyPods;
  readonly #ofChecks = perList((_: readonly UnderstoodCheck[]) => new Map<string, GroupRows>());

  constructor(pods: TinyPods) {
    this.#pods = pods;
  }

  /** @throws TooMany */
  ofGroup(group: Group, groups: Groups): GroupRows {
    const ofChecks = this.#ofChecks(group.checks);
    const common = commonDimensions(groups);
    // JSON leaves out undefined values, which are part of all common fields.
    const key = JSON.stringify([[...group.paths].filter(groups.isCommon), common, groups.containers]);
    const known = ofChecks.get(key) ?? this.#find(group, groups, common);
    ofChecks.set(key, known);
    return known;
  }

  #find(group: Group, groups: Groups, common: readonly Dimension[]): GroupRows {
    const dimensions = dimensionsOf(group, groups);
    return { dimensions, rows: rowsOf([...common, ...dimensions], group.checks, this.#pods) };
  }
}
