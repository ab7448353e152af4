/** Tests that every input gives a status that is valid for kstatus, Argo CD and etcd. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CapabilityPolicyStatus } from '../../operator/api/capability-policy.ts';
import { buildStatus } from '../../operator/report/status.ts';
import { policyEvents } from '../../operator/report/transitions.ts';
import { state } from './arbitrary.ts';
import { condition, EARLIER, NOW, withStatus } from './fixtures.ts';

function assertWellFormed(status: CapabilityPolicyStatus): void {
  const { conditions = [], observedGeneration } = status;
  const types = conditions.map(({ type }) => type);
  assert.deepEqual(types, [...new Set(types)].sort(), 'sorted, each type once');
  assert.ok(observedGeneration !== undefined && conditions.every((one) => one.observedGeneration !== undefined));
  const is = (type: string, wanted: string) => condition(status, type)?.status === wanted;
  for (const type of ['Accepted', 'Compliant', 'Programmed', 'Ready']) assert.ok(types.includes(type), type);
  const isKept = is('Ready', 'False') && is('Accepted', 'True') && is('Programmed', 'True');
  assert.ok(!isKept || is('LabelRefused', 'True'));
  assert.equal(is('Ready', 'True'), is('Accepted', 'True') && is('Programmed', 'True') && !isKept);
  if (is('Ready', 'True')) assert.ok(!types.includes('Reconciling') && !types.includes('Stalled'));
  assert.equal(types.includes('Stalled'), is('Accepted', 'False'));
  for (const type of ['Reconciling', 'Stalled', 'LabelConflict', 'LabelRefused', 'UseLimitExceeded']) {
    assert.ok(!types.includes(type) || is(type, 'True'));
  }
  for (const { reason, message } of conditions) {
    assert.match(reason, /^[A-Z][A-Za-z]+$/);
    assert.ok(message.length > 0 && message.length <= 1024 && message.isWellFormed() && !message.includes('\n'));
  }
  const bytes = Buffer.byteLength(JSON.stringify(status));
  assert.ok(bytes < 64 * 1024, `${bytes} bytes`);
  assert.deepEqual(JSON.parse(JSON.stringify(status)), status, 'plain JSON, nothing undefined');
}

describe('every status', () => {
  it('every status is well-formed, and a second build gives the same bytes and the same times', () => {
    fc.assert(
      fc.property(state, state, (earlier, later) => {
        const first = buildStatus({ ...earlier, now: EARLIER });
        const second = buildStatus(withStatus(first, later));
        for (const status of [first, second]) assertWellFormed(status);
        assert.equal(JSON.stringify(buildStatus(withStatus(first, later))), JSON.stringify(second));
        const third = buildStatus(withStatus(second, { ...later, now: '2026-02-02T00:00:00Z' }));
        assert.equal(JSON.stringify(third), JSON.stringify(second));
        for (const { type, status, lastTransitionTime } of second.conditions ?? []) {
          const changed = condition(first, type)?.status !== status;
          assert.equal(lastTransitionTime, changed ? NOW.replace('.678', '') : EARLIER, type);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('makes Events that the API server accepts, and makes no Event if nothing has changed', () => {
    fc.assert(
      fc.property(state, state, (earlier, later) => {
        const first = buildStatus(earlier);
        const { policy } = withStatus(first, later);
        const origin = { reportingInstance: 'operator-0', now: NOW };
        const events = policyEvents(policy, buildStatus(withStatus(first, later)), () => ({ uid: 'uid' }), origin);
        for (const { note, reason, metadata } of events) {
          assert.ok(note.length > 0 && Buffer.byteLength(note) <= 1024);
          assert.match(reason, /^[A-Z][A-Za-z]+$/);
          assert.ok(metadata.name.length <= 253);
        }
        assert.deepEqual(
          policyEvents(policy, first, () => ({ uid: 'uid' }), origin),
          [],
        );
      }),
      { numRuns: 100 },
    );
  });
});
