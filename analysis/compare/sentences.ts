/** The sentences about a comparison. The command line and the page show the same sentences. */
import { type PodVerdict, USE_RULE, violationsBy } from '../../operator/evaluate/verdict.ts';
import type { Violation } from '../../operator/evaluate/violations.ts';
import { formatTime, NEVER } from '../../operator/policy/expiry.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { counted } from '../../operator/text/wording.ts';
import type { Cause } from './causes.ts';
import { type Comparison, DIRECTIONS, type Difference, type Direction, type Undecided } from './compare.ts';
import { listed, policiesText } from './finding.ts';

/** A comparison, and the names of its two sets. */
export interface NamedComparison {
  readonly old: string;
  readonly new: string;
  readonly comparison: Comparison;
}

/** The meaning of each direction, and the sentence for a direction in which nothing was found. */
const MEANING = {
  opens: { title: 'admits pods that', verb: 'refuses', none: 'opens nothing' },
  closes: { title: 'refuses pods that', verb: 'admits', none: 'closes nothing' },
} as const;

/** The result for one direction, or for both directions if the sets are the same. */
export interface Summary {
  /**
   * The direction of the differences that were found. The value is `proved` if it is proved that no difference exists.
   */
  readonly state: Direction | 'undecided' | 'proved';
  readonly text: string;
}

/** The results for both directions, in one sentence each. */
export function summariesOf({ old, new: now, comparison }: NamedComparison): Summary[] {
  if (comparison.same)
    return [
      { state: 'proved', text: `same: ${now} and ${old} admit the same pods, in namespaces with the same labels` },
    ];
  return DIRECTIONS.map((direction) =>
    summaryOf({ ...comparison, old, new: now, found: comparison[direction] }, direction),
  );
}

interface NamedAnswer
  extends Pick<NamedComparison, 'old' | 'new'>,
    Pick<Comparison, 'undecided' | 'namesEveryRule'>,
    Partial<Pick<Comparison, 'isCut'>> {
  /** The differences that were found in the direction. */
  readonly found: readonly Difference[];
}

/** The result for one direction, in one sentence. */
export function summaryOf(
  { old, new: now, found, undecided, namesEveryRule, isCut }: NamedAnswer,
  direction: Direction,
): Summary {
  const { title, verb, none } = MEANING[direction];
  const left = undecided.filter((one) => one.direction === direction || !one.direction).length;
  const notDecided = left > 0 ? `; ${counted(left, 'question')} not decided` : '';
  // When the time is over, a single undecided question represents everything that was not compared.
  const open = isCut ? '; the time was over' : notDecided;
  const isComplete = left === 0 && namesEveryRule[direction];
  if (found.length > 0) {
    const differences = `${counted(found.length, 'difference')}${isComplete ? ', and no others' : open}`;
    return { state: direction, text: `${now} ${title} ${old} ${verb}: ${differences}` };
  }
  if (left > 0) return { state: 'undecided', text: `${now} ${title} ${old} ${verb}: none was found${open}` };
  const [first, second] = direction === 'opens' ? [now, old] : [old, now];
  return { state: 'proved', text: `${now} ${none}: ${second} admits every pod that ${first} admits` };
}

/** A difference in words. */
export interface DifferenceWords {
  /** The rule, the namespaces and the users, such as `rule hostNetwork, in every namespace`. */
  readonly where: string;
  /** The policies that refuse the pod, such as `refused before by policy a:`. The text precedes `messages`. */
  readonly refused: string;
  readonly messages: readonly string[];
  /** The policy that admits the pod, such as `admitted now by policy b`. */
  readonly admitted: string;
  /**
   * The changes that cause the difference, such as `caused by spec.level of policy b`. The list is empty if no change
   * causes the difference alone.
   */
  readonly caused: readonly string[];
}

export function differenceWords(
  difference: Difference,
  direction: Direction,
  comparison: Pick<Comparison, 'classes'>,
  placeOf?: (cause: Cause) => string,
): DifferenceWords {
  const [refused, admitted] =
    direction === 'opens' ? [difference.before, difference.after] : [difference.after, difference.before];
  const [whenRefused, whenAdmitted] = direction === 'opens' ? ['before', 'now'] : ['now', 'before'];
  const policies = Object.keys(refused.violations);
  const [rule = '', ...others] = difference.rules;
  return {
    where: `${rule === USE_RULE ? 'use of policies' : `rule ${rule}`}, in ${whereText(difference, comparison)}`,
    refused: `refused ${whenRefused}${policies.length > 0 ? ` by ${policies.length > 1 ? 'each of the ' : ''}${policiesText(policies)}` : ''}:`,
    messages: [
      ...messagesIn(refused, rule),
      ...(others.length > 0 ? [`the pod also breaks ${others.join(', ')}`] : []),
    ],
    admitted: `admitted ${whenAdmitted}${admitterText(admitted)}`,
    caused: causedTexts(difference.causes, placeOf),
  };
}

/** @param placeOf the place of a change in a file, such as ` (policies.yaml:4)`; by default, no place is named */
function causedTexts(causes: readonly Cause[], placeOf: (cause: Cause) => string = () => ''): string[] {
  const [first, ...others] = causes.map((cause) => `${causeText(cause)}${placeOf(cause)}`);
  if (first === undefined) return [];
  return [`caused by ${first}`, ...others.map((other) => `and by ${other}`)];
}

function causeText({ policy, change, fields }: Cause): string {
  switch (change) {
    case 'Added':
      return `the new policy ${policy}`;
    case 'Removed':
      return `the end of policy ${policy}`;
    case 'Changed':
      return `${listed(fields)} of policy ${policy}`;
  }
}

/** The reason why a pod is admitted, such as ` by policy a`. The text follows the word `admitted`. */
export function admitterText({ admittedBy }: PodVerdict): string {
  return admittedBy === undefined ? ', because no policy decides' : ` by policy ${admittedBy}`;
}

/**
 * The namespaces and the users for which the difference holds, such as `namespaces with team=a, for users who may use
 * policy web`.
 */
export function whereText({ namespace, use }: Difference, { classes }: Pick<Comparison, 'classes'>): string {
  return `${classes === 1 ? 'every namespace' : namespaceText(namespace)}${useText(use)}`;
}

function namespaceText(labels: Readonly<Record<string, string>>): string {
  const { 'kubernetes.io/metadata.name': name, ...others } = labels;
  const texts = Object.entries(others).map(([key, value]) => `${key}=${value}`);
  if (name !== undefined) return `namespace ${name}${texts.length > 0 ? ` with ${texts.join(', ')}` : ''}`;
  return texts.length > 0 ? `namespaces with ${texts.join(', ')}` : 'namespaces without the labels that selectors name';
}

function useText(use: readonly string[]): string {
  return use.length === 0 ? '' : `, for users who may use ${policiesText(use)}`;
}

function messagesIn({ violations }: PodVerdict, rule: string): string[] {
  const policies = Object.keys(violations);
  return policies.flatMap((policy) =>
    violationsOf(policy, violations, rule).map(
      ({ message }) => `${policies.length > 1 ? `policy ${policy}: ` : ''}${message}`,
    ),
  );
}

/**
 * The violations of the rule for one policy. If the rule is USE_RULE, the list has all violations of the policy.
 */
export function violationsOf(policy: string, violations: PodVerdict['violations'], rule: string): readonly Violation[] {
  return violationsBy(policy, violations).filter((one) => rule === USE_RULE || one.rule === rule);
}

/** Describes an undecided question in one sentence. */
export function undecidedText({ namespace, use = [], direction, message }: Undecided): string {
  const where = namespace ? `, in ${namespaceText(namespace)}${useText(use)}` : '';
  return `${direction ?? 'opens and closes'}${where}: ${message}`;
}

/**
 * A note that names the policies of a mode that refuses nothing. These policies are left out. The note is undefined if
 * no policy is left out.
 */
export function notEnforcedText(policies: readonly ResolvedPolicy[]): string | undefined {
  const names = policies.filter(({ mode }) => mode !== 'Enforce').map(({ name }) => name);
  if (names.length === 0) return undefined;
  return `modes Warn and Audit refuse nothing and are not compared: ${[...new Set(names)].sort().join(', ')}`;
}

/**
 * A note that says until when the result holds; undefined if no policy expires.
 *
 * @param at the time of the comparison, in ms since 1970
 */
export function holdsUntilText(policies: readonly ResolvedPolicy[], at: number): string | undefined {
  const ends = policies.filter(({ expires }) => expires > at && expires !== NEVER).map(({ expires }) => expires);
  if (ends.length === 0) return undefined;
  return `the answer holds until ${formatTime(Math.min(...ends))}, when a policy expires`;
}
