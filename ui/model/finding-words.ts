/** Describes findings about policies in words, with links to the policies that cause the findings. */
import { type Finding, findingText, kindText, policiesText } from '../../analysis/compare/finding.ts';
import type { ClusterFindings, TextFindings } from '../worker/findings.ts';
import type { Marker } from './play-result.ts';

/** The findings about the policies of a cluster, or the reason why no result exists. */
export type ToldFindings = { readonly findings: ClusterFindings } | { readonly error: string };

/** A part of a sentence: text, or the name of a policy that becomes a link. */
export type SentencePart = string | { readonly policy: string };

/** The kind of a finding as a title, such as `Opens nothing`. */
export function findingTitle(kind: Finding['kind']): string {
  return capitalized(kindText(kind));
}

/** The message of a finding as a sentence. The names of other policies are separate parts of the sentence. */
export function findingParts({ message, others }: Pick<Finding, 'message' | 'others'>): SentencePart[] {
  const sentence = `${capitalized(message)}.`;
  const list = policiesText(others);
  const at = others.length === 0 ? -1 : wholeIndexOf(sentence, list);
  if (at < 0) return [sentence];
  return [sentence.slice(0, at), ...listParts(others), sentence.slice(at + list.length)];
}

/** The parts of the text that `policiesText()` returns. */
function listParts(names: readonly string[]): SentencePart[] {
  const separator = (index: number) => (index === names.length - 1 ? ' and ' : ', ');
  const parts = names.flatMap((policy, index) => (index === 0 ? [{ policy }] : [separator(index), { policy }]));
  return [names.length === 1 ? 'policy ' : 'policies ', ...parts];
}

/**
 * The index of the list of names in the sentence, or -1 if the sentence does not contain the list. The sentence may
 * also contain the list with a longer last name, such as `a, bc` for the list `a, b`. The function skips such a list.
 */
function wholeIndexOf(sentence: string, list: string): number {
  const goesOn = (end: number) => /^[-.]*[a-z0-9]/.test(sentence.slice(end));
  let at = sentence.indexOf(list);
  while (at >= 0 && goesOn(at + list.length)) at = sentence.indexOf(list, at + 1);
  return at;
}

/** The findings about each policy that has findings. The key is the name of the policy. */
export function findingsByPolicy(told: ToldFindings | undefined): ReadonlyMap<string, readonly Finding[]> {
  return Map.groupBy(told && 'findings' in told ? told.findings.findings : [], ({ policy }) => policy);
}

/** The markers that show findings in the YAML of the policies. */
export function findingMarkers({ findings }: TextFindings): Marker[] {
  return findings.map((finding) => ({ line: finding.line ?? 1, severity: 'warning', message: findingText(finding) }));
}

function capitalized(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
