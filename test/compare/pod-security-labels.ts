/**
 * Proves whether a Pod Security label refuses a pod that a policy admits. The proof is a comparison of policies. A
 * level without overrides has the checks of Pod Security Admission, and one more rule. The additional rule
 * refuses fields that no Standard knows. The proofs leave out the rule about unknown fields.
 */
import assert from 'node:assert/strict';
import { compare } from '../../analysis/compare/compare.ts';
import { isAccepted } from '../../analysis/compare/kubernetes.ts';
import type { PolicySet } from '../../analysis/compare/policy-set.ts';
import { mergedObjects } from '../../analysis/compare/tiny-pods.ts';
import type { CapabilityPolicyOverrides } from '../../operator/api/capability-policy.ts';
import { type LevelVersion, levelAt, tightest } from '../../operator/compile/labels.ts';
import type { Container, PodContent } from '../../operator/model/objects.ts';
import { perObject } from '../../operator/policy/memo.ts';
import type { ResolvedPolicy, RuleChecks } from '../../operator/policy/resolve.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Rule } from '../../operator/rules/rule.ts';
import { compareLevels, formatVersion, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { offers } from '../../operator/standards/server-features.ts';
import { resolved } from '../support/policies.ts';
import { COMPLIANT, contentOf } from '../support/random-pods.ts';
import { EXAMPLE_PODS } from '../support/random-switches.ts';
import { admits, type Spec } from './sets.ts';

/** The levels that a label can have. The tightest level is first. */
const LABEL_LEVELS = ['restricted', 'baseline'] as const;

/** A level of Pod Security Admission, and all versions in which the level has the same checks. */
interface PodSecurityLabel {
  readonly level: LevelVersion['level'];
  readonly minors: readonly number[];
  /** A policy that refuses what the label refuses. */
  readonly policy: ResolvedPolicy;
}

/**
 * A pod that policies admit and a label refuses. The value is `nothing` if the label refuses no pod that the policies
 * admit.
 */
type Refusal = { readonly pod: PodContent } | { readonly undecided: string } | 'nothing';

/** The labels that an API server of version v1.`server` knows. Each set of checks occurs once. */
export function labelsOf(server: number): readonly PodSecurityLabel[] {
  const known = LABELS.get(server) ?? allLabels(server);
  LABELS.set(server, known);
  return known;
}

const LABELS = new Map<number, readonly PodSecurityLabel[]>();

function allLabels(server: number): PodSecurityLabel[] {
  const newest = Math.min(server, NEWEST_KNOWN_MINOR);
  const all = LABEL_LEVELS.flatMap((level) =>
    Array.from({ length: newest + 1 }, (_, minor) => {
      const policy = resolved('label', { level, levelVersion: formatVersion(minor) }, server);
      return { level, minor, policy: onlyRules(policy, (rule) => rule !== 'unknownFields') };
    }),
  );
  const byChecks = Map.groupBy(all, ({ level, policy }) => JSON.stringify([level, policy.checks]));
  return [...byChecks.values()].flatMap(([first, ...others]) =>
    first ? { level: first.level, policy: first.policy, minors: [first, ...others].map(({ minor }) => minor) } : [],
  );
}

function onlyRules(policy: ResolvedPolicy, has: (rule: string) => boolean): ResolvedPolicy {
  const only = (checks: readonly RuleChecks[]) => checks.filter(({ rule }) => has(rule));
  return { ...policy, checks: only(policy.checks), filledChecks: only(policy.filledChecks) };
}

/** The number of answers that each method found. */
type Answers = Record<'knownPod' | 'sameChecks' | 'fewRules' | 'newPod' | 'allRules' | 'undecided', number>;

const LIMIT = 5_000_000;

/** Finds pods that labels refuse. The class keeps the pods, because one pod often answers many questions. */
export class Refusals {
  readonly answers: Answers = { knownPod: 0, sameChecks: 0, fewRules: 0, newPod: 0, allRules: 0, undecided: 0 };
  readonly #pods: PodContent[] = startingPods();
  readonly #verdicts = new WeakMap<ResolvedPolicy, Map<PodContent, boolean>>();
  readonly #betweenLabels = new Map<PodSecurityLabel, Map<PodSecurityLabel, Refusal>>();

  /** @param policies the deciding policies, which everybody may use */
  of(policies: readonly ResolvedPolicy[], label: PodSecurityLabel): Refusal {
    const found = this.#find(policies, label);
    this.answers[found.by] += 1;
    return found.refusal;
  }

  /**
   * A pod that one label admits and another label refuses. The class keeps the answer, because many questions need the
   * answer.
   */
  ofLabels(admitting: PodSecurityLabel, label: PodSecurityLabel): Refusal {
    const answers = this.#betweenLabels.get(admitting) ?? new Map<PodSecurityLabel, Refusal>();
    this.#betweenLabels.set(admitting, answers);
    const known = answers.get(label) ?? (admitting === label ? 'nothing' : this.of([admitting.policy], label));
    answers.set(label, known);
    return known;
  }

  /** Whether one of the policies admits the pod. Each policy evaluates a pod only once. */
  #admits(policies: readonly ResolvedPolicy[], pod: PodContent): boolean {
    return policies.some((policy) => {
      const verdicts = this.#verdicts.get(policy) ?? new Map<PodContent, boolean>();
      this.#verdicts.set(policy, verdicts);
      const known = verdicts.get(pod) ?? admits([policy], pod);
      verdicts.set(pod, known);
      return known;
    });
  }

  #find(policies: readonly ResolvedPolicy[], { policy: label }: PodSecurityLabel): Found {
    const isShown = (pod: PodContent) => !this.#admits([label], pod) && this.#admits(policies, pod);
    const rules = rulesNotIn(policies, label);
    if (rules.size === 0) return { by: 'sameChecks', refusal: 'nothing' };
    const known = this.#pods.find(isShown);
    if (known) return { by: 'knownPod', refusal: { pod: known } };
    // If the policies admit a pod, the pod breaks no check that the label shares with the policies. The comparison
    // therefore needs only the rules that the label does not share with the policies. Policies with fewer checks admit
    // more pods. A proof about policies without some of their rules is therefore also a proof about the policies with
    // all rules.
    for (const [by, has] of [
      ['fewRules', (rule: string) => rules.has(rule)],
      ['allRules', (rule: string) => rule !== 'unknownFields'],
    ] as const) {
      const admitting = policies.map((policy) => onlyRules(policy, has));
      const { opens, undecided } = compare(setOf([onlyRules(label, has)]), setOf(admitting), {
        limit: LIMIT,
        directions: ['opens'],
      });
      const pods = opens.map(({ pod }) => pod).filter((pod) => isAccepted(pod) && isShown(pod));
      const [pod] = pods;
      this.#pods.unshift(...pods);
      if (pod) return { by: 'newPod', refusal: { pod } };
      const [first] = undecided;
      if (first && by === 'allRules') return { by: 'undecided', refusal: { undecided: first.message } };
      if (opens.length === 0 && !first) return { by, refusal: 'nothing' };
    }
    return { by: 'undecided', refusal: { undecided: 'the pods that were found are not admitted' } };
  }
}

interface Found {
  readonly by: keyof Answers;
  readonly refusal: Refusal;
}

function setOf(policies: readonly ResolvedPolicy[]): PolicySet {
  return { policies, isExcluded: () => false };
}

/** Returns each rule of the label with a check that at least one of the policies lacks. */
function rulesNotIn(policies: readonly ResolvedPolicy[], label: ResolvedPolicy): Set<string> {
  const lists = policies.flatMap(({ checks, filledChecks, defaulting }) =>
    defaulting ? [checks, filledChecks] : [checks],
  );
  const own = lists.map((list) => new Set(list.flatMap(textsOf)));
  const isKnown = (text: string) => own.every((texts) => texts.has(text));
  return new Set(label.checks.filter((ofRule) => !textsOf(ofRule).every(isKnown)).map(({ rule }) => rule));
}

function textsOf({ rule, checks }: RuleChecks): string[] {
  return checks.map(({ over, violates }) => JSON.stringify([rule, over, violates]));
}

/** Copies of pods that comply with level restricted. Each copy also has the fields of an example of a rule. */
function startingPods(): PodContent[] {
  const compliant = Object.values(COMPLIANT).map(contentOf);
  const changed = compliant.flatMap(({ annotations, spec }) =>
    EXAMPLE_PODS.map(({ spec: ofPod = {}, container = {} }) => {
      const containers = (spec.containers ?? []).map((one) => mergedObjects({ ...one }, container));
      return {
        annotations,
        spec: { ...mergedObjects({ ...spec }, ofPod), containers: containers as unknown as Container[] },
      };
    }),
  );
  const labels = labelsOf(NEWEST_KNOWN_MINOR).map(({ policy }) => policy);
  return [...compliant, ...changed].filter((pod) => isAccepted(pod) && labels.some((label) => !admits([label], pod)));
}

/**
 * A question about the Pod Security label that the policies get. All of the policies decide, and everybody may use all
 * of the policies.
 */
export interface Question {
  readonly specs: readonly Spec[];
  /** The version of the oldest API server, as N of Kubernetes 1.N. */
  readonly server: number;
  /** The parameter `unfilled` of levelAt. */
  readonly unfilled?: boolean;
}

/**
 * Returns the mistakes that the operator makes about labels. If the operator says that a label refuses nothing, the
 * label must admit every pod that one of the policies admits. Each label that is tighter than the operator's label must
 * refuse at least one pod that one of the policies admits.
 */
export function mistakesAbout({ specs, server, unfilled = false }: Question, refusals: Refusals): readonly string[] {
  const policies = specs.map((spec, i) => resolved(`policy-${i}`, spec, server));
  const admitting = specs.map((spec, i) =>
    admittingPolicy(resolved(`policy-${i}`, acceptedBy(server, spec), server), unfilled),
  );
  const says = (label: LevelVersion) =>
    policies.filter((policy) => compareLevels(levelAt(policy, label.minor, unfilled), label.level) < 0);
  const answers = labelsOf(server).flatMap((label) => {
    const refusal = refusals.of(admitting, label);
    return label.minors.map((minor): Answer => ({ label: { level: label.level, minor }, of: label, refusal }));
  });
  const silent = answers.filter(({ label }) => says(label).length === 0);
  const found = tightest(policies, server, unfilled);
  assert.deepEqual(found, newestOfTightest(silent, refusals)?.label);
  // Only labels that are tighter than the operator's label must refuse a pod. Policies with entries for single
  // containers are not checked for tighter labels. Often, no container can have all random values of an entry.
  const hasEntries = policies.some(({ containers }) => containers.length > 0);
  const operators = silent.find(({ label }) => label.level === found?.level && label.minor === found.minor);
  const tighter = hasEntries ? [] : answers.filter((one) => !operators || isTighter(one, operators, refusals));
  const wrong = [...silent, ...tighter].flatMap(({ label, refusal }) => {
    if (refusal === 'nothing') return [];
    if ('undecided' in refusal) return [`${textOf(label)} is not decided: ${refusal.undecided}`];
    return silent.some((one) => one.label === label)
      ? [`${textOf(label)} refuses a pod that is admitted: ${JSON.stringify(refusal.pod)}`]
      : [];
  });
  // If one rule of a policy refuses every pod for Linux, the other rules determine the policy's label.
  const isEmpty = perObject((policy: ResolvedPolicy) => {
    const own = admitting.filter(({ name }) => name === policy.name);
    return refusals.of(own, EVERY_POD_FOR_LINUX) === 'nothing';
  });
  const possible = tighter.filter(
    ({ label, refusal }) =>
      refusal === 'nothing' && !says(label).every((policy) => onlyInVain(policy, label) || isEmpty(policy)),
  );
  return [...wrong, ...possible.map(({ label }) => `${textOf(label)} refuses nothing, and is tighter`)];
}

/** A label, and a pod that the policies admit and the label refuses. */
interface Answer {
  readonly label: LevelVersion;
  readonly of: PodSecurityLabel;
  readonly refusal: Refusal;
}

/**
 * The newest of the tightest labels. A label is one of the tightest labels if no other label in `answers` is tighter.
 */
function newestOfTightest(answers: readonly Answer[], refusals: Refusals): Answer | undefined {
  const tightestOnes = answers.filter((one) => !answers.some((other) => isTighter(other, one, refusals)));
  return tightestOnes.toSorted((a, b) => b.label.minor - a.label.minor)[0];
}

/**
 * Whether `one` is a tighter label than `other`. A higher level is tighter. Within a level, `one` is tighter if the
 * comparison proves that `other` admits every pod that `one` admits. The comparison must also find a pod that `other`
 * admits and `one` refuses.
 */
function isTighter(one: Answer, other: Answer, refusals: Refusals): boolean {
  if (one.label.level !== other.label.level) return compareLevels(one.label.level, other.label.level) > 0;
  return refusals.ofLabels(one.of, other.of) === 'nothing' && typeof refusals.ofLabels(other.of, one.of) === 'object';
}

function textOf({ level, minor }: LevelVersion): string {
  return `${level} ${formatVersion(minor)}`;
}

const LINUX: RuleChecks = {
  rule: 'linux',
  checks: [{ over: 'pod', violates: 'variables.spec.?os.?name.orValue("") != "windows"', message: '""', path: '' }],
};

/** A label that refuses every pod that is not for Windows. */
const EVERY_POD_FOR_LINUX: PodSecurityLabel = {
  level: 'restricted',
  minors: [],
  policy: { ...resolved('linux'), checks: [LINUX] },
};

/**
 * Pod Security Admission evaluates a pod after defaulting, like the admission policy. Defaulting does not fill in a pod
 * that the policy admits unchanged. A label in mode enforce therefore concerns the pods that the policy admits
 * unchanged.
 */
function admittingPolicy(policy: ResolvedPolicy, unfilled: boolean): ResolvedPolicy {
  return unfilled ? policy : { ...policy, defaulting: false };
}

/**
 * The spec. If API servers refuse all pods with the seccomp type OCI, the result lacks the type OCI. The comparison
 * does not know that API servers refuse these pods.
 */
function acceptedBy(server: number, spec: Spec): Spec {
  if (offers(server, 'seccompFromOci')) return spec;
  const without = <Overrides extends Pick<CapabilityPolicyOverrides, 'seccomp'>>(overrides: Overrides): Overrides => {
    if (!overrides.seccomp?.types) return overrides;
    const { ociReferences: _, types, ...seccomp } = overrides.seccomp;
    return { ...overrides, seccomp: { ...seccomp, types: types.filter((type) => type !== 'OCI') } };
  };
  const { overrides, containers } = spec;
  return {
    ...spec,
    ...(overrides && { overrides: without(overrides) }),
    ...(containers && { containers: containers.map((one) => ({ ...one, overrides: without(one.overrides ?? {}) })) }),
  };
}

/**
 * Whether only settings without effect prevent the label. Each rule decides about labels by itself. A setting therefore
 * prevents a label even if the policy's other settings refuse all pods with the setting. The condition Accepted names
 * settings without effect.
 */
function onlyInVain({ values, containers, standard, contradictions }: ResolvedPolicy, label: LevelVersion): boolean {
  const isInVain = (rule: string) =>
    contradictions.some((text) => new RegExp(`overrides\\.${rule}\\b.* admits no `).test(text));
  const isPreventing = (rule: Rule, own: ResolvedPolicy['values']) =>
    Object.hasOwn(own, rule.id) &&
    compareLevels(rule.podSecurity(own[rule.id], standard, label.minor), label.level) < 0;
  const all = [values, ...containers.map((one) => one.values)];
  const preventing = RULES.filter((rule) => all.some((own) => isPreventing(rule, own)));
  return preventing.length > 0 && preventing.every(({ id }) => isInVain(id));
}
