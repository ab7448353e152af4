/** Reads how protected API servers answered the operator's own writes. */
import assert from 'node:assert/strict';
import type { AuditEvent } from './audit.ts';

/** The answer to a probe of the protection has another text: "CapabilityPolicy protection in force: …". */
const REFUSAL = 'CapabilityPolicy protection: ';

/**
 * @param events of the operator's writes @returns the number of writes, for people
 * @throws if the protection refused one, or if there are none
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
