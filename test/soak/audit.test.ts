import assert from 'node:assert/strict';
import { type AuditEvent, turnsOf } from './audit.ts';

describe('turns in an audit log', () => {
  const cases: readonly { readonly title: string; readonly events: AuditEvent[]; readonly outOfTurn: number }[] = [
    {
      title: 'a write of the holder',
      events: [lease('a', 1), write('a', 2), lease('a', 3), write('a', 9)],
      outOfTurn: 0,
    },
    { title: 'a write of a user that never held the Lease', events: [lease('a', 1), write('b', 2)], outOfTurn: 1 },
    { title: 'a write before it was held', events: [write('a', 0), lease('a', 1)], outOfTurn: 1 },
    { title: 'a write after another took it', events: [lease('a', 1), lease('b', 4), write('a', 5)], outOfTurn: 1 },
    { title: 'a write while another takes it', events: [lease('a', 1), lease('b', 4), write('a', 4)], outOfTurn: 0 },
    { title: 'a write after it was released', events: [lease('a', 1), lease('a', 2, ''), write('a', 3)], outOfTurn: 1 },
    {
      title: 'a refused write',
      events: [lease('a', 1), { ...write('b', 2), responseStatus: { code: 409 } }],
      outOfTurn: 0,
    },
    { title: 'a dry run', events: [lease('a', 1), { ...write('b', 2), requestURI: '/api?dryRun=All' }], outOfTurn: 0 },
    {
      title: 'a refused attempt to take it',
      events: [lease('a', 1), { ...lease('b', 2), responseStatus: { code: 409 } }, write('a', 3)],
      outOfTurn: 0,
    },
    {
      title: 'writes of two in turn',
      events: [lease('a', 1), write('a', 2), lease('b', 3), write('b', 4), lease('a', 5), write('a', 6)],
      outOfTurn: 0,
    },
  ];
  for (const { title, events, outOfTurn } of cases) {
    it(`${outOfTurn === 0 ? 'takes' : 'does not take'} ${title}`, () => {
      assert.equal(turnsOf(events).outOfTurn.length, outOfTurn, JSON.stringify(turnsOf(events)));
    });
  }

  it('turnsOf() names the holders of the Lease in order, and counts the writes of each holder', () => {
    const events = [lease('a', 1), write('a', 2), lease('a', 3, ''), lease('b', 4), write('b', 5), write('b', 6)];
    const { holders, writes } = turnsOf(events);
    assert.deepEqual({ holders, writes }, { holders: ['a', '', 'b'], writes: { a: 1, b: 2 } });
  });
});

/**
 * The audit event of a write. The API server receives the write at the beginning of the given `second`, and answers
 * half a second later.
 */
function write(username: string, second: number): AuditEvent {
  return {
    user: { username },
    verb: 'patch',
    requestURI: '/api/v1/namespaces/net?fieldManager=capabilitypolicy.dev',
    objectRef: { resource: 'namespaces' },
    responseStatus: { code: 200 },
    requestReceivedTimestamp: `2026-01-01T00:00:0${second}.000000Z`,
    stageTimestamp: `2026-01-01T00:00:0${second}.500000Z`,
  };
}

function lease(username: string, second: number, holderIdentity = `${username}_1`): AuditEvent {
  return { ...write(username, second), objectRef: { resource: 'leases' }, requestObject: { spec: { holderIdentity } } };
}
