/** Reports that a policy for everybody loosens a policy that is rolled out. */
import type { Loosening } from '../evaluate/loosening.ts';
import { counted, firstOf } from '../text/wording.ts';

const NAMED = 3;

export function looseningTexts(loosenings: readonly Loosening[]): string[] {
  return loosenings.map((one) => `warning: ${looseningText(one)}`);
}

/** @param loosening the list of namespaces is empty if the namespaces are not known */
export function looseningText({ policy, rules, namespaces }: Loosening): string {
  const where =
    namespaces.length === 0 ? '' : ` in ${counted(namespaces.length, 'namespace')} (${firstOf(namespaces, NAMED)})`;
  return `this policy is for everybody, and loosens policy ${policy}, which is rolled out,${where} by ${counted(rules.length, 'rule')} (${firstOf(rules, NAMED)}); write usableBy: Subjects if it is an exception for some service accounts`;
}
