/**
 * Makes the condition Protected. The condition shows whether API servers protect the objects that the operator writes.
 * Ready does not depend on this condition.
 */
import type { Condition } from '../api/capability-policy.ts';
import type { ProtectionOutcome } from '../apply/protection-probe.ts';
import type { BareCondition } from './bare-condition.ts';
import * as reasons from './reasons.ts';

const HOW = '`cappol render --static` writes the file';

/**
 * Makes the condition Protected. After a restart, a policy keeps the condition Protected from before the restart until
 * the operator has probed the API servers.
 */
export function protectedCondition(
  outcome: ProtectionOutcome | undefined,
  previous: readonly Condition[],
): BareCondition[] {
  if (!outcome) return previous.filter(({ type }) => type === 'Protected');
  const [status, reason] = ANSWERS[outcome.state];
  return [{ type: 'Protected', status, reason, message: protectionText(outcome) }];
}

const ANSWERS: Readonly<Record<ProtectionOutcome['state'], readonly [BareCondition['status'], string]>> = {
  Protected: ['True', reasons.FILE_IN_FORCE],
  OtherOperator: ['False', reasons.OTHER_OPERATOR],
  Unprotected: ['False', reasons.NO_FILE_IN_FORCE],
  Unknown: ['Unknown', reasons.NOT_ANSWERED],
};

/** Describes the protection for people. */
export function protectionText({ state, servers, message }: ProtectionOutcome): string {
  const where = `${servers.protecting} of ${servers.answering} API servers`;
  switch (state) {
    case 'Protected':
      return `a file of ${where} lets only the operator change the objects that enforce policies`;
    case 'OtherOperator':
      return `a file of ${where} lets only another operator change the objects that enforce policies: ${HOW}, with --operator-service-account`;
    case 'Unprotected':
      return `cluster administrators can change the objects that enforce policies: ${where} protect it by a file; ${HOW}`;
    default:
      return `it is not known whether API servers protect the objects that enforce policies: ${message}`;
  }
}
