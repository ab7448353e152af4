import assert from 'node:assert/strict';
import type { CapabilityPolicy, CapabilityPolicyStatus } from '../../operator/api/capability-policy.ts';
import { ApiError } from '../../operator/cluster/client.ts';
import type { KubernetesEvent } from '../../operator/report/events.ts';
import { type EventClient, EventRecorder } from '../../operator/report/recorder.ts';
import { buildStatus } from '../../operator/report/status.ts';
import { policyEvents } from '../../operator/report/transitions.ts';
import { type StatusClient, WrittenStatuses, writeReport } from '../../operator/report/writer.ts';
import { input, NOW, withStatus } from './fixtures.ts';

/** Records the writes, and answers each Event with `error`. */
class RecordingClient implements StatusClient, EventClient {
  readonly calls: string[] = [];
  readonly bodies: unknown[] = [];
  readonly #error: Error | undefined;

  constructor(error?: Error) {
    this.#error = error;
  }

  async create(path: string, body: unknown) {
    this.calls.push(`create ${path}`);
    this.bodies.push(body);
    if (this.#error) throw this.#error;
    return {};
  }

  async change(path: string) {
    this.calls.push(`change ${path}`);
    return {};
  }

  async replaceStatus(...[path, uid, status]: Parameters<StatusClient['replaceStatus']>) {
    this.calls.push(`status ${path.split('/').at(-1)}`);
    this.bodies.push({ uid, status });
    return {};
  }
}

function write(client: RecordingClient, ...report: [CapabilityPolicy, CapabilityPolicyStatus, KubernetesEvent[]]) {
  const recorder = new EventRecorder(client);
  return writeReport(client, (events) => recorder.tell(events), ...report);
}

function refusal(status: number, causes: string[] = []): ApiError {
  return new ApiError({
    status,
    reason: 'Test',
    message: 'test',
    causes: causes.map((reason) => ({ reason, message: '' })),
  });
}

describe('if the watch has not shown a status yet', () => {
  const LATER = '2026-01-02T03:04:06.789Z';

  it('the next status builds on the unseen status, so that transitions keep their times and nothing is written twice', async () => {
    const seen = input();
    const statuses = new WrittenStatuses();
    const first = buildStatus(seen);
    statuses.add(seen.policy, first);
    const latest = { ...seen, policy: statuses.latest(seen.policy), now: LATER };
    assert.deepEqual(buildStatus(latest).conditions, first.conditions);
    const client = new RecordingClient();
    await write(client, latest.policy, buildStatus(latest), []);
    assert.deepEqual(client.calls, []);
  });

  describe('two written statuses, before the watch shows the second status', () => {
    const { policy } = input();
    const [first, second] = [input(), input({}, { program: undefined })].map(buildStatus) as [
      CapabilityPolicyStatus,
      CapabilityPolicyStatus,
    ];
    let statuses: WrittenStatuses;
    /** Returns the newest known status of the policy. `shown` is the status in the last event of the watch. */
    const latest = (shown: CapabilityPolicyStatus | undefined) =>
      statuses.latest({ ...structuredClone(policy), ...(shown && { status: shown }) }).status;

    beforeEach(() => {
      statuses = new WrittenStatuses();
      statuses.add(policy, first);
      statuses.add(policy, second);
    });

    it('if the watch shows no status or the first status, the second status counts', () => {
      assert.deepEqual([latest(undefined), latest(first)], [second, second]);
    });

    it('nothing is kept after the watch has shown the second status', () => {
      assert.deepEqual([latest(second), latest(first)], [second, first]);
    });

    it('if another operator has written the status that the watch shows, this status counts', () => {
      const foreign = { ...first, observedGeneration: 7 };
      assert.deepEqual([latest(foreign), latest(first)], [foreign, first]);
    });

    it('the status of an earlier policy with the same name is not kept', () => {
      const recreated = { ...policy, metadata: { ...policy.metadata, uid: 'another' } };
      assert.equal(statuses.latest(recreated), recreated);
    });

    it('the status of a deleted policy is not kept', () => {
      statuses.forget(policy.metadata?.name ?? '');
      assert.deepEqual(latest(first), first);
    });
  });
});

describe('the writer of reports', () => {
  const { policy } = input();
  const status = buildStatus(input());
  const events: KubernetesEvent[] = policyEvents(policy, status, () => undefined, { reportingInstance: 'o', now: NOW });
  const written = ['create /apis/events.k8s.io/v1/namespaces/default/events', 'status ping'];

  it('writes Events, and then the status', async () => {
    const client = new RecordingClient();
    await write(client, policy, status, events);
    assert.deepEqual(client.calls, written);
    assert.deepEqual(client.bodies[1], { uid: policy.metadata?.uid, status });
  });

  it('writes nothing when the status is already up to date', async () => {
    const client = new RecordingClient();
    await write(client, withStatus(JSON.parse(JSON.stringify(status)), input()).policy, status, []);
    assert.deepEqual(client.calls, []);
  });

  for (const [name, error] of [
    ['that exists already', refusal(409)],
    ['whose namespace is deleted', refusal(404)],
    ['whose namespace is being deleted', refusal(403, ['NamespaceTerminating'])],
  ] as const) {
    it(`ignores an Event ${name}`, async () => {
      const client = new RecordingClient(error);
      await write(client, policy, status, events);
      assert.deepEqual(client.calls, written);
    });
  }

  it('if an Event is refused, the writer throws the refusal after the write of the status', async () => {
    const client = new RecordingClient(refusal(403));
    await assert.rejects(write(client, policy, status, events), { status: 403 });
    assert.deepEqual(client.calls, written);
  });

  for (const error of [refusal(429), refusal(500), new Error('connection reset')]) {
    it(`leaves the status for the next attempt after ${error.message} ${'status' in error ? error.status : ''}`, async () => {
      const client = new RecordingClient(error);
      await assert.rejects(write(client, policy, status, events), error);
      assert.deepEqual(client.calls, written.slice(0, 1));
    });
  }
});
