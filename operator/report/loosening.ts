/** Reports that a policy for everybody loosens a policy that is rolled out. */
import type { Loosening } from '../evaluate/loosening.ts';
import { counted, firstOf } from '../text/wording.ts';

const NAMED = 3;

export function looseningTexts(loosenings: readonly Loosening[]): string[] {
  return loosenings.map((one) => `warning: ${looseningText(one)}`);
}

/**
 * @param loosening the loosened policy. If the namespaces of the loosened policy are not known, the list of namespaces
 * is empty
 */
export function looseningText({ policy, rules, namespaces }: Loosening): string {
  const where =
    namespaces.length === 0 ? '' : ` in ${counted(namespaces.length, 'namespace')} (${firstOf(namespaces, NAMED)})`;
  return `everybody may use this policy, and it loosens ${counted(rules.length, 'rule')} (${firstOf(rules, NAMED)}) of policy ${policy}, which is being rolled out${where}; write usableBy: Subjects if this policy is an exception for some service accounts`;
}
