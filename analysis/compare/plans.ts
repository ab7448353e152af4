/**
 * Finds pods that several policies all refuse, but that one other policy possibly admits. A plan is a choice of one
 * option for each group. If no plan exists, every pod that the one policy admits is also admitted by at least one of
 * the several policies.
 */
import type { Admitting, Alternative } from './alternatives.ts';
import type { Budget } from './budget.ts';
import { combinations, commonDimensions, NAME } from './dimensions.ts';
import { groupsOf, isUnderstood, type UnderstoodCheck } from './groups.ts';
import type { KnownGroups } from './known-groups.ts';
import { type Broken, brokenKey, type Option, type Piece, type Sides } from './options.ts';
import { reduced } from './rows.ts';
import { MOST_TOGETHER, type Together, togetherIn } from './together.ts';
import { TooMany } from './too-many.ts';

/**
 * A choice of values from which a pod can be made. The pod violates the rule, and every refusing policy refuses the
 * pod.
 */
export interface Plan {
  /** The chosen options, one for each group. */
  readonly options: readonly Option[];
  readonly refusers: number;
  /** The rule that the pod must violate. The value is undefined if there is no refusing policy. */
  readonly target: { readonly broken: Broken; readonly piece: Piece; readonly group: number } | undefined;
  readonly size: number;
}

export interface Plans {
  readonly plans: readonly Plan[];
  /** The rules whose CEL expressions the comparison does not understand. The rules belong to refusing policies. */
  readonly notUnderstood: readonly string[];
  /** The lists of the pod of which more than MOST_TOGETHER policies may each refuse another item. */
  readonly tooLong: readonly string[];
}

/** @throws TooMany if there are more values than the budget allows, or TooLate */
export function plansFor(
  admitting: Admitting,
  refusing: readonly Pick<Alternative, 'checks' | 'policy'>[],
  known: KnownGroups,
  isStrict = false,
): Plans {
  const own = new Set(admitting.checks);
  const others = refusing.map(({ checks }) => checks.filter((check) => !own.has(check)));
  // If the admitting policy has all checks of a refusing policy, the refusing policy admits every pod that the
  // admitting policy admits.
  if (others.some((checks) => checks.length === 0)) return { plans: [], notUnderstood: [], tooLong: [] };
  const notUnderstood = others.flat().flatMap((check) => (isUnderstood(check) ? [] : [check.rule]));
  const sides: Sides = {
    admitting: admitting.checks.filter(isUnderstood),
    refusing: others.map((checks) => checks.filter(isUnderstood)),
    fillsHostUsers: admitting.fillsHostUsers,
  };
  const byPolicy = Map.groupBy(sides.refusing.entries(), ([i]) => refusing[i]?.policy);
  const together = togetherIn([...byPolicy.values()].map((all) => all.flatMap(([, checks]) => checks)));
  const tooLong = [...together].flatMap(([list, count]) =>
    list.startsWith('spec.') && count > MOST_TOGETHER ? [list] : [],
  );
  const plans = plansOf(sides, { known, together, isStrict });
  return { plans, notUnderstood: [...new Set(notUnderstood)], tooLong };
}

interface Search {
  readonly known: KnownGroups;
  readonly together: Together;
  readonly isStrict: boolean;
}

function plansOf(sides: Sides, { known, together, isStrict }: Search): Plan[] {
  const checks = new Set<UnderstoodCheck>([...sides.admitting, ...sides.refusing.flat()]);
  const groups = groupsOf([...checks], together, isStrict);
  const common = commonDimensions(groups);
  const ofGroups = groups.groups.map((group) => {
    const isOf = (check: UnderstoodCheck) => group.checks.includes(check);
    const refusing = sides.refusing.map((checks) => checks.filter(isOf));
    const own = { admitting: sides.admitting.filter(isOf), refusing, fillsHostUsers: sides.fillsHostUsers };
    return { group: known.ofGroup(group, groups), sides: own };
  });
  const rows = ofGroups.map(({ group }) => group.rows);
  // A container has only one name. All groups therefore keep the same container names.
  const left = ofGroups.map(({ group, sides: own }) => ({
    dimensions: group.dimensions.map((one) => reduced(one, one.key === NAME ? rows : [group.rows])),
    group,
    sides: own,
  }));
  return combinations(common.map((one) => reduced(one, rows))).flatMap((chosen) => {
    const options: (readonly Option[])[] = [];
    for (const { dimensions, group, sides: own } of left) {
      const found = group.options(dimensions, own, chosen);
      if (found.length === 0) return [];
      options.push(found);
    }
    return plansWith(options, sides.refusing.length, known.budget);
  });
}

/** The smallest plan for each rule of each refusing policy. */
function plansWith(options: readonly (readonly Option[])[], refusers: number, budget: Budget): Plan[] {
  if (refusers === 0) {
    const smallest = options.map((ofGroup) => ofGroup.reduce((a, b) => (b.size < a.size ? b : a)));
    return [{ options: smallest, refusers, target: undefined, size: total(smallest) }];
  }
  if (!chosen(options, refusers, budget)) return [];
  const targets = new Map<string, Plan>();
  for (const [group, ofGroup] of options.entries()) {
    for (const option of ofGroup) {
      const fixed = options.map((all, i) => (i === group ? [option] : all));
      const choice = chosen(fixed, refusers, budget);
      if (!choice) continue;
      for (const [key, piece] of option.breaking) {
        const broken = piece.violated.find((one) => brokenKey(one) === key) as Broken;
        const size = total(choice) + piece.size;
        const known = targets.get(key);
        if (!known || size < known.size)
          targets.set(key, { options: choice, refusers, target: { broken, piece, group }, size });
      }
    }
  }
  return [...targets.values()];
}

interface Choice {
  readonly options: readonly Option[];
  readonly size: number;
}

/**
 * The maximum number of sets of refusing policies. For each set, the search keeps the smallest choice that violates the
 * policies of the set.
 */
const MOST_MASKS = 20_000;

/**
 * Chooses one option for each group. The function returns the smallest choice that violates every refusing policy. The
 * result is undefined if no choice violates every refusing policy.
 */
function chosen(
  options: readonly (readonly Option[])[],
  refusers: number,
  budget: Budget,
): readonly Option[] | undefined {
  let choices = new Map<bigint, Choice>([[0n, { options: [], size: 0 }]]);
  for (const ofGroup of options) {
    const next = new Map<bigint, Choice>();
    for (const [mask, choice] of choices) {
      budget.checkTime();
      for (const option of ofGroup) {
        const all = mask | option.mask;
        const size = choice.size + option.size;
        const known = next.get(all);
        if (!known || size < known.size) next.set(all, { options: [...choice.options, option], size });
      }
    }
    if (next.size > MOST_MASKS)
      throw new TooMany(`more than ${MOST_MASKS} ways to break rules of ${refusers} policies`);
    choices = next;
  }
  return choices.get((1n << BigInt(refusers)) - 1n)?.options;
}

function total(options: readonly Option[]): number {
  return options.reduce((sum, { size }) => sum + size, 0);
}
