/**
 * Compares two sets of policies: what the new set admits that the old one refuses, and the reverse. docs/compare.md has
 * the argument why the answer is complete.
 */
import { MOST_ASKED } from '../../operator/compile/decision.ts';
import type { UseIndex } from '../../operator/evaluate/use.ts';
import { type EvaluationContext, evaluate, type PodVerdict, USE_RULE } from '../../operator/evaluate/verdict.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { evaluatesFilled } from '../../operator/policy/parts.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import type { Labels } from '../../operator/policy/selector.ts';
import { type Alternative, Checks } from './alternatives.ts';
import { assembled } from './assemble.ts';
import { TooMany } from './fields.ts';
import { isAccepted } from './kubernetes.ts';
import { type NamespaceClass, namespaceClasses } from './namespaces.ts';
import { type Plan, type Plans, plansFor } from './plans.ts';
import type { PolicySet } from './policy-set.ts';
import { smallest } from './smallest.ts';
import { Budget, TinyPods } from './tiny-pods.ts';
import { type Use, usesOf } from './uses.ts';

export interface Difference {
  /** The labels of a namespace in which the sets differ. */
  readonly namespace: Labels;
  /** The policies with restricted use that the author of the pod may use. */
  readonly use: readonly string[];
  /** The rules that the pod breaks on the side that refuses it; `use` if the author may use no policy there. */
  readonly rules: readonly string[];
  readonly pod: PodContent;
  readonly before: PodVerdict;
  readonly after: PodVerdict;
}

export interface Undecided {
  readonly namespace?: Labels;
  readonly use?: readonly string[];
  readonly direction?: 'opens' | 'closes';
  /** One sentence: the question that could not be decided, and the reason. */
  readonly message: string;
}

export interface Comparison {
  /** Whether the two sets are proved to be the same. */
  readonly same: boolean;
  readonly opens: readonly Difference[];
  readonly closes: readonly Difference[];
  readonly undecided: readonly Undecided[];
  /** The number of classes of namespaces that were compared. */
  readonly classes: number;
}

export interface CompareOptions {
  /** The most pods that the comparison looks at. */
  readonly limit: number;
  /** Whether to show a pod for each rule and each policy that admits it, and not only for each rule. */
  readonly all?: boolean;
}

/** Whether the sets differ at all, and how they are compared. */
export interface Question {
  /** Whether users of a policy count as users of every policy whose subjects include the policy's subjects. */
  readonly comparesSubjects?: boolean;
}

export function compare(old: PolicySet, now: PolicySet, { limit, all = false }: CompareOptions): Comparison {
  return new Comparing(old, now, new Examined(limit), { all }).result();
}

/** Answers several questions about the same policies. Each comparison knows the results of earlier ones. */
export class Questions {
  readonly #examined: Examined;
  readonly #samples: Budget;

  /**
   * @param limit the most pods that all comparisons together look at
   * @param samples the most times that a sample pod is evaluated
   */
  constructor(limit: number, samples = Number.POSITIVE_INFINITY) {
    this.#examined = new Examined(limit);
    this.#samples = new Budget(samples);
  }

  /**
   * Whether the policy admits the pod, for a user who may use it.
   *
   * @throws TooMany if too many samples have been evaluated
   */
  admits(policy: ResolvedPolicy, pod: PodContent): boolean {
    this.#samples.spend();
    const { evaluator } = this.#examined;
    return (
      evaluator.violations(pod, policy).length === 0 ||
      (evaluatesFilled(policy) && evaluator.violations(pod, policy, true).length === 0)
    );
  }

  /** The comparison of both sets up to the first difference, whose pod may be larger than necessary. */
  firstDifference(old: PolicySet, now: PolicySet, question: Question = {}): Comparison {
    return new Comparing(old, now, this.#examined, { ...question, isFirstEnough: true }).result();
  }
}

/** How many pods are tried for each rule, because some plans cannot be made into a pod. */
const MOST_TRIED = 40;
const DIRECTIONS = ['opens', 'closes'] as const;
/** The rules about lists of the pod itself, of which each item may break the rule of another policy. */
const POD_LISTS = ['sysctls', 'supplementalGroups'] as const;
type Direction = (typeof DIRECTIONS)[number];

/** The pods that an admitting policy admits and others refuse, by the rule that they break. */
interface Found {
  readonly pods: ReadonlyMap<string, readonly PodContent[]>;
  readonly plans: Plans;
}

/** The results about checks and pods, which do not depend on the sets that are compared. */
class Examined {
  readonly checks = new Checks();
  readonly evaluator = new Evaluator();
  readonly budget: Budget;
  readonly pods: TinyPods;
  readonly found = new Map<string, Found>();

  constructor(limit: number) {
    this.budget = new Budget(limit);
    this.pods = new TinyPods(this.budget);
  }
}

interface ComparingOptions extends Question, Pick<CompareOptions, 'all'> {
  /** Whether the comparison ends with the first difference. */
  readonly isFirstEnough?: boolean;
}

class Comparing {
  readonly #sets: { readonly old: PolicySet; readonly new: PolicySet };
  readonly #examined: Examined;
  readonly #options: ComparingOptions;
  readonly #all: boolean;
  readonly #result = { opens: [] as Difference[], closes: [] as Difference[], undecided: [] as Undecided[] };

  constructor(old: PolicySet, now: PolicySet, examined: Examined, options: ComparingOptions) {
    this.#sets = { old, new: now };
    this.#examined = examined;
    this.#options = options;
    this.#all = options.all ?? false;
  }

  result(): Comparison {
    const classes = this.#classes();
    for (const namespace of classes) for (const direction of DIRECTIONS) this.#compare(namespace, direction);
    const { opens, closes, undecided } = this.#result;
    const same = opens.length + closes.length + undecided.length === 0;
    return { same, opens, closes, undecided, classes: classes.length };
  }

  #classes(): NamespaceClass[] {
    const { old, new: now } = this.#sets;
    const enforced = ({ policies }: PolicySet) => policies.filter(({ mode }) => mode === 'Enforce');
    const isExcluded = (name: string) => old.isExcluded(name) || now.isExcluded(name);
    return this.#within({}, () => namespaceClasses(enforced(old), enforced(now), isExcluded)) ?? [];
  }

  #compare(namespace: NamespaceClass, direction: Direction): void {
    const from = direction === 'opens' ? 'new' : 'old';
    const to = direction === 'opens' ? 'old' : 'new';
    const [admitting, refusing] = [namespace[from], namespace[to]];
    // Where no policy decides, everything is admitted.
    if (refusing.length === 0 || this.#isDone) return;
    const where = { namespace: namespace.labels, direction };
    const restricted = [admitting, refusing].map((policies) =>
      policies.filter(({ usableBy }) => usableBy !== 'Everyone'),
    );
    if (restricted.some(({ length }) => length > MOST_ASKED)) {
      const message = `more than ${MOST_ASKED} policies with restricted use decide, and the API server checks the use of ${MOST_ASKED}`;
      this.#result.undecided.push({ ...where, message });
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
    const usable = refusing.filter(({ usableBy, name }) => usableBy === 'Everyone' || use.refusing.includes(name));
    const where = { namespace: namespace.labels, use: use.admitting, direction };
    for (const rule of POD_LISTS) {
      if (new Set(usable.map(({ values }) => JSON.stringify(values[rule]))).size > 2) {
        const message = `more than two policies have other values of ${rule}, and only two items of a list are tried together`;
        this.#result.undecided.push({ ...where, message });
      }
    }
    const { alternatives } = this.#examined.checks;
    for (const alternative of policy ? alternatives(policy) : [{ checks: [] }]) {
      const others = usable.flatMap(alternatives);
      const found = this.#within(where, () => this.#find(alternative, others));
      if (!found) continue;
      for (const rule of found.plans.notUnderstood) {
        this.#result.undecided.push({
          ...where,
          message: `the comparison does not understand the checks of rule ${rule}`,
        });
      }
      // Where no policy decides, one pod shows that everything is admitted.
      const shown = policy || this.#all ? found.pods : [...found.pods].slice(0, 1);
      for (const [rule, pods] of shown) this.#show(rule, pods, { namespace, use, direction, policy });
    }
  }

  /** The result of `work`; undefined if there is too much to compare, which becomes an undecided part of the result. */
  #within<Result>(where: Omit<Undecided, 'message'>, work: () => Result): Result | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof TooMany)) throw error;
      this.#result.undecided.push({ ...where, message: `there is too much to compare: ${error.message}` });
      return undefined;
    }
  }

  #find(admitting: Pick<Alternative, 'checks'>, refusing: readonly Alternative[]): Found {
    const { found: before, pods: tinyPods, budget } = this.#examined;
    const idsOf = ({ checks }: Pick<Alternative, 'checks'>) => checks.map(({ id }) => id).join();
    // A pod that a policy refuses is shown with the rules that it breaks after defaulting.
    const isLast = ({ filled, policy }: Alternative) => filled === evaluatesFilled(policy);
    const key = [idsOf(admitting), ...refusing.map((one) => `${idsOf(one)} ${isLast(one)}`)].join('|');
    const known = before.get(key);
    if (known) return known;
    const plans = plansFor(admitting, refusing, tinyPods, budget);
    const isShown = ({ target }: Plan) => {
      const refuser = target && refusing[target.broken.refuser];
      return !refuser || isLast(refuser);
    };
    const byRule = Map.groupBy(plans.plans.filter(isShown), ({ target }) => target?.broken.rule ?? USE_RULE);
    const sorted = [...byRule].map(([rule, ofRule]) => [rule, ofRule.toSorted((a, b) => a.size - b.size)] as const);
    const smallestFirst = sorted.toSorted(([, [a]], [, [b]]) => (a?.size ?? 0) - (b?.size ?? 0));
    const pods = smallestFirst.map(([rule, ofRule]) => {
      return [rule, ofRule.slice(0, MOST_TRIED).flatMap((plan) => assembled(plan) ?? [])] as const;
    });
    const found = { plans, pods: new Map(pods) };
    before.set(key, found);
    return found;
  }

  /** Whether no further difference is wanted. */
  get #isDone(): boolean {
    return this.#options.isFirstEnough === true && this.#result.opens.length + this.#result.closes.length > 0;
  }

  #show(rule: string, pods: readonly PodContent[], { namespace, use, direction, policy }: Shown): void {
    if (this.#isDone) return;
    const list = this.#result[direction];
    const isShown = ({ namespace: labels, use: by, rules, before, after }: Difference) =>
      labels === namespace.labels &&
      by.join() === use.admitting.join() &&
      (this.#all ? rules[0] === rule : rules.includes(rule)) &&
      (!this.#all || (direction === 'opens' ? after : before).admittedBy === policy?.name);
    if (list.some(isShown)) return;
    const shows = (pod: PodContent) => {
      const [before, after] = this.#verdicts(pod, namespace, use, direction);
      const [admits, refuses] = direction === 'opens' ? [after, before] : [before, after];
      return (
        admits.verdict === 'Compliant' &&
        refuses.verdict === 'Violating' &&
        (rule === USE_RULE || rulesOfEach(refuses).flat().includes(rule))
      );
    };
    const pod = pods.find((one) => isAccepted(one) && shows(one));
    if (!pod) {
      const message = `a pod that breaks only rule ${rule} may be ${direction === 'opens' ? 'admitted' : 'refused'} now, but no such pod was found`;
      this.#result.undecided.push({ namespace: namespace.labels, use: use.admitting, direction, message });
      return;
    }
    const smaller = this.#options.isFirstEnough ? pod : smallest(pod, shows);
    const [before, after] = this.#verdicts(smaller, namespace, use, direction);
    const refused = direction === 'opens' ? before : after;
    const isOfClass = (one: Difference) =>
      one.namespace === namespace.labels && one.use.join() === use.admitting.join();
    const known = new Set(list.filter(isOfClass).flatMap(({ rules }) => rules));
    // A pod that some policy refuses only by rules that are shown already shows nothing new.
    const isNew = rulesOfEach(refused).every((rules) => rules.some((one) => !known.has(one)));
    if (!isNew && !this.#all) return;
    const rules = [...new Set([rule, ...rulesOfEach(refused).flat()])];
    list.push({ namespace: namespace.labels, use: use.admitting, rules, pod: smaller, before, after });
  }

  /** The verdicts of both sets, by the same code as the operator's. */
  #verdicts(pod: PodContent, namespace: NamespaceClass, use: Use, direction: Direction): [PodVerdict, PodVerdict] {
    const [ofOld, ofNew] = direction === 'opens' ? [use.refusing, use.admitting] : [use.admitting, use.refusing];
    return [this.#verdict(pod, namespace.old, ofOld), this.#verdict(pod, namespace.new, ofNew)];
  }

  #verdict(content: PodContent, policies: readonly ResolvedPolicy[], usable: readonly string[]): PodVerdict {
    if (policies.length === 0) return { verdict: 'Compliant', violations: {} };
    const candidate = {
      namespace: 'default',
      content,
      users: [{ name: 'author', groups: [] }],
      filled: true,
      unknownUser: false,
    };
    const mayUse: UseIndex['mayUse'] = (_user, _namespace, policy) => usable.includes(policy);
    const evaluation = { evaluator: this.#examined.evaluator, use: { mayUse } as UseIndex } satisfies EvaluationContext;
    return evaluate(candidate, policies, evaluation);
  }
}

interface Shown {
  readonly namespace: NamespaceClass;
  readonly use: Use;
  readonly direction: Direction;
  readonly policy: ResolvedPolicy | undefined;
}

/** The rules that a pod breaks, for each policy that refuses it. */
function rulesOfEach({ violations }: PodVerdict): string[][] {
  return Object.values(violations).map((ofPolicy) => [...new Set(ofPolicy.map(({ rule }) => rule))]);
}
