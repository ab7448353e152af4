/**
 * Finds policies of one set that have no effect, and rollouts that cannot end. To prove a finding, the set with the
 * policy is compared with the set without the policy.
 */
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { admitsNothing } from './admits-nothing.ts';
import { type IsLate, TooLate } from './budget.ts';
import { Questions } from './compare.ts';
import { decidesNowhere, expiredFinding } from './decides-nowhere.ts';
import { endlessRollout } from './endless-rollout.ts';
import { FINDING_KINDS, type Finding, type FindingKind, type OpenQuestion, policiesText } from './finding.ts';
import { type Beside, besideOthers } from './one-mode.ts';
import type { PolicySet } from './policy-set.ts';
import { coverOf, isRedundant } from './redundancy.ts';
import { saySame } from './same-policies.ts';
import { NotDecided } from './same-sets.ts';
import { TooMany } from './too-many.ts';

export interface Findings {
  /** The findings, sorted by the name of the policy. */
  readonly findings: readonly Finding[];
  /** The questions that were not decided. */
  readonly undecided: readonly OpenQuestion[];
  /** Whether the search ended early, because its time was over. There may be further findings. */
  readonly isCut: boolean;
}

export interface FindingsOptions {
  /** The time at which the findings hold, in ms since 1970. */
  readonly at: number;
  /** The maximum number of pods that all proofs together examine. */
  readonly limit: number;
  /**
   * The maximum number of evaluations of sample pods. If a sample pod shows a difference, no proof about all pods is
   * needed. By default, there is no limit.
   */
  readonly samples?: number;
  /**
   * Says whether the time is over. When the time is over, the search ends, and the result has the findings so far. By
   * default, the time is unlimited, and the findings depend only on the set.
   */
  readonly isLate?: IsLate | undefined;
  /** The policies that have expired, and are no longer in the set. */
  readonly expired?: readonly Pick<ResolvedPolicy, 'name' | 'expires'>[];
  /** The names of the policies whose rollouts have ended. By default, no rollout has ended. */
  readonly ended?: ReadonlySet<string>;
}

export function findingsOf(set: PolicySet, options: FindingsOptions): Findings {
  const { limit, samples, isLate } = options;
  return new Search(set, new Questions(limit, samples, isLate)).result(options);
}

class Search {
  readonly #questions: Questions;
  readonly #all: readonly Beside[];
  readonly #findings: Finding[] = [];
  readonly #undecided: Required<OpenQuestion>[] = [];

  constructor(set: PolicySet, questions: Questions) {
    this.#questions = questions;
    this.#all = besideOthers(set).toSorted((a, b) => (a.policy.name < b.policy.name ? -1 : 1));
  }

  result({ at, expired = [], ended }: FindingsOptions): Findings {
    this.#findings.push(...expired.map(expiredFinding));
    // The pending part of a rollout is left out, because it has the same rules as the enforced part.
    const whole = this.#all.filter(({ policy }) => !policy.pendingFor);
    const isCut = this.#isCutShort(whole);
    const endless = whole.map(({ policy }) =>
      endlessRollout(policy, { at, hasEnded: ended?.has(policy.name) ?? false }),
    );
    this.#findings.push(...endless.filter((finding) => finding !== undefined));
    const undecided: OpenQuestion[] = this.#undecided.toSorted(byPolicyAndKind);
    if (isCut) undecided.push({ message: 'the time was over before all policies were examined' });
    return { findings: this.#findings.toSorted(byPolicyAndKind), undecided, isCut };
  }

  /** Finds the policies without effect. Returns whether the time was over before the end. */
  #isCutShort(whole: readonly Beside[]): boolean {
    try {
      const effective = whole.filter((beside) => !this.#isWithoutEffect(beside));
      this.#findRedundant(effective, this.#copiesAmong(effective));
      return false;
    } catch (error) {
      if (error instanceof TooLate) return true;
      throw error;
    }
  }

  /** Whether the policy decides nowhere or admits nothing. All other findings about such a policy are left out. */
  #isWithoutEffect(beside: Beside): boolean {
    const { policy } = beside;
    const found =
      this.#answer(policy.name, 'decides-nowhere', () =>
        decidesNowhere(beside, this.#partsOf(policy.name), this.#questions),
      ) ?? this.#answer(policy.name, 'admits-nothing', () => admitsNothing(policy, this.#questions));
    if (found) this.#findings.push(found);
    return found !== undefined;
  }

  /** The names of the policies that have the same effect as an earlier policy. */
  #copiesAmong(effective: readonly Beside[]): ReadonlySet<string> {
    const copies = new Set<string>();
    for (const [i, one] of effective.entries()) {
      const { name } = one.policy;
      if (copies.has(name)) continue;
      const others = effective.slice(i + 1).filter((other) => one.others.includes(other.policy));
      const same = others.filter((other) => this.#answer(name, 'same', () => saySame(one, other, this.#questions)));
      const names = same.map(({ policy }) => policy.name);
      if (names.length === 0) continue;
      for (const copy of names) copies.add(copy);
      const message = `this policy and ${policiesText(names)} say the same: they admit the same pods, in the same namespaces, for the same users; keep one of them`;
      this.#findings.push({ kind: 'same', policy: name, others: names, rules: [], message });
    }
    return copies;
  }

  /**
   * Finds the policies that can be deleted. Each policy can be deleted alone, and all of the policies can be deleted
   * together. Exceptions are tried first. If an exception and a policy for everybody make each other redundant, the
   * exception is therefore reported. The policy for everybody is not reported.
   */
  #findRedundant(effective: readonly Beside[], copies: ReadonlySet<string>): void {
    const names = effective.map(({ policy }) => policy.name).filter((name) => !copies.has(name));
    const isForAll = (name: string) => this.#partsOf(name).every(({ policy }) => policy.usableBy === 'Everyone');
    const nowhere = this.#findings.filter(({ kind }) => kind === 'decides-nowhere').map(({ policy }) => policy);
    const deleted = new Set([...copies, ...nowhere]);
    for (const name of names.toSorted((a, b) => Number(isForAll(a)) - Number(isForAll(b)))) {
      const cover = this.#answer(name, 'opens-nothing', () => {
        const isRedundantWithout = (gone: ReadonlySet<string>) =>
          this.#partsOf(name, gone).every((part) => isRedundant(part, this.#questions));
        // Each policy can be deleted alone. Each policy can also be deleted after the copies of other policies are
        // deleted, and together with the other policies.
        const gone = copies.size > 0 ? [new Set<string>(), copies, deleted] : [copies, deleted];
        if (!gone.every(isRedundantWithout)) return undefined;
        return this.#partsOf(name, deleted).flatMap((part) => coverOf(part, this.#questions));
      });
      if (!cover) continue;
      deleted.add(name);
      this.#findings.push(this.#redundant(name, cover));
    }
  }

  #redundant(name: string, cover: readonly ResolvedPolicy[]): Finding {
    const others = [...new Set(cover.map((one) => one.name))].sort();
    const [policy] = this.#partsOf(name).map((part) => part.policy);
    const admit = others.length === 1 ? 'admits' : 'together admit';
    if (cover.every(({ priority }) => priority === policy?.priority)) {
      const what = policy?.usableBy === 'Everyone' ? 'policy' : 'exception';
      const message = `this ${what} opens nothing: for each user of policy ${name}, ${policiesText(others)} ${admit} every pod that policy ${name} admits; you can delete policy ${name}`;
      return { kind: 'opens-nothing', policy: name, others, rules: [], message };
    }
    const message = `this policy changes nothing: without it, ${policiesText(others)} ${admit} the same pods; you can delete policy ${name}`;
    return { kind: 'redundant', policy: name, others, rules: [], message };
  }

  /**
   * The parts of the policy, one for each of its modes. The field `others` of a part does not contain the policies in
   * `gone`.
   */
  #partsOf(name: string, gone: ReadonlySet<string> = new Set()): Beside[] {
    return this.#all
      .filter(({ policy }) => policy.name === name)
      .map((part) => ({ ...part, others: part.others.filter((other) => !gone.has(other.name)) }));
  }

  /** The answer to a question; undefined if the question is not decided. */
  #answer<Result>(policy: string, kind: FindingKind, question: () => Result): Result | undefined {
    try {
      return question();
    } catch (error) {
      if (!(error instanceof NotDecided || error instanceof TooMany)) throw error;
      const { message } = error;
      const isKnown = this.#undecided.some(
        (one) => one.policy === policy && one.kind === kind && one.message === message,
      );
      if (!isKnown) this.#undecided.push({ policy, kind, message });
      return undefined;
    }
  }
}

function byPolicyAndKind(a: Pick<Finding, 'policy' | 'kind'>, b: Pick<Finding, 'policy' | 'kind'>): number {
  if (a.policy !== b.policy) return a.policy < b.policy ? -1 : 1;
  return FINDING_KINDS.indexOf(a.kind) - FINDING_KINDS.indexOf(b.kind);
}
