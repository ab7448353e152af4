/**
 * Makes the condition UseLimitExceeded. The condition is True if an admission policy cannot check all
 * CapabilityPolicies with restricted use that decide in a namespace. Ready does not depend on this condition.
 */
import { MOST_ASKED } from '../compile/decision.ts';
import { counted, firstOf } from '../text/wording.ts';
import type { BareCondition } from './bare-condition.ts';
import * as reasons from './reasons.ts';

const NAMED = 3;

/**
 * @param restricted the key is a namespace, and the value is the number of policies with restricted use that decide in
 * the namespace
 */
export function useLimitCondition(restricted: ReadonlyMap<string, number>): BareCondition[] {
  const namespaces = [...restricted].flatMap(([namespace, policies]) => (policies > MOST_ASKED ? [namespace] : []));
  if (namespaces.length === 0) return [];
  const where = `${counted(namespaces.length, 'namespace')} (${firstOf(namespaces.sort(), NAMED)})`;
  const message = `more than ${MOST_ASKED} policies with restricted use decide in ${where}: if a pod complies with more than ${MOST_ASKED} of these policies, the API server checks the right to use only ${MOST_ASKED} of them, and may refuse the pod although the pod may use another of these policies. Merge some of the policies, or let everyone use some of them`;
  return [{ type: 'UseLimitExceeded', status: 'True', reason: reasons.TOO_MANY_RESTRICTED, message }];
}
