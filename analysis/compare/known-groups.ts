/**
 * Keeps the values and options of groups of checks. Many pairs of policies have the same group, so the values are found
 * only once.
 */
import { perList } from '../../operator/policy/memo.ts';
import type { Budget } from './budget.ts';
import { commonDimensions, type Dimension, dimensionsOf, NAME } from './dimensions.ts';
import type { Group, Groups, UnderstoodCheck } from './groups.ts';
import { type Chosen, countOf, type GroupValues, type Option, optionsOf, type Sides, valuesOf } from './options.ts';
import { type Rows, rowsOf } from './rows.ts';
import type { TinyPods } from './tiny-pods.ts';

export class KnownGroups {
  readonly budget: Budget;
  readonly #pods: TinyPods;
  readonly #ofChecks = perList((_: readonly UnderstoodCheck[]) => new Map<string, KnownGroup>());

  constructor(pods: TinyPods, budget: Budget) {
    this.#pods = pods;
    this.budget = budget;
  }

  /** @throws TooMany or TooLate */
  ofGroup(group: Group, groups: Groups): KnownGroup {
    const ofChecks = this.#ofChecks(group.checks);
    const common = commonDimensions(groups);
    const together = [...group.paths]
      .filter((path) => path.endsWith('[]'))
      .map((path) => groups.together(path.slice(0, -2)));
    const ofPaths = [[...group.paths].filter(groups.isCommon), together];
    const key = JSON.stringify([ofPaths, common, groups.containers, groups.isStrict]);
    const known = ofChecks.get(key) ?? this.#find(group, groups, common);
    ofChecks.set(key, known);
    return known;
  }

  #find(group: Group, groups: Groups, common: readonly Dimension[]): KnownGroup {
    const dimensions = dimensionsOf(group, groups);
    const rows = rowsOf([...common, ...dimensions], group.checks, this.#pods);
    return new KnownGroup(
      { checks: group.checks, dimensions, rows, isStrict: groups.isStrict },
      this.#pods,
      this.budget,
    );
  }
}

interface GroupRows {
  readonly checks: readonly UnderstoodCheck[];
  readonly dimensions: readonly Dimension[];
  /** A number for each value in the group's own dimensions and in the common dimensions. */
  readonly rows: Rows;
  /** Whether options keep all pieces that violate different policies. */
  readonly isStrict: boolean;
}

export class KnownGroup implements GroupRows {
  readonly checks;
  readonly dimensions;
  readonly rows;
  readonly isStrict;
  readonly #pods: TinyPods;
  readonly #budget: Budget;
  readonly #values = new Map<string, GroupValues>();
  readonly #options = new Map<string, { readonly options: readonly Option[]; readonly pods: number }>();

  constructor({ checks, dimensions, rows, isStrict }: GroupRows, pods: TinyPods, budget: Budget) {
    this.checks = checks;
    this.dimensions = dimensions;
    this.rows = rows;
    this.isStrict = isStrict;
    this.#pods = pods;
    this.#budget = budget;
  }

  /**
   * @param left the dimensions with the remaining values. Other groups influence only which container names remain
   * @throws TooMany or TooLate
   */
  options(left: readonly Dimension[], sides: Sides, common: Chosen): readonly Option[] {
    const place = JSON.stringify([left.find((one) => one.key === NAME), [...common]]);
    const ofSides = [sides.admitting, ...sides.refusing].map((checks) => checks.map(({ id }) => id).join());
    const key = JSON.stringify([place, sides.fillsHostUsers, ofSides]);
    const known = this.#options.get(key);
    // Known pods also count toward the limit, as if the comparison examined the pods again.
    if (known) this.#budget.spend(known.pods);
    if (known) return known.options;
    // The values do not depend on the policies. All pairs of policies share the values, so each part of a pod is named
    // only once.
    const values = this.#values.get(place) ?? valuesOf(left, this.checks, common);
    this.#values.set(place, values);
    const options = optionsOf(values, sides, { pods: this.#pods, budget: this.#budget, keepsAll: this.isStrict });
    this.#options.set(key, { options, pods: countOf(values) });
    return options;
  }
}
