/**
 * Finds out what the workloads of a namespace need from each deciding policy. Workloads may need grants of the policy,
 * subjects of the policy, or the whole policy.
 */
import type { Subject } from '../api/capability-policy.ts';
import { deciding } from '../policy/deciding.ts';
import { idOf, perList, perObject } from '../policy/memo.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import type { Labels } from '../policy/selector.ts';
import { compareLevels } from '../standards/level-version.ts';
import { ByForm } from './by-content.ts';
import { findingGrants, type Grant, keyOf, subjectGrant } from './grants.ts';
import { looserRules } from './loosening.ts';
import type { EvaluatedModes } from './modes.ts';
import { findingNeededGrants } from './needs.ts';
import { isSubject } from './use.ts';
import { type Candidate, COST_RULE, type EvaluationContext, mayUse, violationsOf } from './verdict.ts';
import type { Evaluator } from './violations.ts';
import type { Group } from './workload-verdict.ts';

/** The path of a whole policy. If a grant in a list of grants has this path, the grant is the whole policy. */
export const WHOLE = 'spec';

/** The grants that a namespace's workloads need from a policy. */
export interface PolicyNeeds {
  /** All grants of the policy, including its subjects. */
  readonly grants: readonly Grant[];
  /** The keys of the grants that some workload needs. The key `spec` means that a workload needs the whole policy. */
  readonly needed: ReadonlySet<string>;
  /**
   * Whether the policy is an exception in this namespace. An exception admits more than another policy that would
   * decide without the exception.
   */
  readonly isException: boolean;
}

export type NamespaceNeeds = ReadonlyMap<string, PolicyNeeds>;

interface Evaluated {
  readonly groups: readonly Group[];
  readonly modes: EvaluatedModes;
  readonly policies: readonly ResolvedPolicy[];
  readonly labels: Labels;
}

/** Finds in several steps which grants the workloads need from each deciding policy. The key is the policy's name. */
export function* findingNeeds(
  { groups, modes, policies, labels }: Evaluated,
  evaluation: EvaluationContext,
): Generator<void, NamespaceNeeds> {
  const found = new Map<string, PolicyNeeds>();
  let candidates: readonly Candidate[] | undefined;
  // Refused pods may have containers that no template has, so nobody knows what the pods need.
  const isUnknown = groups.some(({ refusal }) => refusal);
  for (const { context } of Object.values(modes)) {
    const { deciders } = context;
    const all: Finding[] = [];
    for (const policy of deciders) {
      const own = yield* findingGrants(policy);
      const one = new Finding(policy, own, behind(policy, deciders, policies, labels), evaluation);
      if (isUnknown) one.addAll();
      all.push(one);
      found.set(policy.name, one.result);
    }
    const open = all.filter(({ isOpen }) => isOpen);
    if (open.length === 0) continue;
    candidates ??= distinctCandidates(groups);
    const byPolicy = new Map(open.map((one) => [one.policy, one]));
    for (const candidate of candidates) {
      for (const one of open) yield* one.addingGrants(candidate);
      for (const policy of relyingOn(candidate, deciders, evaluation)) byPolicy.get(policy)?.addReliance(candidate);
      yield;
    }
  }
  return found;
}

/** The policies that would decide without this policy. */
function behind(
  policy: ResolvedPolicy,
  deciders: readonly ResolvedPolicy[],
  policies: readonly ResolvedPolicy[],
  labels: Labels,
): readonly ResolvedPolicy[] {
  if (deciders.length > 1) return deciders;
  return deciding(
    policies.filter((one) => one !== policy),
    policy.mode,
    labels,
  );
}

/** Finds out which grants of one policy the candidates need. */
class Finding {
  readonly policy: ResolvedPolicy;
  readonly result: PolicyNeeds;
  readonly #needed = new Set<string>();
  /**
   * Whether the evaluated candidates already need every grant of the policy's overrides. If the value is true, the
   * remaining candidates do not have to be evaluated for these grants.
   */
  #knowsAll = false;
  readonly #behind: readonly ResolvedPolicy[];
  readonly #evaluation: EvaluationContext;
  readonly #own: readonly Grant[];
  readonly #subjects: readonly { readonly subject: Subject; readonly grant: Grant }[];

  /**
   * @param own the grants of the policy's overrides
   * @param behind the policies that would decide without the policy. The list may also contain the policy itself
   */
  constructor(
    policy: ResolvedPolicy,
    own: readonly Grant[],
    behind: readonly ResolvedPolicy[],
    evaluation: EvaluationContext,
  ) {
    this.policy = policy;
    this.#behind = behind;
    this.#evaluation = evaluation;
    this.#own = own;
    this.#subjects = subjectGrants(policy);
    const admitsMore = this.#own.length > 0 || behind.some((other) => isLooser(policy, other));
    this.result = {
      grants: this.#subjects.length === 0 ? this.#own : [...this.#own, ...this.#subjects.map(({ grant }) => grant)],
      needed: this.#needed,
      isException: admitsMore && behind.some((other) => other !== policy) && !this.#restricts(behind),
    };
  }

  /**
   * Whether the namespace would admit more without the policy. If the policy decides beside the others, it restricts
   * nothing. Policies of a lower priority may be looser.
   */
  #restricts(behind: readonly ResolvedPolicy[]): boolean {
    return !behind.includes(this.policy) && behind.some((other) => looserRules(other)(this.policy).length > 0);
  }

  /** Whether a candidate can need anything from the policy: a grant, or the whole policy as an exception. */
  get isOpen(): boolean {
    return this.result.grants.length > 0 || this.result.isException;
  }

  addAll(): void {
    for (const grant of this.result.grants) this.#needed.add(keyOf(grant));
    this.#needed.add(WHOLE);
    this.#knowsAll = true;
  }

  /** Adds the grants that a candidate needs, in steps. */
  *addingGrants({ content, filled }: Candidate): Generator<void, void> {
    if (this.#own.length === 0 || this.#knowsAll) return;
    const needed = yield* findingNeededGrants(content, this.policy, filled, this.#evaluation.evaluator);
    if (needed.size === 0) return;
    for (const key of needed) this.#needed.add(key);
    this.#knowsAll = this.#own.every((grant) => this.#needed.has(keyOf(grant)));
  }

  /** Adds the needs of a candidate that no other deciding policy admits. */
  addReliance(candidate: Candidate): void {
    for (const { subject, grant } of this.#subjects) {
      const isUser = candidate.users.some((user) => isSubject(user, subject));
      if (isUser || (candidate.unknownUser && subject.kind !== 'ServiceAccount')) this.#needed.add(keyOf(grant));
    }
    if (this.#needed.has(WHOLE)) return;
    const others = this.#behind.filter((other) => other !== this.policy);
    const decidesBeside = this.#behind.includes(this.policy);
    if (decidesBeside || !others.some((other) => admits(candidate, other, this.#evaluation))) this.#needed.add(WHOLE);
  }
}

/** The subjects of a policy as grants. The list is empty if the policy does not list its users. */
export const subjectGrants = perObject(({ usableBy, subjects }: ResolvedPolicy) =>
  (usableBy === 'Subjects' ? subjects : []).map((subject, i) => ({ subject, grant: subjectGrant(subject, i) })),
);

function isLooser({ standard }: ResolvedPolicy, other: ResolvedPolicy): boolean {
  return compareLevels(standard.level, other.standard.level) < 0;
}

/** Returns the candidates without duplicates. */
function distinctCandidates(groups: readonly Group[]): readonly Candidate[] {
  const distinct = new Map<string, Candidate>();
  for (const { members } of groups) {
    for (const { candidate } of members) {
      const { content, users, filled, unknownUser } = candidate;
      const key = `${idOf(content.spec)} ${idOf(content.annotations)} ${idOf(users)} ${filled} ${unknownUser}`;
      if (!distinct.has(key)) distinct.set(key, candidate);
    }
  }
  return [...distinct.values()];
}

/**
 * If exactly one policy certainly admits the candidate, the list has this policy. If several policies certainly admit
 * the candidate, the list is empty. If no policy certainly admits the candidate, the list has the policies that perhaps
 * admit the candidate. For example, the decision of a policy may depend on the candidate's unknown creator.
 */
function relyingOn(
  candidate: Candidate,
  deciders: readonly ResolvedPolicy[],
  evaluation: EvaluationContext,
): readonly ResolvedPolicy[] {
  const { content, filled } = candidate;
  const dependsOnUse = deciders.some(({ usableBy }) => usableBy !== 'Everyone');
  if (dependsOnUse || !Object.isFrozen(content.spec)) return relyingAnew(candidate, deciders, evaluation);
  const known = knownReliance(evaluation.evaluator)(deciders).of(filled);
  const before = known.get(content);
  if (before) return before;
  const found = relyingAnew(candidate, deciders, evaluation);
  known.set(content, found);
  return found;
}

const knownReliance = perObject((_: Evaluator) =>
  perList((_: readonly ResolvedPolicy[]) => new ByForm<readonly ResolvedPolicy[]>()),
);

function relyingAnew(
  candidate: Candidate,
  deciders: readonly ResolvedPolicy[],
  { evaluator, use }: EvaluationContext,
): readonly ResolvedPolicy[] {
  const admitting: ResolvedPolicy[] = [];
  const perhaps: ResolvedPolicy[] = [];
  for (const policy of deciders) {
    const broken = violationsOf(candidate, policy, evaluator);
    const isUnknown = broken.length === 0 ? candidate.unknownUser : broken[0]?.rule === COST_RULE;
    if (broken.length === 0 && mayUse(candidate, policy, use)) admitting.push(policy);
    else if (isUnknown) perhaps.push(policy);
    if (admitting.length > 1) return [];
  }
  return admitting.length > 0 ? admitting : perhaps;
}

function admits(candidate: Candidate, policy: ResolvedPolicy, { evaluator, use }: EvaluationContext): boolean {
  return violationsOf(candidate, policy, evaluator).length === 0 && mayUse(candidate, policy, use);
}
