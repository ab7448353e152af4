import assert from 'node:assert/strict';
import type { AuditEvent } from './audit.ts';
import { assertNoneRefused } from './own-writes.ts';

function write(code: number, message?: string): AuditEvent {
  return {
    user: { username: 'system:serviceaccount:capabilitypolicy-system:capabilitypolicy-operator' },
    verb: 'patch',
    requestURI: '/apis/rbac.authorization.k8s.io/v1/clusterroles/capabilitypolicy.dev:use:ping',
    requestReceivedTimestamp: '2026-11-26T12:00:00.000000Z',
    responseStatus: { code, ...(message !== undefined && { message }) },
  };
}

const POLICY = `ValidatingAdmissionPolicy 'protection.capabilitypolicy.dev.static.k8s.io' denied request`;

describe("the operator's writes under protection", () => {
  it('counts the writes of the operator, and accepts refusals of probes and refusals because of conflicts', () => {
    const probe = write(403, `${POLICY}: CapabilityPolicy protection in force: operator may write what it protects`);
    assert.equal(
      assertNoneRefused([write(200), probe, write(409, 'the object has been modified')]),
      'the protection refused 0 of 3 writes of the operator',
    );
  });

  it('the test fails if the protection refuses a write of the operator', () => {
    const refused = write(403, `${POLICY}: CapabilityPolicy protection: only the operator may write its Lease`);
    assert.throws(() => assertNoneRefused([write(200), refused]), /refused 1 of 2 writes of the operator/);
  });

  it('the test fails if the log has no write of the operator', () => {
    assert.throws(() => assertNoneRefused([]), /the operator wrote nothing/);
  });
});
