import assert from 'node:assert/strict';
import type { CapabilityPolicyStatus } from '../../operator/api/capability-policy.ts';
import type { KubernetesEvent } from '../../operator/report/events.ts';
import { promotionEvent, rolloutHappenings } from '../../operator/report/rollout-progress-events.ts';
import { buildStatus, type StatusInput } from '../../operator/report/status.ts';
import { namespaceEvents, policyEvents, repairEvent } from '../../operator/report/transitions.ts';
import { baselinePolicy } from '../support/policies.ts';
import { CONFLICT, IN_FORCE, input, labels, NOW, verdicts, violating } from './fixtures.ts';

const origin = { reportingInstance: 'operator-0', now: NOW };
const tooNew = input({ levelVersion: 'v1.99' });
const working = input({}, { program: { ...IN_FORCE, state: 'Working' } });
const failed = input({}, { program: { ...IN_FORCE, state: 'Failed', message: 'forbidden' } });
const violated = (...names: string[]) => input({}, { verdicts: verdicts(names.map((name) => violating(name))) });
const excepted = (...names: string[]) =>
  input({}, { verdicts: verdicts(names.map((name) => violating(name, { admittedBy: 'exception' }))) });
const violations = (...rules: string[]) => ({
  violations: { ping: rules.map((rule) => ({ rule, container: 'app', message: `breaks ${rule}`, path: '' })) },
});

/** The input for a refused edit of a previously accepted policy. */
function refusedOver(accepted: StatusInput): StatusInput {
  const { policy, resolution } = accepted;
  assert.ok('policy' in resolution);
  const lastAccepted = { policy: resolution.policy, spec: policy.spec };
  return { ...accepted, policy: tooNew.policy, resolution: tooNew.resolution, lastAccepted };
}

function events(before: StatusInput | undefined, next: StatusInput): KubernetesEvent[] {
  const status = before && buildStatus(before);
  return eventsOf(status, next);
}

function eventsOf(status: CapabilityPolicyStatus | undefined, next: StatusInput): KubernetesEvent[] {
  const policy = { ...baselinePolicy('ping'), ...(status && { status }) };
  const found = ({ kind, name }: { kind: string; name: string }) =>
    name === 'gone' ? undefined : { uid: `${kind}-${name}` };
  return policyEvents(policy, buildStatus({ ...next, policy: { ...next.policy, status } }), found, origin);
}

function brief({ type, reason, regarding }: KubernetesEvent): string {
  return `${type} ${reason} ${regarding.kind}/${regarding.name}`;
}

describe('the Events of a policy', () => {
  const cases: [string, StatusInput | undefined, StatusInput, string[]][] = [
    ['none when nothing happens', input(), input({}, { now: '2026-03-03T00:00:00Z' }), []],
    [
      'none for a policy that is about to be written',
      undefined,
      input({}, { program: undefined, verdicts: new Map() }),
      [],
    ],
    ['refused', undefined, tooNew, ['Warning VersionTooNew CapabilityPolicy/ping']],
    ['still refused', tooNew, tooNew, []],
    [
      'refused for another version',
      tooNew,
      input({ levelVersion: 'v1.98' }),
      ['Warning VersionTooNew CapabilityPolicy/ping'],
    ],
    ['in force', working, input(), ['Normal InForce CapabilityPolicy/ping']],
    ['a new row over one in force', input(), working, ['Normal Programming CapabilityPolicy/ping']],
    ['refused by an API server', working, failed, ['Warning ApplyFailed CapabilityPolicy/ping']],
    ['no longer in force', input(), failed, ['Warning ApplyFailed CapabilityPolicy/ping']],
    [
      'a label conflict',
      input(),
      input({}, { labels: labels({ conflicts: [CONFLICT] }) }),
      ['Warning ForeignLabel CapabilityPolicy/ping'],
    ],
    ['a label conflict that has ended', input({}, { labels: labels({ conflicts: [CONFLICT] }) }), input(), []],
    [
      'a violation, on the policy and on the workload',
      violated('web'),
      violated('web', 'shop'),
      ['Warning WorkloadViolates CapabilityPolicy/ping', 'Warning WorkloadViolates Deployment/shop'],
    ],
    [
      'the end of a violation',
      violated('web', 'shop'),
      violated('web'),
      ['Normal ViolationEnded CapabilityPolicy/ping', 'Normal ViolationEnded Deployment/shop'],
    ],
    [
      'the end of a violation by deletion: nothing about the deleted workload',
      violated('gone'),
      violated(),
      ['Normal ViolationEnded CapabilityPolicy/ping'],
    ],
    [
      'more violations of a workload that violates already: none',
      violated('web'),
      input(
        {},
        {
          verdicts: verdicts([
            violating('web', { pods: 3, violations: { ping: [{ rule: 'x', message: 'y', path: '' }] } }),
          ]),
        },
      ),
      [],
    ],
    [
      'a violation that an exception admits: no warning',
      violated(),
      excepted('web'),
      ['Normal ExceptionAdmits CapabilityPolicy/ping', 'Normal ExceptionAdmits Deployment/web'],
    ],
    ['a violation that an exception still admits: none', excepted('web'), excepted('web'), []],
    [
      'the end of the exception',
      excepted('web'),
      violated('web'),
      ['Warning WorkloadViolates CapabilityPolicy/ping', 'Warning WorkloadViolates Deployment/web'],
    ],
    [
      'a new exception',
      violated('web'),
      excepted('web'),
      ['Normal ExceptionAdmits CapabilityPolicy/ping', 'Normal ExceptionAdmits Deployment/web'],
    ],
    [
      'the end of what an exception admitted',
      excepted('web'),
      violated(),
      ['Normal ViolationEnded CapabilityPolicy/ping', 'Normal ViolationEnded Deployment/web'],
    ],
    [
      'one of each',
      violated(),
      input({}, { verdicts: verdicts([violating('web'), violating('shop', { admittedBy: 'exception' })]) }),
      [
        'Warning WorkloadViolates CapabilityPolicy/ping',
        'Warning WorkloadViolates Deployment/web',
        'Normal ExceptionAdmits CapabilityPolicy/ping',
        'Normal ExceptionAdmits Deployment/shop',
      ],
    ],
    [
      'an unknown verdict: none',
      violated(),
      input({}, { verdicts: verdicts([violating('one', { kind: 'Pod', verdict: 'Unknown' })]) }),
      [],
    ],
    ['a namespace that has not been evaluated yet: none', violated('web'), input({}, { verdicts: new Map() }), []],
    [
      'a policy that is no longer accepted: no end of violations',
      violated('web'),
      tooNew,
      ['Warning VersionTooNew CapabilityPolicy/ping'],
    ],
    [
      'a policy whose edit is refused while its last text is in force: no end of violations',
      violated('web'),
      refusedOver(violated('web')),
      ['Warning VersionTooNew CapabilityPolicy/ping'],
    ],
    [
      'a policy whose edit was refused: no violation begins again',
      refusedOver(violated('web')),
      violated('web'),
      ['Normal InForce CapabilityPolicy/ping'],
    ],
    [
      'a violation that begins while an edit is refused',
      refusedOver(violated('web')),
      refusedOver(violated('web', 'shop')),
      ['Warning WorkloadViolates CapabilityPolicy/ping', 'Warning WorkloadViolates Deployment/shop'],
    ],
  ];
  for (const [name, before, next, expected] of cases) {
    it(name, () => assert.deepEqual(events(before, next).map(brief), expected));
  }

  it('Events name the mode in the namespace of a workload, and name a workload of each mode', () => {
    const by = (mode: 'Warn' | 'Enforce', name: string) => ({
      kind: 'Deployment',
      namespace: mode.toLowerCase(),
      name,
      mode,
      verdict: 'Violating' as const,
      rule: 'volumes',
      message: 'bad',
    });
    const status = (...violations: ReturnType<typeof by>[]) => ({ violations, violationsTotal: violations.length });
    const policy = { ...baselinePolicy('ping', { mode: 'Enforce' }), status: status() };
    const next = status(by('Warn', 'a'), by('Warn', 'b'), by('Enforce', 'c'));
    const notes = (from: typeof policy, to: CapabilityPolicyStatus) =>
      policyEvents(from, to, () => undefined, origin).map(({ note }) => note);
    assert.deepEqual(notes(policy, next), [
      'each of 2 workloads (Deployment warn/a, Deployment warn/b) violates the policy (mode Warn): Deployment warn/a: volumes: bad; 1 more violation',
      'Deployment enforce/c violates the policy (mode Enforce): volumes: bad',
    ]);
    const evaluated = {
      conditions: [{ type: 'Compliant', status: 'True', reason: 'NoViolation', message: 'none' }],
    } as unknown as CapabilityPolicyStatus;
    assert.deepEqual(notes({ ...policy, status: next }, { ...evaluated, ...status(by('Enforce', 'c')) }), [
      'each of 2 workloads (Deployment warn/a, Deployment warn/b) no longer violates the policy (mode Warn)',
    ]);
    const { mode: _, ...earlier } = by('Warn', 'a');
    assert.deepEqual(notes({ ...policy, status: status(earlier as never) }, { ...evaluated, ...status() }), [
      'Deployment warn/a no longer violates the policy (mode Enforce)',
    ]);
  });

  it('Events claim nothing about workloads that do not fit into a list', () => {
    const many = Array.from({ length: 70 }, (_, index) => `web-${index}`);
    assert.deepEqual(events(violated(...many), violated(...many, 'a')), []);
    assert.deepEqual(
      events(violated('z'), violated(...many, 'z')).filter(({ type }) => type === 'Normal'),
      [],
    );
  });

  it('say what happened', () => {
    const made = events(violated(), violated('web'));
    assert.match(made.map(({ metadata }) => metadata.name).join(' '), /^ping\.[0-9a-f]{16} web\.[0-9a-f]{16}$/);
    const unnamed = made.map(({ metadata: { namespace }, ...rest }) => ({ ...rest, metadata: { namespace } }));
    assert.deepEqual(unnamed, [
      {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { namespace: 'default' },
        eventTime: '2026-01-02T03:04:05.678000Z',
        reportingController: 'capabilitypolicy.dev',
        reportingInstance: 'operator-0',
        action: 'Evaluate',
        reason: 'WorkloadViolates',
        type: 'Warning',
        note: 'Deployment net/web violates the policy (mode Audit): capabilities: container "app" of web',
        regarding: {
          apiVersion: 'capabilitypolicy.dev/v1alpha1',
          kind: 'CapabilityPolicy',
          name: 'ping',
          uid: 'uid-of-ping',
        },
      },
      {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { namespace: 'net' },
        eventTime: '2026-01-02T03:04:05.678000Z',
        reportingController: 'capabilitypolicy.dev',
        reportingInstance: 'operator-0',
        action: 'Evaluate',
        reason: 'WorkloadViolates',
        type: 'Warning',
        note: 'violates CapabilityPolicy ping (mode Audit): capabilities: container "app" of web',
        regarding: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'net', name: 'web', uid: 'Deployment-web' },
        related: {
          apiVersion: 'capabilitypolicy.dev/v1alpha1',
          kind: 'CapabilityPolicy',
          name: 'ping',
          uid: 'uid-of-ping',
        },
      },
    ]);
  });

  const notes: [string, StatusInput, StatusInput, string[]][] = [
    [
      'the worst violation, whatever its name, and the number of others',
      violated(),
      input(
        {},
        { verdicts: verdicts([violating('web', violations('allowPrivilegeEscalation', 'seccomp', 'privileged'))]) },
      ),
      [
        'Deployment net/web violates the policy (mode Audit): privileged: breaks privileged; 2 more violations',
        'violates CapabilityPolicy ping (mode Audit): privileged: breaks privileged; 2 more violations',
      ],
    ],
    [
      'the workload that has it, among several',
      violated(),
      input(
        {},
        {
          verdicts: verdicts([violating('a', violations('seccomp')), violating('b', violations('hostPID', 'seccomp'))]),
        },
      ),
      [
        'each of 2 workloads (Deployment net/a, Deployment net/b) violates the policy (mode Audit): Deployment net/b: hostPID: breaks hostPID; 2 more violations',
        'violates CapabilityPolicy ping (mode Audit): seccomp: breaks seccomp',
        'violates CapabilityPolicy ping (mode Audit): hostPID: breaks hostPID; 1 more violation',
      ],
    ],
    [
      'the policy that nevertheless admits it',
      violated(),
      excepted('web'),
      [
        'Deployment net/web violates the policy (mode Audit) and is admitted by CapabilityPolicy exception (mode Enforce): capabilities: container "app" of web',
        'violates CapabilityPolicy ping (mode Audit) and is admitted by CapabilityPolicy exception (mode Enforce): capabilities: container "app" of web',
      ],
    ],
    [
      'the mode of an ended violation',
      violated('web'),
      violated(),
      [
        'Deployment net/web no longer violates the policy (mode Audit)',
        'no longer violates CapabilityPolicy ping (mode Audit)',
      ],
    ],
    [
      'that there may be more, if the status has no room',
      violated(),
      input(
        {},
        {
          verdicts: verdicts([violating('web', violations(...Array.from({ length: 70 }, (_, i) => `rule-${i}`)))]),
        },
      ),
      [
        'Deployment net/web violates the policy (mode Audit): rule-0: breaks rule-0; at least 63 more violations',
        'violates CapabilityPolicy ping (mode Audit): rule-0: breaks rule-0; at least 63 more violations',
      ],
    ],
  ];
  for (const [title, before, next, expected] of notes) {
    it(`say ${title}`, () =>
      assert.deepEqual(
        events(before, next).map(({ note }) => note),
        expected,
      ));
  }

  it('Events of a repeated attempt have the same names, and Events of a new occurrence have other names', () => {
    const names = (list: KubernetesEvent[]) => list.map(({ metadata }) => metadata.name);
    const first = buildStatus(violated());
    const later = { ...violated('web'), now: '2026-01-02T03:04:09Z' };
    assert.deepEqual(names(eventsOf(first, violated('web'))), names(eventsOf(first, later)));
    const again = { ...first, conditions: first.conditions?.map((one) => ({ ...one, lastTransitionTime: NOW })) };
    assert.notDeepEqual(names(eventsOf(first, later)), names(eventsOf(again, later)));
  });
});

describe('the Events of a namespace', () => {
  const namespace = { name: 'net', uid: 'n1' };
  const none = { namespace: 'net', applied: {}, conflicts: [] };
  const conflict = { ...none, conflicts: [CONFLICT] };

  it('report a conflict once', () => {
    assert.deepEqual(namespaceEvents(namespace, undefined, conflict, origin).map(brief), [
      'Warning ForeignLabel Namespace/net',
    ]);
    assert.deepEqual(namespaceEvents(namespace, none, conflict, origin).length, 1);
    assert.deepEqual(namespaceEvents(namespace, conflict, conflict, origin), []);
    assert.deepEqual(namespaceEvents(namespace, conflict, none, origin), []);
  });

  it('name the owner of the label', () => {
    const [event] = namespaceEvents(namespace, none, conflict, origin);
    assert.equal(
      event?.note,
      'label pod-security.kubernetes.io/audit is "restricted" by kubectl-label; the operator would set "baseline", so Pod Security Admission complains about pods that the policy admits; the operator does not change the label: to let the operator manage the label, remove it',
    );
    assert.equal(event?.metadata.namespace, 'default');
  });
});

describe('the Event of a repair', () => {
  for (const name of ['capabilitypolicy.dev:use:ping', 'capabilitypolicy-ping-0a1b2c', 'Odd:-.:']) {
    it(`has a name that the API server accepts: about ${name}`, () => {
      const event = repairEvent({ kind: 'ClusterRole', name }, undefined, origin);
      assert.match(event.metadata.name, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
      assert.equal(event.regarding.name, name);
    });
  }
});

describe('the Events of a rollout', () => {
  const policy = { apiVersion: 'capabilitypolicy.dev/v1alpha1', kind: 'CapabilityPolicy', name: 'ping' };
  const worst = 'Deployment legacy: privileged: container "app" must not be privileged';
  const since = '2026-01-01T00:00:00Z';
  const working = { enforced: 1, soaking: 1, blocked: 1 };
  const blocked = {
    enforced: 2,
    soaking: 0,
    blocked: 1,
    blockedNamespaces: [{ name: 'shop', violating: 1, since, worst }],
  };
  const complete = { enforced: 3, soaking: 0, blocked: 0 };
  type Rollout = CapabilityPolicyStatus['rollout'];
  const cases: [string, Rollout, Rollout, string[]][] = [
    ['none without a rollout', undefined, undefined, []],
    ['none for its beginning', undefined, working, []],
    ['none for each namespace that is promoted', working, { ...working, enforced: 2 }, []],
    [
      'one when nothing but a repair makes progress, with the worst workload',
      working,
      blocked,
      [
        `Warning RolloutBlocked: no more namespaces can be enforced: workloads violate the policy in 1 pending namespace, such as shop (${worst})`,
      ],
    ],
    ['none while it stays blocked', blocked, { ...blocked, enforced: 5 }, []],
    [
      'one at the end',
      working,
      complete,
      ['Normal RolloutComplete: the policy is enforced in all of its 3 namespaces'],
    ],
    ['none while it stays complete', complete, { ...complete, enforced: 4 }, []],
    ['none for a policy that is complete from the beginning', undefined, complete, []],
  ];
  for (const [title, before, next, expected] of cases) {
    it(title, () => {
      const found = rolloutHappenings({ ...(before && { rollout: before }) }, { ...(next && { rollout: next }) });
      assert.deepEqual(
        found.map(({ type, reason, note }) => `${type} ${reason}: ${note}`),
        expected,
      );
    });
  }

  it('a promoted namespace gets one Event, related to the policy', () => {
    const { regarding, related, reason, note } = promotionEvent({ name: 'shop', uid: 'u' }, policy, origin);
    assert.deepEqual(regarding, { apiVersion: 'v1', kind: 'Namespace', name: 'shop', uid: 'u' });
    assert.deepEqual(related, policy);
    assert.equal(
      `${reason}: ${note}`,
      'NamespaceEnforced: CapabilityPolicy ping is enforced in this namespace from now on',
    );
  });
});
