/** Finds out whether a pod shows that one set admits what the other set refuses. */
import type { UseIndex } from '../../operator/evaluate/use.ts';
import { type EvaluationContext, evaluate, type PodVerdict, USE_RULE } from '../../operator/evaluate/verdict.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { perObject } from '../../operator/policy/memo.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import type { Alternative, Checks, KnownCheck } from './alternatives.ts';
import { isAcceptedFilled } from './kubernetes.ts';
import { PodChecks } from './pod-checks.ts';
import { withoutChanges } from './without-changes.ts';

/**
 * The deciding policies of one set in a namespace, and the policies with restricted use that the author of a pod may
 * use.
 */
export interface Side {
  readonly policies: readonly ResolvedPolicy[];
  readonly usable: readonly string[];
}

export interface Sides {
  readonly admitting: Side;
  readonly refusing: Side;
}

export class Witnesses {
  readonly #evaluator = new Evaluator();
  readonly #checks: Checks;
  readonly #ofPods = new PodChecks();
  /** For each list of checks, the check that the last pod violated. A similar pod probably violates the same check. */
  readonly #last = new Map<Alternative, KnownCheck>();
  /** The policies of a list. The list begins with the policy that the last search found. */
  readonly #recent = perObject((policies: readonly ResolvedPolicy[]) => [...policies]);

  constructor(checks: Checks) {
    this.#checks = checks;
  }

  /** The verdict on the pod. The operator's code evaluates the pod. */
  verdict(content: PodContent, { policies, usable }: Side): PodVerdict {
    if (policies.length === 0) return { verdict: 'Compliant', violations: {} };
    const candidate = {
      namespace: 'default',
      content,
      users: [{ name: 'author', groups: [] }],
      filled: true,
      unknownUser: false,
    };
    const use: Pick<UseIndex, 'mayUse'> = { mayUse: (_user, _namespace, policy) => usable.includes(policy) };
    const evaluation = { evaluator: this.#evaluator, use: use as UseIndex } satisfies EvaluationContext;
    return evaluate(candidate, policies, evaluation);
  }

  /** Whether one side admits the pod, and the other side refuses it. */
  differs(pod: PodContent, { admitting, refusing }: Sides): boolean {
    return !this.isAdmitted(pod, refusing) && this.isAdmitted(pod, admitting);
  }

  /** Whether the verdict is Compliant. For many similar pods, `isAdmitted()` is much faster than `verdict()`. */
  isAdmitted(pod: PodContent, { policies, usable }: Side): boolean {
    const admits = (policy: ResolvedPolicy) => mayUse(policy, usable) && this.complies(policy, pod);
    return policies.length === 0 || this.#some(policies, admits);
  }

  /**
   * Whether the verdict on the pod contains a violation of the rule. The caller must know that the pod is not admitted.
   */
  breaks(pod: PodContent, rule: string, { policies }: Side): boolean {
    return this.#some(policies, (policy) => this.isRefusedBy(policy, pod, (broken) => broken === rule));
  }

  /** Whether the policy reports a violation of one of the rules. The caller must know that the pod is not admitted. */
  isRefusedBy(policy: ResolvedPolicy, pod: PodContent, isOne: (rule: string) => boolean): boolean {
    // The last list of checks is about the pod after defaulting. Only violations of this pod are reported.
    const { checks = [] } = this.#checks.alternatives(policy).at(-1) ?? {};
    const isBroken = checks.some((check) => isOne(check.rule) && this.#ofPods.violates(check, pod));
    if (!isBroken && !isOne(USE_RULE)) return false;
    return this.complies(policy, pod) ? isOne(USE_RULE) : isBroken;
  }

  /**
   * Whether defaulting makes a pod acceptable for the API server, because the policy that fills in the pod sets
   * hostUsers: false. If no policy would leave the pod unchanged, defaulting uses the first policy in the order of
   * names.
   */
  isAcceptedFilled(pod: PodContent, { policies, usable }: Side): boolean {
    if (!isAcceptedFilled(pod)) return false;
    const own = policies.filter((policy) => mayUse(policy, usable));
    if (own.some((policy) => this.complies(withoutChanges(policy), pod))) return false;
    const filling = own.flatMap((policy) => this.#checks.alternatives(policy).filter(({ filled }) => filled));
    const [first] = filling
      .filter((one) => !this.#isViolated(one, pod))
      .toSorted((a, b) => (a.policy.name < b.policy.name ? -1 : 1));
    return first?.fillsHostUsers ?? false;
  }

  /** Works like `policies.some()`, but starts with the policy that the previous search of this list found. */
  #some(policies: readonly ResolvedPolicy[], isMet: (policy: ResolvedPolicy) => boolean): boolean {
    const recent = this.#recent(policies);
    const place = recent.findIndex(isMet);
    if (place > 0) recent.unshift(...recent.splice(place, 1));
    return place >= 0;
  }

  /** Whether the policy admits the pod for a user who may use the policy. */
  complies(policy: ResolvedPolicy, pod: PodContent): boolean {
    return this.#checks.alternatives(policy).some((one) => !this.#isViolated(one, pod));
  }

  #isViolated(alternative: Alternative, pod: PodContent): boolean {
    const last = this.#last.get(alternative);
    if (last && this.#ofPods.violates(last, pod)) return true;
    const found = alternative.checks.find((check) => this.#ofPods.violates(check, pod));
    if (found) this.#last.set(alternative, found);
    return found !== undefined;
  }
}

function mayUse({ usableBy, name }: ResolvedPolicy, usable: readonly string[]): boolean {
  return usableBy === 'Everyone' || usable.includes(name);
}
