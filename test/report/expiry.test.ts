/**
 * Tests a policy that expires. The policy's condition says when the policy expires. One Event for each stage also says
 * when the policy expires.
 */
import assert from 'node:assert/strict';
import type { CapabilityPolicyStatus } from '../../operator/api/capability-policy.ts';
import { buildStatus, type StatusInput } from '../../operator/report/status.ts';
import { policyEvents } from '../../operator/report/transitions.ts';
import { coverageOf } from '../support/coverage-of.ts';
import { resolvedBaseline } from '../support/policies.ts';
import { condition, input, verdicts, violating, withStatus } from './fixtures.ts';

const END = '2027-01-31T00:00:00Z';
const BEFORE = '2026-12-01T00:00:00Z';
const WEEK = '2027-01-24T00:00:00Z';
const DAY = '2027-01-30T00:00:00Z';

const at = (now: string, fields: Partial<StatusInput> = {}) =>
  input({ expires: END, reason: 'until TICKET-1' }, { now, expired: now >= END, ...fields });

function eventsOf(before: CapabilityPolicyStatus | undefined, next: StatusInput): string[] {
  const { policy } = withStatus(before, next);
  const origin = { reportingInstance: 'operator-0', now: next.now };
  const events = policyEvents(policy, buildStatus(withStatus(before, next)), () => ({ uid: 'uid' }), origin);
  return events.map(({ type, reason }) => `${type} ${reason}`);
}

/**
 * The Events at the given times. At each of these times, a new process makes the Events. The process knows only the
 * policy's status.
 */
function story(...times: string[]): string[][] {
  let status: CapabilityPolicyStatus | undefined = buildStatus(at(BEFORE));
  return times.map((now) => {
    const events = eventsOf(status, at(now));
    status = buildStatus(withStatus(status, at(now)));
    return events;
  });
}

describe('the condition Expired', () => {
  const rows: [string, StatusInput, string | undefined][] = [
    ['is absent without an end', input(), undefined],
    ['is absent while the policy is not accepted', input({ expires: END, levelVersion: 'v1.99' }), undefined],
    ['long before the end', at(BEFORE), 'False ExpiresLater'],
    ['a second before the last week', at('2027-01-23T23:59:59Z'), 'False ExpiresLater'],
    ['in the last week', at(WEEK), 'False ExpiresWithinAWeek'],
    ['on the last day', at(DAY), 'False ExpiresWithinADay'],
    ['at the end, as long as it is compiled', at(END, { expired: false }), 'False ExpiresWithinADay'],
    ['from the end on', at(END), 'True Expired'],
  ];
  for (const [title, from, expected] of rows) {
    it(title, () => {
      const found = condition(buildStatus(from), 'Expired');
      assert.equal(found && `${found.status} ${found.reason}`, expected);
    });
  }

  it('names the time and spec.reason', () => {
    assert.equal(
      condition(buildStatus(at(DAY)), 'Expired')?.message,
      'expires at 2027-01-31T00:00:00Z; spec.reason: until TICKET-1',
    );
    assert.equal(
      condition(buildStatus(at(END)), 'Expired')?.message,
      'expired at 2027-01-31T00:00:00Z and counts as deleted: set a later spec.expires to bring the policy back, or delete the policy; spec.reason: until TICKET-1',
    );
  });
});

describe('an expired policy', () => {
  const before = buildStatus(at(DAY, { verdicts: verdicts([violating('web')]) }));
  const status = buildStatus(withStatus(before, at(END)));

  it('an expired policy is ready, and says that the policy has expired', () => {
    const found = (status.conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`);
    assert.deepEqual(found, [
      'Accepted=True Compiled',
      'Compliant=Unknown NotEvaluated',
      'Expired=True Expired',
      'Programmed=True Expired',
      'Ready=True Expired',
    ]);
    assert.match(condition(status, 'Ready')?.message ?? '', /^expired at 2027-01-31T00:00:00Z and counts as deleted/);
  });

  it('has no namespaces and no violations', () => {
    assert.deepEqual(Object.keys(status).sort(), ['columns', 'conditions', 'effective', 'observedGeneration']);
  });

  it('an expired policy that becomes active again is Pending until the operator sees the policy in force', () => {
    const later = at(DAY, { program: undefined });
    assert.equal(condition(buildStatus(withStatus(status, later)), 'Programmed')?.reason, 'Pending');
  });
});

describe('Events about the end of a policy', () => {
  it('three Events come: seven days before the end, one day before the end, and at the end', () => {
    const times = [
      '2027-01-23T00:00:00Z',
      WEEK,
      '2027-01-25T00:00:00Z',
      DAY,
      '2027-01-30T23:59:59Z',
      END,
      '2027-02-09T00:00:00Z',
    ];
    assert.deepEqual(story(...times), [
      [],
      ['Normal ExpiresWithinAWeek'],
      [],
      ['Warning ExpiresWithinADay'],
      [],
      ['Warning Expired'],
      [],
    ]);
  });

  it('skip what passed while no operator ran', () => {
    assert.deepEqual(story(DAY, END), [['Warning ExpiresWithinADay'], ['Warning Expired']]);
    assert.deepEqual(story(END), [['Warning Expired']]);
  });

  it('an end that the author has just written causes an Event only after the end has passed', () => {
    assert.deepEqual(eventsOf(undefined, at(DAY)), ['Normal InForce']);
    assert.deepEqual(eventsOf(undefined, at(END)), ['Warning Expired']);
  });

  it('come again before a later end', () => {
    const expired = buildStatus(at(END));
    const later = (now: string) => input({ expires: '2027-06-30T00:00:00Z' }, { now, program: at(now).program });
    assert.deepEqual(eventsOf(expired, later('2027-02-02T00:00:00Z')), ['Normal InForce']);
    const prolonged = buildStatus(withStatus(expired, later('2027-02-02T00:00:00Z')));
    assert.deepEqual(eventsOf(prolonged, later('2027-06-24T00:00:00Z')), ['Normal ExpiresWithinAWeek']);
  });
});

describe('Accepted', () => {
  const END_OF_2027 = '2027-12-31T00:00:00Z';
  const NET = { namespaceSelector: { matchLabels: { team: 'net' } } };
  const spaces = ['net', 'net-2', 'net-3', 'net-4'].map((name) => ({ name, labels: { team: 'net' } }));
  const namespaces = [...spaces, { name: 'shop', labels: {} }];
  const exception = resolvedBaseline('ping', { ...NET, expires: END });
  const rows: [string, ReturnType<typeof resolvedBaseline>[], string[]][] = [
    ['where it is the only policy', [], ['net', 'net-2', 'net-3', 'net-4']],
    ['nowhere where a policy without an end selects', [resolvedBaseline('all', { priority: -1 })], []],
    ['nowhere where a policy with a later end selects', [resolvedBaseline('all', { expires: END_OF_2027 })], []],
    [
      'where the other policies end earlier or at the same time',
      [resolvedBaseline('all', { expires: END })],
      spaces.map(({ name }) => name),
    ],
    ['where the others have another mode', [resolvedBaseline('all', { mode: 'Warn' })], spaces.map(({ name }) => name)],
  ];
  for (const [title, others, undecided] of rows) {
    it(`warns that nothing decides after the end ${title}`, () => {
      const coverage = coverageOf([exception, ...others], namespaces).get('ping');
      assert.deepEqual(coverage?.undecided, undecided);
      const message = condition(buildStatus(at(BEFORE, { ...(coverage && { coverage }) })), 'Accepted')?.message ?? '';
      const warning =
        'warning: from 2027-01-31T00:00:00Z on, no policy of mode Audit decides in 4 namespaces (net, net-2, net-3 and 1 more)';
      assert.equal(message.includes(warning), undecided.length > 0, message);
    });
  }

  it('for a policy without an end, the condition Accepted has no warning about an end', () => {
    const endless = resolvedBaseline('ping', NET);
    assert.deepEqual(coverageOf([endless], namespaces).get('ping')?.undecided, []);
  });
});
