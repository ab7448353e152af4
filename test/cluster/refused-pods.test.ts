import assert from 'node:assert/strict';
import type { Sink } from '../../operator/cluster/sink.ts';
import { REFUSALS, WORKLOADS } from '../../operator/cluster/sources.ts';
import { Store } from '../../operator/cluster/store.ts';
import type { Change } from '../../operator/model/objects.ts';
import { createProjection } from '../../operator/projection/projection.ts';
import { RULES } from '../../operator/rules/index.ts';

const ANSWER = 'CapabilityPolicy shop: no';
const REFUSED = `pods "x" is forbidden: ValidatingAdmissionPolicy 'capabilitypolicy.enforce' with binding 'capabilitypolicy.enforce' denied request: ${ANSWER}`;

class Watched {
  now = 1_000_000;
  readonly changes: Change[] = [];
  readonly store = new Store(
    createProjection(RULES),
    { oldest: 37 },
    (change) => this.changes.push(change),
    () => this.now,
  );

  daemonSet(missing: number, fields: { readonly uid?: string } = {}): void {
    const { uid = 'u' } = fields;
    this.#sinkOf('DaemonSet').put({
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { namespace: 'net', name: 'agent', uid },
      spec: { template: { spec: { containers: [{ name: 'main' }] } } },
      status: { desiredNumberScheduled: 2, currentNumberScheduled: 2 - missing },
    });
  }

  replicaSet(condition: boolean): void {
    const conditions = [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: REFUSED }];
    this.#sinkOf('ReplicaSet').put({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { namespace: 'net', name: 'web', uid: 'r' },
      spec: { replicas: 2, template: { spec: { containers: [{ name: 'main' }] } } },
      status: { replicas: 0, ...(condition && { conditions }) },
    });
  }

  delete(): void {
    this.#sinkOf('DaemonSet').remove({ kind: 'DaemonSet', metadata: { namespace: 'net', name: 'agent', uid: 'u' } });
  }

  event(count: number, fields: { readonly uid?: string; readonly message?: string; readonly minute?: number } = {}) {
    const { uid = 'u', message = REFUSED, minute = count } = fields;
    return {
      metadata: { namespace: 'net', name: 'agent.1', uid: 'e' },
      reason: 'FailedCreate',
      message,
      count,
      lastTimestamp: new Date(minute * 60_000).toISOString(),
      involvedObject: { kind: 'DaemonSet', namespace: 'net', name: 'agent', uid },
    };
  }

  get refusals(): Sink {
    return this.store.followed.get(REFUSALS)?.[0] as Sink;
  }

  get refused(): string | undefined {
    return [...this.store.workloads('net')].find(({ refused }) => refused)?.refused?.message;
  }

  #sinkOf(kind: string): Sink {
    return this.store.followed.get(WORKLOADS.find((one) => one.kind === kind) as never)?.[0] as Sink;
  }
}

describe('the store of refused pods', () => {
  it('knows the refusal of an Event, and makes the namespace dirty', () => {
    const watched = new Watched();
    watched.daemonSet(2);
    watched.changes.length = 0;
    watched.refusals.put(watched.event(1));
    assert.equal(watched.refused, ANSWER);
    assert.deepEqual(watched.changes, [{ of: 'workload', namespace: 'net', name: 'agent' }]);
  });

  it('knows the refusal if the Event arrives before the workload', () => {
    const watched = new Watched();
    watched.refusals.put(watched.event(1));
    watched.daemonSet(2);
    assert.equal(watched.refused, ANSWER);
  });

  it('a repeated Event causes no evaluation, but updates the time', () => {
    const watched = new Watched();
    watched.daemonSet(2);
    watched.refusals.put(watched.event(1));
    watched.changes.length = 0;
    watched.now += 60_000;
    watched.refusals.put(watched.event(2));
    assert.deepEqual(watched.changes, [{ of: 'refused-again', namespace: 'net' }]);
    assert.equal(watched.store.workload('net', 'DaemonSet', 'agent')?.refused?.at, watched.now);
  });

  it('an Event that is read again, or that is older, changes nothing', () => {
    const watched = new Watched();
    watched.daemonSet(2);
    watched.refusals.put(watched.event(5));
    const before = watched.store.workload('net', 'DaemonSet', 'agent');
    watched.changes.length = 0;
    watched.now += 60_000;
    watched.refusals.put(watched.event(5));
    watched.refusals.put(watched.event(1, { message: REFUSED.replace('no', 'older') }));
    assert.deepEqual(watched.changes, []);
    assert.equal(watched.store.workload('net', 'DaemonSet', 'agent'), before);
  });

  it('remembers the refusal after the Event has expired', () => {
    const watched = new Watched();
    watched.daemonSet(2);
    watched.refusals.put(watched.event(1));
    watched.refusals.remove(watched.event(1));
    watched.refusals.listing();
    watched.refusals.listed();
    assert.equal(watched.refused, ANSWER);
  });

  const endings: [title: string, end: (watched: Watched) => void][] = [
    ['has its pods', (watched) => watched.daemonSet(0)],
    ['is deleted', (watched) => watched.delete()],
    ['is created again', (watched) => watched.daemonSet(2, { uid: 'other' })],
  ];
  for (const [title, end] of endings) {
    it(`forgets the refusal when the workload ${title}`, () => {
      const watched = new Watched();
      watched.daemonSet(2);
      watched.refusals.put(watched.event(1));
      end(watched);
      assert.equal(watched.refused, undefined);
      watched.daemonSet(1);
      assert.equal(watched.refused, undefined);
    });
  }

  it('an Event about another object of the same name counts for nothing', () => {
    const watched = new Watched();
    watched.daemonSet(2);
    watched.refusals.put(watched.event(1, { uid: 'earlier' }));
    assert.equal(watched.refused, undefined);
  });

  it('a workload whose pods start or end changes nothing, unless a refusal begins or ends with them', () => {
    const watched = new Watched();
    watched.daemonSet(0);
    watched.changes.length = 0;
    watched.daemonSet(2);
    watched.daemonSet(0);
    assert.deepEqual(watched.changes, []);
    watched.daemonSet(1);
    watched.refusals.put(watched.event(1));
    watched.changes.length = 0;
    watched.daemonSet(2);
    assert.deepEqual(watched.changes, []);
    watched.daemonSet(0);
    assert.deepEqual(
      watched.changes.map(({ of }) => of),
      ['workload'],
    );
  });

  it('a late Event does not explain why a workload wants more pods later', () => {
    const watched = new Watched();
    watched.daemonSet(0);
    watched.refusals.put(watched.event(1));
    watched.now += 60_000;
    watched.daemonSet(1);
    assert.equal(watched.refused, undefined);
  });

  it('knows the refusal of the condition ReplicaFailure until the condition ends', () => {
    const watched = new Watched();
    watched.replicaSet(true);
    assert.equal(watched.refused, ANSWER);
    watched.replicaSet(false);
    assert.equal(watched.refused, undefined);
  });
});
