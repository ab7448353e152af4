/** Keeps results about checks and pods. The results do not depend on the two sets of policies that are compared. */
import { USE_RULE } from '../../operator/evaluate/verdict.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { evaluatesFilled } from '../../operator/policy/parts.ts';
import { type Admitting, type Alternative, Checks } from './alternatives.ts';
import { assembled } from './assemble.ts';
import { Budget, type IsLate, type TimeLimit } from './budget.ts';
import { KnownGroups } from './known-groups.ts';
import { type Plan, type Plans, plansFor } from './plans.ts';
import { TinyPods } from './tiny-pods.ts';
import { Witnesses } from './witnesses.ts';

/**
 * The maximum number of plans that are tried for each rule. Several plans are tried, because some plans cannot be made
 * into a pod.
 */
const MOST_TRIED = 40;

/** The pods that the admitting policy admits and the other policies refuse. The key is the rule that the pods break. */
export interface Found {
  readonly pods: ReadonlyMap<string, PlannedPods>;
  readonly plans: Plans;
}

export class Examined implements TimeLimit {
  readonly checks = new Checks();
  readonly witnesses = new Witnesses(this.checks);
  readonly #groups: KnownGroups;
  readonly #found = new Map<string, Found>();
  readonly #budget: Budget;

  constructor(limit: number, isLate?: IsLate) {
    this.#budget = new Budget(limit, isLate);
    this.#groups = new KnownGroups(new TinyPods(this.#budget), this.#budget);
  }

  checkTime(): void {
    this.#budget.checkTime();
  }

  /**
   * @param isStrict whether to leave out pods that the API server refuses because of a combination of fields
   * @throws TooMany
   */
  find(admitting: Admitting, refusing: readonly Alternative[], isStrict = false): Found {
    const idsOf = ({ checks }: Pick<Alternative, 'checks'>) => checks.map(({ id }) => id).join();
    // A refused pod is shown with the rules that the pod breaks after defaulting.
    const isLast = ({ filled, policy }: Alternative) => filled === evaluatesFilled(policy);
    const key = [
      isStrict,
      admitting.fillsHostUsers,
      idsOf(admitting),
      ...refusing.map((one) => `${idsOf(one)} ${isLast(one)}`),
    ].join('|');
    const known = this.#found.get(key);
    if (known) return known;
    const plans = plansFor(admitting, refusing, this.#groups, isStrict);
    const isShown = ({ target }: Plan) => {
      const refuser = target && refusing[target.broken.refuser];
      return !refuser || isLast(refuser);
    };
    const found = { plans, pods: podsOf(plans.plans.filter(isShown)) };
    this.#found.set(key, found);
    return found;
  }
}

/** The pods of plans, in the order of the plans. A pod is made when the pod is needed, because most pods are never needed. */
export class PlannedPods {
  readonly #left: Plan[];
  readonly #made: PodContent[] = [];

  constructor(plans: readonly Plan[]) {
    this.#left = [...plans];
  }

  find(is: (pod: PodContent) => boolean): PodContent | undefined {
    const known = this.#made.find(is);
    if (known) return known;
    for (let plan = this.#left.shift(); plan; plan = this.#left.shift()) {
      const pod = assembled(plan);
      if (!pod) continue;
      this.#made.push(pod);
      if (is(pod)) return pod;
    }
    return undefined;
  }
}

/** The pods of the plans. The key is the rule that the pods break. The smallest pods come first. */
function podsOf(plans: readonly Plan[]): Found['pods'] {
  const byRule = Map.groupBy(plans, ({ target }) => target?.broken.rule ?? USE_RULE);
  const sorted = [...byRule].map(([rule, ofRule]) => [rule, ofRule.toSorted((a, b) => a.size - b.size)] as const);
  const smallestFirst = sorted.toSorted(([, [a]], [, [b]]) => (a?.size ?? 0) - (b?.size ?? 0));
  return new Map(smallestFirst.map(([rule, ofRule]) => [rule, new PlannedPods(ofRule.slice(0, MOST_TRIED))] as const));
}
