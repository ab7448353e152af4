import assert from 'node:assert/strict';
import { lacksPods } from '../../operator/projection/lacking-pods.ts';
import { createRefusalProjection, refusalIn, replicaFailure } from '../../operator/projection/refusal-projection.ts';

const ANSWER = 'CapabilityPolicy shop: capabilities: container "istio-init" must not add capability NET_ADMIN';
const PROGRAM = `ValidatingAdmissionPolicy 'capabilitypolicy.enforce' with binding 'capabilitypolicy.enforce' denied request: ${ANSWER}`;
const POD_SECURITY = 'violates PodSecurity "restricted:latest": runAsNonRoot != true (container "a" must not set …)';

describe('the API server’s answer to a controller', () => {
  const cases: [title: string, text: string, refusal: object | undefined][] = [
    ['of a program', `Error creating: pods "web-abc-x1" is forbidden: ${PROGRAM}`, { by: 'Program', message: ANSWER }],
    [
      'of a program, to the controller of a StatefulSet',
      `create Pod db-0 in StatefulSet db failed error: pods "db-0" is forbidden: ${PROGRAM}`,
      { by: 'Program', message: ANSWER },
    ],
    [
      'of Pod Security',
      `(combined from similar events): Error creating: pods "web-abc-x1" is forbidden: ${POD_SECURITY}`,
      { by: 'PodSecurity', message: POD_SECURITY },
    ],
    [
      'of another admission policy',
      `pods "a" is forbidden: ValidatingAdmissionPolicy 'other' with binding 'other' denied request: no`,
      undefined,
    ],
    ['about a quota', 'Error creating: pods "a" is forbidden: exceeded quota: pods', undefined],
    ['of a webhook', 'admission webhook "validate.kyverno.svc" denied the request: no', undefined],
  ];
  for (const [title, text, refusal] of cases) {
    it(title, () => assert.deepEqual(refusalIn(text), refusal));
  }

  it('is cut to a bounded length', () => {
    assert.equal(refusalIn(PROGRAM + 'x'.repeat(5_000))?.message.length, 1_024);
  });

  it('counts in a condition only while the condition is True', () => {
    const failure = (fields: object) =>
      replicaFailure({
        status: {
          conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: PROGRAM, ...fields }],
        },
      })?.by;
    assert.equal(failure({}), 'Program');
    assert.equal(failure({ status: 'False' }), undefined);
    assert.equal(failure({ reason: 'FailedDelete' }), undefined);
    assert.equal(failure({ message: null }), undefined);
    assert.equal(replicaFailure({ status: null }), undefined);
  });
});

describe('the projection of an Event', () => {
  const project = createRefusalProjection();
  const event = {
    metadata: { uid: 'e', namespace: 'net', name: 'web.1' },
    reason: 'FailedCreate',
    message: PROGRAM,
    involvedObject: { kind: 'DaemonSet', namespace: 'net', name: 'web', uid: 'u' },
    count: 3,
    lastTimestamp: '2026-12-02T10:00:00Z',
  };

  it('keeps the workload, the answer and the attempt', () => {
    const view = project(event);
    assert.deepEqual([view?.kind, view?.namespace, view?.name, view?.uid], ['DaemonSet', 'net', 'web', 'u']);
    assert.deepEqual([view?.by, view?.message, view?.time], ['Program', ANSWER, Date.parse('2026-12-02T10:00:00Z')]);
    assert.notEqual(project({ ...event, count: 4 })?.attempt, view?.attempt);
    assert.equal(project({ ...event, metadata: { ...event.metadata, resourceVersion: '9' } })?.attempt, view?.attempt);
  });

  it('shares equal answers', () => {
    assert.equal(project(event)?.message, project({ ...event, count: 9 })?.message);
  });

  for (const [title, fields] of [
    ['of another reason', { reason: 'FailedDelete' }],
    ['about a quota', { message: 'exceeded quota' }],
    ['without an object', { involvedObject: null }],
    ['without a message', { message: null }],
  ] as const) {
    it(`leaves out an Event ${title}`, () => assert.equal(project({ ...event, ...fields }), undefined));
  }

  it('reads the time of a series', () => {
    const series = { count: 7, lastObservedTime: '2026-12-02T11:00:00.000000Z' };
    const { lastTimestamp: _, count: __, ...rest } = event;
    assert.equal(
      project({ ...rest, series, eventTime: '2026-12-02T10:00:00.000000Z' })?.time,
      Date.parse('2026-12-02T11:00:00Z'),
    );
  });
});

describe('a workload that lacks pods', () => {
  const cases: [kind: string, spec: object, status: object | null, lacks: boolean][] = [
    ['ReplicaSet', { replicas: 3 }, {}, true],
    ['ReplicaSet', { replicas: 3 }, { replicas: 2 }, true],
    ['ReplicaSet', { replicas: 3 }, { replicas: 3 }, false],
    ['ReplicaSet', { replicas: 0 }, {}, false],
    ['Deployment', {}, {}, true],
    ['Deployment', {}, { replicas: 1 }, false],
    ['Deployment', { replicas: 2 }, null, false],
    ['StatefulSet', { replicas: 2 }, { replicas: 1 }, true],
    ['ReplicationController', { replicas: 1 }, { replicas: 0 }, true],
    ['DaemonSet', {}, { desiredNumberScheduled: 2, currentNumberScheduled: 1 }, true],
    ['DaemonSet', {}, { desiredNumberScheduled: 2, currentNumberScheduled: 2 }, false],
    ['Job', {}, {}, true],
    ['Job', {}, { active: 1 }, false],
    ['Job', {}, { succeeded: 1 }, false],
    ['Job', { suspend: true }, {}, false],
    ['Job', { completions: 5, parallelism: 3 }, { active: 2, succeeded: 1 }, true],
    ['Job', { completions: 5, parallelism: 3 }, { active: 1, succeeded: 4 }, false],
    ['Job', {}, { conditions: [{ type: 'FailureTarget', status: 'True' }] }, false],
    ['CronJob', {}, {}, false],
  ];
  for (const [kind, spec, status, lacks] of cases) {
    it(`a ${kind} ${JSON.stringify(spec)} with ${JSON.stringify(status)} ${lacks ? 'lacks pods' : 'has its pods'}`, () => {
      assert.equal(lacksPods({ kind, spec, status }), lacks);
    });
  }
});
