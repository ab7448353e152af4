/** Reads the answers of protected API servers to the operator's own writes. */
import assert from 'node:assert/strict';
import type { AuditEvent } from './audit.ts';

/**
 * The first words of the message with which the protection refuses a request. If the protection answers a probe, the
 * answer begins differently: "CapabilityPolicy protection in force: …".
 */
const REFUSAL = 'CapabilityPolicy protection: ';

/**
 * @param events the events of the operator's writes
 * @returns the number of writes, as text for the output
 * @throws an error if the protection refused a write, or if the operator wrote nothing
 */
export function assertNoneRefused(events: readonly AuditEvent[]): string {
  const refused = events.filter(({ responseStatus }) => responseStatus?.message?.includes(REFUSAL));
  assert.deepEqual(
    refused.map(({ verb, requestURI, responseStatus }) => `${verb} ${requestURI}: ${responseStatus?.message}`),
    [],
    `the protection refused ${refused.length} of ${events.length} writes of the operator`,
  );
  assert.ok(events.length > 0, 'the operator wrote nothing');
  return `the protection refused 0 of ${events.length} writes of the operator`;
}
