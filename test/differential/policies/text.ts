/** Functions that compare the messages of refusals without their varying parts. */
import { MESSAGE_LENGTH_IF_NOT_ASCII } from '../../../operator/compile/decision.ts';
import type { Violation } from '../../../operator/evaluate/violations.ts';
import { printable } from '../../../operator/text/printable.ts';

/** The reasons why a policy refuses a pod. */
export interface Reasons {
  readonly policy: string;
  readonly texts: readonly string[];
}

/** The text that replaces the end of an overlong message. */
export const CUT = '… (cut)';

const TOKEN_VOLUME = /kube-api-access-[a-z0-9]{5}/g;

/**
 * A policy's reasons in the form that users see. Neither the operator nor an admission policy shows a control character
 * of a pod.
 */
export function reasonsOf(policy: string, violations: readonly Violation[]): Reasons {
  const texts = violations.map(({ rule, message }) => withoutRandomNames(printable(`${rule}: ${message}`)));
  return { policy, texts };
}

/** The reasons in the form of the admission policy's message. */
export function textOf({ policy, texts }: Reasons): string {
  return `CapabilityPolicy ${policy}: ${texts.join('; ')}`;
}

/**
 * Whether a message gives the expected reasons. If the message is cut between two reasons, the message ends with the
 * number of the remaining reasons. The message may also be cut at a certain length.
 */
export function gives(text: string, reasons: Reasons): boolean {
  const cut = text.indexOf(CUT);
  if (cut !== -1) return textOf(reasons).length >= cut;
  const [counted = '', others = '0'] = /; and (\d+) more$/.exec(text) ?? [];
  const described = reasons.texts.length - Number(others);
  const expected = textOf({ ...reasons, texts: reasons.texts.slice(0, described) }) + counted;
  return described > 0 && sorted(text) === sorted(expected);
}

/**
 * Whether an admission policy's answer equals the message. If the message is too long, the answer is the beginning of
 * the message.
 */
export function says(answer: string, text: string): boolean {
  if (!answer.endsWith(CUT)) return answer === text;
  const beginning = answer.slice(0, -CUT.length);
  return beginning.length >= MESSAGE_LENGTH_IF_NOT_ASCII && text.startsWith(beginning);
}

/** Replaces the random name of the volume with the service account's token. The API server generates this name. */
export function withoutRandomNames(text: string): string {
  return text.replaceAll(TOKEN_VOLUME, 'kube-api-access');
}

/** Sorts the keys of a map, such as annotations, because the API server lists the keys in any order. */
function sorted(text: string): string {
  const lists = /(?<=must not have the annotation ).*?(?= \(allowed)/g;
  return text.replaceAll(lists, (list) => list.split(', ').sort().join(', '));
}
