/**
 * Compares two sets of policies. The comparison finds the pods that only the new set admits, and the pods that only the
 * old set admits. docs/compare.md explains why the answer is complete.
 */
import type { LabelSelector } from '../../operator/api/capability-policy.ts';
import { type PodVerdict, USE_RULE } from '../../operator/evaluate/verdict.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { idOf } from '../../operator/policy/memo.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import type { Labels } from '../../operator/policy/selector.ts';
import type { Admitting, Alternative } from './alternatives.ts';
import { Budget, type IsLate, type TimeLimit, TooLate } from './budget.ts';
import { type Cause, Causes } from './causes.ts';
import { Examined, type PlannedPods } from './examined.ts';
import { isAccepted } from './kubernetes.ts';
import { type NamespaceClass, namespaceClasses } from './namespaces.ts';
import { NAMESPACE_NAME } from './one-mode.ts';
import type { PolicySet } from './policy-set.ts';
import { smallest } from './smallest.ts';
import { MOST_TOGETHER } from './together.ts';
import { TooMany } from './too-many.ts';
import { areTooManyAsked, TOO_MANY_ASKED, type Use, type UsesOptions, usesOf } from './uses.ts';
import type { Side, Sides } from './witnesses.ts';

/**
 * The direction of a difference. If the direction is `opens`, a pod that was refused is now admitted. If the direction
 * is `closes`, a pod that was admitted is now refused.
 */
export const DIRECTIONS = ['opens', 'closes'] as const;
export type Direction = (typeof DIRECTIONS)[number];

export interface Difference {
  /** The labels of a namespace. In this namespace, the sets give different answers about the pod. */
  readonly namespace: Labels;
  /** The names of the policies with restricted use that the author of the pod may use. */
  readonly use: readonly string[];
  /**
   * The violated rules of the set that refuses the pod. The value is `use` if the author of the pod may use no policy
   * of the refusing set.
   */
  readonly rules: readonly string[];
  readonly pod: PodContent;
  readonly before: PodVerdict;
  readonly after: PodVerdict;
  /**
   * The changes of policies that cause the difference. If only one of these changes is undone, the difference
   * disappears. If no single change removes the difference, the list is empty.
   */
  readonly causes: readonly Cause[];
}

export interface Undecided {
  readonly namespace?: Labels;
  readonly use?: readonly string[];
  readonly direction?: Direction;
  /** A sentence that names the undecided question and the reason. */
  readonly message: string;
}

export interface Comparison {
  /** Whether it is proved that the two sets admit the same pods. */
  readonly same: boolean;
  readonly opens: readonly Difference[];
  readonly closes: readonly Difference[];
  readonly undecided: readonly Undecided[];
  /**
   * For each direction, whether the list of differences names every rule. If several policies refuse, the list may
   * leave out a rule. The reason is that the smallest pod that breaks the rule also breaks a listed rule. If no policy
   * decides in the admitting set, or if the examined users may use no refusing policy, a single difference represents
   * all rules.
   */
  readonly namesEveryRule: Readonly<Record<Direction, boolean>>;
  /** The number of classes of namespaces that were compared. */
  readonly classes: number;
  /** Whether the comparison ended early, because its time was over. */
  readonly isCut: boolean;
}

export interface CompareOptions {
  /** The maximum number of pods that the comparison examines. */
  readonly limit: number;
  /**
   * Says whether the time is over. When the time is over, the comparison ends. The comparison's answer has the
   * differences that were found before the end. By default, the time is unlimited, and the answer depends only on the
   * sets.
   */
  readonly isLate?: IsLate | undefined;
  /** Whether to show a pod for each pair of a rule and an admitting policy. By default, each rule gets only one pod. */
  readonly all?: boolean;
  /**
   * The directions to compare. The default is both directions. If a direction is not compared, the direction counts as
   * having no differences.
   */
  readonly directions?: readonly Direction[];
  /** Selectors of namespaces that cannot exist. The comparison leaves out these namespaces. */
  readonly impossible?: readonly LabelSelector[];
}

export function compare(old: PolicySet, now: PolicySet, { limit, isLate, ...options }: CompareOptions): Comparison {
  return new Comparing(old, now, new Examined(limit, isLate), options).resultInTime();
}

/** Answers several questions about the same policies. The answers reuse the results of earlier comparisons. */
export class Questions implements TimeLimit {
  readonly #examined: Examined;
  readonly #samples: Budget;

  /**
   * @param limit the maximum number of pods that all comparisons together examine
   * @param samples the maximum number of evaluations of sample pods
   * @param isLate if absent, the time is unlimited
   */
  constructor(limit: number, samples = Number.POSITIVE_INFINITY, isLate?: IsLate) {
    this.#examined = new Examined(limit, isLate);
    this.#samples = new Budget(samples, isLate);
  }

  checkTime(): void {
    this.#examined.checkTime();
  }

  /**
   * Whether the policy admits the pod for a user who may use the policy.
   *
   * @throws TooMany if too many sample pods were evaluated
   * @throws TooLate
   */
  admits(policy: ResolvedPolicy, pod: PodContent): boolean {
    this.#samples.spend();
    return this.#examined.witnesses.complies(policy, pod);
  }

  /**
   * Compares both sets up to the first difference. The pod of this difference may be larger than necessary.
   *
   * @throws TooLate
   */
  firstDifference(old: PolicySet, now: PolicySet, uses: UsesOptions = {}): Comparison {
    return new Comparing(old, now, this.#examined, { ...uses, isFirstEnough: true }).result();
  }
}

interface ComparingOptions extends UsesOptions, Pick<CompareOptions, 'all' | 'directions' | 'impossible'> {
  /** Whether the comparison ends at the first difference. */
  readonly isFirstEnough?: boolean;
}

class Comparing {
  readonly #sets: { readonly old: PolicySet; readonly new: PolicySet };
  readonly #examined: Examined;
  readonly #options: ComparingOptions;
  readonly #all: boolean;
  readonly #causes: Causes;
  readonly #smallest = new Map<string, Map<string, PodContent>>();
  #classes: readonly NamespaceClass[] = [];
  /** The number of classes that were compared in all directions. */
  #compared = 0;
  readonly #namesEveryRule: Record<Direction, boolean> = { opens: true, closes: true };
  readonly #result = { opens: [] as Difference[], closes: [] as Difference[], undecided: [] as Undecided[] };

  constructor(old: PolicySet, now: PolicySet, examined: Examined, options: ComparingOptions) {
    this.#sets = { old, new: now };
    this.#examined = examined;
    this.#options = options;
    this.#all = options.all ?? false;
    this.#causes = new Causes(old, now, examined.witnesses, examined);
  }

  /** @throws TooLate */
  result(): Comparison {
    this.#compareAll();
    return this.#comparison(false);
  }

  /**
   * The result. If the time is over before the comparison ends, the result has only the differences that were found by
   * this time.
   */
  resultInTime(): Comparison {
    try {
      return this.result();
    } catch (error) {
      if (!(error instanceof TooLate)) throw error;
      this.#result.undecided.push({ message: this.#progress });
      return this.#comparison(true);
    }
  }

  /** A sentence that says how much was compared when the time was over. */
  get #progress(): string {
    const { length } = this.#classes;
    if (length === 0) return 'the time was over before the classes of namespaces were known';
    return `the time was over; compared classes of namespaces: ${this.#compared} of ${length}`;
  }

  #comparison(isCut: boolean): Comparison {
    const { opens, closes, undecided } = this.#result;
    const same = opens.length + closes.length + undecided.length === 0;
    const namesEveryRule = { ...this.#namesEveryRule };
    return { same, opens, closes, undecided, namesEveryRule, classes: this.#classes.length, isCut };
  }

  #compareAll(): void {
    const { directions = DIRECTIONS } = this.#options;
    this.#classes = this.#findClasses();
    for (const namespace of this.#classes) {
      for (const direction of directions) this.#compare(namespace, direction);
      this.#compared++;
    }
  }

  #findClasses(): NamespaceClass[] {
    const { old, new: now } = this.#sets;
    const enforced = ({ policies }: PolicySet) => policies.filter(({ mode }) => mode === 'Enforce');
    const isExcluded = (name: string) => !NAMESPACE_NAME.test(name) || old.isExcluded(name) || now.isExcluded(name);
    const { impossible } = this.#options;
    const find = () => namespaceClasses(enforced(old), enforced(now), isExcluded, this.#examined, impossible);
    return this.#within({}, find) ?? [];
  }

  #compare(namespace: NamespaceClass, direction: Direction): void {
    const from = direction === 'opens' ? 'new' : 'old';
    const to = direction === 'opens' ? 'old' : 'new';
    const [admitting, refusing] = [namespace[from], namespace[to]];
    // If no policy decides, everything is admitted.
    if (refusing.length === 0 || this.#isDone) return;
    const where = { namespace: namespace.labels, direction };
    if ([admitting, refusing].some(areTooManyAsked)) {
      this.#result.undecided.push({ ...where, message: TOO_MANY_ASKED });
      return;
    }
    for (const policy of admitting.length === 0 ? [undefined] : admitting) {
      const uses = usesOf(policy, this.#sets[to], this.#options);
      for (const use of uses) this.#compareUse({ policy, use, refusing }, namespace, direction);
    }
  }

  #compareUse(
    { policy, use, refusing }: { policy: ResolvedPolicy | undefined; use: Use; refusing: readonly ResolvedPolicy[] },
    namespace: NamespaceClass,
    direction: Direction,
  ): void {
    this.#examined.checkTime();
    const usable = refusing.filter(({ usableBy, name }) => usableBy === 'Everyone' || use.refusing.includes(name));
    const where = { namespace: namespace.labels, use: use.admitting, direction };
    const { alternatives } = this.#examined.checks;
    for (const alternative of policy ? alternatives(policy) : [{ checks: [], fillsHostUsers: false }]) {
      const others = usable.flatMap(alternatives);
      const found = this.#within(where, () => this.#examined.find(alternative, others));
      if (!found) continue;
      for (const rule of found.plans.notUnderstood) {
        this.#result.undecided.push({
          ...where,
          message: `the comparison does not understand the checks of rule ${rule}`,
        });
      }
      for (const list of found.plans.tooLong) {
        const message = `more than ${MOST_TOGETHER} policies have other values for ${list}, and only ${MOST_TOGETHER} items of a list are tried together`;
        this.#result.undecided.push({ ...where, message });
      }
      // If no policy is usable, one pod represents all rules. Other users can have the right to use a policy that
      // refuses the pod by a rule.
      if ((!policy || usable.length === 0) && found.pods.size > 0) this.#namesEveryRule[direction] = false;
      // If no policy decides, one pod is enough to show that everything is admitted.
      const shown = policy || this.#all ? found.pods : [...found.pods].slice(0, 1);
      const checked = { admitting: alternative, refusing: others };
      for (const [rule, pods] of shown) this.#show(rule, pods, { namespace, use, direction, policy, checked });
    }
  }

  /**
   * The result of `work`. If a comparison would be too large, the result is undefined, and the question is listed as
   * undecided.
   */
  #within<Result>(where: Omit<Undecided, 'message'>, work: () => Result): Result | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof TooMany)) throw error;
      this.#result.undecided.push({ ...where, message: error.reason });
      return undefined;
    }
  }

  /** Whether no further difference is wanted. */
  get #isDone(): boolean {
    return this.#options.isFirstEnough === true && this.#result.opens.length + this.#result.closes.length > 0;
  }

  #show(rule: string, pods: PlannedPods, shown: Shown): void {
    if (this.#isDone) return;
    const { namespace, use, direction, policy } = shown;
    const list = this.#result[direction];
    const ofClass = list.filter((one) => one.namespace === namespace.labels && one.use.join() === use.admitting.join());
    const isShown = ({ rules, before, after }: Difference) =>
      this.#all
        ? rules[0] === rule && (direction === 'opens' ? after : before).admittedBy === policy?.name
        : rules.includes(rule);
    if (ofClass.some(isShown)) return;
    const sides = sidesOf(namespace, use, direction);
    const shows = this.#shows(rule, sides);
    // The pod shows something new if every refusing policy refuses the pod by a rule that no other difference shows
    // yet.
    const known = new Set(ofClass.flatMap(({ rules }) => rules));
    const isNew = (broken: string) => !known.has(broken);
    const { policies } = sides.refusing;
    const { witnesses } = this.#examined;
    const isWanted = (pod: PodContent) => this.#all || policies.every((one) => witnesses.isRefusedBy(one, pod, isNew));
    const isCreated = (pod: PodContent) => isAccepted(pod) || witnesses.isAcceptedFilled(pod, sides.admitting);
    const isShowing = (pod: PodContent) => isCreated(pod) && shows(pod);
    const found = pods.find((pod) => isShowing(pod) && isWanted(pod));
    if (!found) {
      if (pods.find(isShowing)) this.#namesEveryRule[direction] = false;
      else this.#searchStrictly(rule, shown);
      return;
    }
    const small = this.#options.isFirstEnough ? found : smallest(found, shows, this.#smallestOf(rule, sides));
    const difference = this.#difference(rule, isWanted(small) ? small : found, shown);
    if (difference) list.push(difference);
    else this.#leaveOpen(rule, shown);
  }

  /** Looks for another pod that breaks the rule. The API server would refuse all pods that the first search found. */
  #searchStrictly(rule: string, shown: Shown): void {
    const { namespace, use, direction, checked } = shown;
    if (checked.isStrict) {
      this.#leaveOpen(rule, shown);
      return;
    }
    const where = { namespace: namespace.labels, use: use.admitting, direction };
    const found = this.#within(where, () => this.#examined.find(checked.admitting, checked.refusing, true));
    const pods = found?.pods.get(rule);
    // If the search ends without a pod, it is proved that no such pod exists.
    if (pods) this.#show(rule, pods, { ...shown, checked: { ...checked, isStrict: true } });
  }

  #leaveOpen(rule: string, { namespace, use, direction }: Shown): void {
    const message = `a pod that breaks only rule ${rule} may be ${direction === 'opens' ? 'admitted' : 'refused'} now, but no such pod was found`;
    this.#result.undecided.push({ namespace: namespace.labels, use: use.admitting, direction, message });
  }

  /** Says whether a pod shows the difference and breaks the rule. The returned function may throw TooLate. */
  #shows(rule: string, sides: Sides): (pod: PodContent) => boolean {
    const { witnesses } = this.#examined;
    return (pod) => {
      this.#examined.checkTime();
      return witnesses.differs(pod, sides) && (rule === USE_RULE || witnesses.breaks(pod, rule, sides.refusing));
    };
  }

  /** The earlier results of `smallest()` for the same rule, policies and users. */
  #smallestOf(rule: string, { admitting, refusing }: Sides): Map<string, PodContent> {
    const keyOf = ({ policies, usable }: Side) => [idOf(policies), ...usable];
    const key = JSON.stringify([rule, keyOf(admitting), keyOf(refusing)]);
    const known = this.#smallest.get(key) ?? new Map<string, PodContent>();
    this.#smallest.set(key, known);
    return known;
  }

  /**
   * The difference that the pod shows; undefined if the pod shows no difference. The operator's code evaluates the pod.
   */
  #difference(rule: string, pod: PodContent, { namespace, use, direction }: Shown): Difference | undefined {
    const { admitting, refusing } = sidesOf(namespace, use, direction);
    const [admitted, refused] = [
      this.#examined.witnesses.verdict(pod, admitting),
      this.#examined.witnesses.verdict(pod, refusing),
    ];
    if (admitted.verdict !== 'Compliant' || refused.verdict !== 'Violating') return undefined;
    const broken = Object.values(refused.violations).flatMap((ofPolicy) => ofPolicy.map((one) => one.rule));
    const [before, after] = direction === 'opens' ? [refused, admitted] : [admitted, refused];
    return {
      namespace: namespace.labels,
      use: use.admitting,
      rules: [...new Set([rule, ...broken])],
      pod,
      before,
      after,
      causes: this.#options.isFirstEnough ? [] : this.#causes.of({ pod, labels: namespace.labels, use, direction }),
    };
  }
}

interface Shown {
  readonly namespace: NamespaceClass;
  readonly use: Use;
  readonly direction: Direction;
  readonly policy: ResolvedPolicy | undefined;
  readonly checked: Checked;
}

/** The checks of one search for pods. */
interface Checked {
  readonly admitting: Admitting;
  readonly refusing: readonly Alternative[];
  readonly isStrict?: boolean;
}

function sidesOf(namespace: NamespaceClass, use: Use, direction: Direction): Sides {
  const [admitting, refusing] = direction === 'opens' ? [namespace.new, namespace.old] : [namespace.old, namespace.new];
  return {
    admitting: { policies: admitting, usable: use.admitting },
    refusing: { policies: refusing, usable: use.refusing },
  };
}
