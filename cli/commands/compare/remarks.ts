/** A comparison as remarks at lines of files. GitHub and code scanning show these remarks. */

import { mergeViolations } from '../../../analysis/check/merged.ts';
import { DIRECTIONS, type Difference, type Direction } from '../../../analysis/compare/compare.ts';
import { undecidedText, violationsOf, whereText } from '../../../analysis/compare/sentences.ts';
import type { Trouble } from '../../../analysis/manifests/trouble.ts';
import type { PodVerdict } from '../../../operator/evaluate/verdict.ts';
import { printable } from '../../../operator/text/printable.ts';
import { firstOf } from '../../../operator/text/wording.ts';
import { PROBLEM, type SarifResult } from '../../output/sarif.ts';
import { shellWord } from '../../output/shell-word.ts';
import type { FailOn } from './choices.ts';
import { differenceOf, type Printed, undecidedOf } from './document.ts';
import { exitCode, isNamed } from './exit-code.ts';
import type { PlaceOf } from './places.ts';

export interface Remark extends Omit<SarifResult, 'logicalLocation'> {
  readonly title: string;
}

/** A comparison, and other values that the remarks about this comparison need. */
export interface Answer extends Printed {
  /** The names of the two sets, as the user named them on the command line. */
  readonly names: readonly [old: string, now: string];
  readonly failOn: FailOn;
  /** Finds the place of a policy of the new set. */
  readonly placeOf: PlaceOf;
}

/** The ID of the SARIF rule for questions that were not decided. */
export const NOT_DECIDED = 'NotDecided';
const NAMED = 3;

export function remarksOf(answer: Answer): Remark[] {
  const { comparison, failOn } = answer;
  const decides = exitCode(comparison, failOn) === 2;
  const differences = DIRECTIONS.flatMap((direction) =>
    comparison[direction].map((difference) => differenceRemark(difference, direction, answer)),
  );
  const undecided = comparison.undecided.map((one): Remark => {
    const level = decides && isNamed(one.direction, failOn) ? 'error' : 'warning';
    const text = printable(undecidedText(one));
    return { level, ruleId: NOT_DECIDED, title: 'not decided', text, ...NOWHERE, properties: undecidedOf(one) };
  });
  return [...differences, ...undecided];
}

/** A problem of the input as a remark. */
export function troubleRemark({ file, line, message, severity: level = 'error' }: Trouble): Remark {
  return { level, ruleId: PROBLEM, title: 'cappol', text: printable(message), file, line: line ?? null };
}

export const NOWHERE = { file: null, line: null } as const;

function differenceRemark(difference: Difference, direction: Direction, answer: Answer): Remark {
  const { names, failOn, comparison } = answer;
  const [ruleId = ''] = difference.rules;
  const refused = direction === 'opens' ? difference.before : difference.after;
  const command = `cappol compare ${names.map(shellWord).join(' ')} -o text`;
  const where = whereText(difference, comparison);
  const text = `In ${where}, ${changeText(difference, direction)}, with the message: ${messagesText(refused, ruleId)}; ${command} shows such a pod`;
  const otherwise = direction === 'opens' ? 'warning' : 'note';
  return {
    level: isNamed(direction, failOn) ? 'error' : otherwise,
    ruleId,
    title: `${direction} ${ruleId}`,
    text: printable(text),
    ...placeIn(difference, direction, answer),
    properties: { direction, ...differenceOf(difference) },
  };
}

/** The change as a part of a sentence, such as `policy web now admits pods that policy restricted refused`. */
function changeText({ before, after }: Difference, direction: Direction): string {
  const [admits, refuses] = direction === 'opens' ? [after, before] : [before, after];
  const { admittedBy } = admits;
  const refusing = Object.keys(refuses.violations);
  const refusers = refusersText(refusing);
  const isSame = refusing.length === 1 && refusing[0] === admittedBy;
  if (direction === 'opens') {
    const who =
      admittedBy === undefined ? 'no policy decides any more, which admits' : `policy ${admittedBy} now admits`;
    return `${who} pods that ${isSame ? 'it' : refusers} refused`;
  }
  const whom = admittedBy === undefined ? 'about which no policy decided' : `that policy ${admittedBy} admitted`;
  const pods = isSame ? 'pods that it admitted' : `pods ${whom}`;
  return `${refusers} now ${refusing.length === 1 ? 'refuses' : 'refuse'} ${pods}`;
}

function refusersText(policies: readonly string[]): string {
  if (policies.length === 0) return 'the policies';
  return firstOf(
    policies.map((policy) => `policy ${policy}`),
    NAMED,
  );
}

/** The messages of the rule about the pod. If several policies have the same message, the message appears once. */
function messagesText({ violations }: PodVerdict, rule: string): string {
  const ofRule = Object.keys(violations).flatMap((policy) =>
    violationsOf(policy, violations, rule).map((one) => ({ ...one, policy, mode: 'Enforce' as const })),
  );
  return mergeViolations(ofRule)
    .map(({ first, message }) => `${first.rule}: ${message}`)
    .join('; ');
}

/** The fields about where, when and for whom a policy decides. Other fields are about what a policy admits. */
const DECIDING = ['namespaceSelector', 'priority', 'mode', 'rollout', 'expires', 'usableBy', 'subjects'].map(
  (field) => `spec.${field}`,
);

/**
 * If the changed field that causes the difference is about where, when or for whom a policy decides, the result is the
 * place of this field. If no field of this kind causes the difference, the place is in the policy that admits or
 * refuses the pod after the change. If no policy decides about the pod any more, the place is in the policy that
 * refused the pod before.
 */
function placeIn({ before, after, rules, causes }: Difference, direction: Direction, { placeOf }: Answer) {
  const [rule = ''] = rules;
  const changed = causes.flatMap(({ policy, fields }) => fields.map((field) => ({ policy, field })));
  const now = direction === 'closes' ? Object.keys(after.violations) : [after.admittedBy ?? ''];
  const earlier = direction === 'closes' ? [] : Object.keys(before.violations);
  const [place = NOWHERE] = [
    ...changed.flatMap(({ policy, field }) => (DECIDING.includes(field) ? (placeOf(policy, { field }) ?? []) : [])),
    ...now.flatMap((policy) => placeOf(policy, { rule }) ?? []),
    ...earlier.flatMap((policy) => placeOf(policy, 'namespaces') ?? []),
  ];
  return place;
}
