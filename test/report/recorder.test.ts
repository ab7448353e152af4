import assert from 'node:assert/strict';
import { ApiError } from '../../operator/cluster/client.ts';
import { eventFor, type KubernetesEvent } from '../../operator/report/events.ts';
import { type EventClient, EventRecorder } from '../../operator/report/recorder.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** An API server that keeps the written Events by name. */
class Server implements EventClient {
  readonly events = new Map<string, KubernetesEvent>();
  requests = 0;
  refusal: Error | undefined;
  slow = false;

  async create(_path: string, body: unknown) {
    this.#ask();
    if (this.slow) await new Promise(setImmediate);
    const event = body as KubernetesEvent;
    if (this.events.has(event.metadata.name)) throw refusal(409);
    this.events.set(event.metadata.name, event);
    return {};
  }

  async change(path: string, fields: object) {
    this.#ask();
    const name = path.slice(path.lastIndexOf('/') + 1);
    const event = this.events.get(name);
    if (!event) throw refusal(404);
    this.events.set(name, { ...event, ...fields });
    return {};
  }

  /** The note of each Event, with the number of times that the Event happened. */
  get told(): [string, number][] {
    return [...this.events.values()].map(({ note, series }) => [note, series?.count ?? 1]);
  }

  #ask(): void {
    this.requests++;
    if (this.refusal) throw this.refusal;
  }
}

function refusal(status: number): ApiError {
  return new ApiError({ status, reason: 'Test', message: 'test', causes: [] });
}

describe('the recorder of Events', () => {
  let server: Server;
  let recorder: EventRecorder;
  let now: number;
  let leftOut: number;
  let occasions = 0;

  beforeEach(() => {
    server = new Server();
    now = 0;
    leftOut = 0;
    recorder = new EventRecorder(server, { now: () => now, onFlood: (count) => (leftOut += count) });
  });

  function event(note: string, name = 'web', occasion = `${occasions++}`): KubernetesEvent {
    const regarding = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'net', name, uid: `uid-of-${name}` };
    const happening = { regarding, type: 'Warning', reason: 'WorkloadViolates', action: 'Evaluate', note } as const;
    const time = new Date(Date.UTC(2026, 0, 1) + now).toISOString();
    return eventFor(happening, { reportingInstance: 'o', now: time, occasion });
  }

  /** Advances the clock, and then sends the Events that are due, like the operator. */
  async function pass(ms: number): Promise<void> {
    for (const end = now + ms; ; ) {
      const due = recorder.dueMs;
      if (due === undefined || now + due > end) {
        now = end;
        return;
      }
      now += due;
      await recorder.tellSeries();
    }
  }

  it('repetitions make one Event, with the number of repetitions and the time of the last repetition', async () => {
    for (let time = 0; time < 3; time++) {
      await recorder.tell([event('violates')]);
      await pass(2 * SECOND);
    }
    await pass(MINUTE);
    assert.deepEqual(server.told, [['violates', 3]]);
    const [{ series }] = [...server.events.values()] as [KubernetesEvent];
    assert.equal(series?.lastObservedTime, '2026-01-01T00:00:04.000000Z');
    assert.equal(server.requests, 2);
    assert.equal(recorder.dueMs, undefined);
  });

  it('a series is updated only from time to time, even if the series recurs often', async () => {
    for (let time = 0; time < 1_000; time++) {
      await recorder.tell([event('violates')]);
      await pass(60);
    }
    await pass(MINUTE);
    assert.deepEqual(server.told, [['violates', 1_000]]);
    assert.ok(server.requests <= 15, String(server.requests));
  });

  it('events about other objects or with other notes make separate Events', async () => {
    await recorder.tell([event('violates: a'), event('violates: b'), event('violates: a', 'db')]);
    await pass(MINUTE);
    const once = [1, 1, 1];
    assert.deepEqual(
      server.told.map(([, count]) => count),
      once,
    );
  });

  it('more than ten events about one object are joined, even if their notes differ', async () => {
    for (let time = 0; time < 30; time++) await recorder.tell([event(`violates: ${time}`)]);
    await pass(MINUTE);
    assert.equal(server.events.size, 10);
    assert.deepEqual(server.told.at(-1), ['violates: 9', 21]);
  });

  it('remembers the Events of concurrent callers', async () => {
    server.slow = true;
    await Promise.all([recorder.tell([event('violates: a')]), recorder.tell([event('violates: b')])]);
    await recorder.tell([event('violates: a'), event('violates: b')]);
    await pass(MINUTE);
    assert.deepEqual(server.told, [
      ['violates: a', 2],
      ['violates: b', 2],
    ]);
  });

  it('a new Event starts after a long pause', async () => {
    await recorder.tell([event('violates')]);
    await pass(11 * MINUTE);
    await recorder.tell([event('violates')]);
    await pass(MINUTE);
    assert.deepEqual(server.told, [
      ['violates', 1],
      ['violates', 1],
    ]);
  });

  it('a repeated attempt does not count as another event', async () => {
    const attempt = [event('violates', 'web', 'same'), event('violates', 'db', 'same')];
    await recorder.tell([event('violates')]);
    for (let time = 0; time < 3; time++) await recorder.tell(attempt);
    await pass(MINUTE);
    assert.deepEqual(server.told, [
      ['violates', 2],
      ['violates', 1],
    ]);
  });

  it('if an interrupted attempt is repeated, the recorder writes the remaining Events', async () => {
    const attempt = [event('violates'), event('violates', 'db')];
    server.refusal = new Error('connection reset');
    await assert.rejects(recorder.tell(attempt), server.refusal);
    server.refusal = undefined;
    await recorder.tell(attempt);
    assert.equal(server.events.size, 2);
  });

  it('if the Event of a series was deleted, the recorder creates a new Event', async () => {
    await recorder.tell([event('violates')]);
    server.events.clear();
    await recorder.tell([event('violates')]);
    await pass(MINUTE);
    assert.deepEqual(server.told, [['violates', 2]]);
  });

  it('the recorder drops the excess of a flood, reports the excess, and later accepts Events again', async () => {
    const flood = (round: number) =>
      Array.from({ length: 2_000 }, (_, index) => event('violates', `${round}-${index}`));
    await recorder.tell(flood(0));
    assert.equal(server.events.size, 500);
    await pass(10 * SECOND);
    assert.equal(leftOut, 1_500);
    await recorder.tell(flood(1));
    assert.ok(server.events.size >= 600 && server.events.size <= 700, String(server.events.size));
  });

  it('if the API server refuses a series, the recorder throws the refusal once, and continues with the other series', async () => {
    await recorder.tell([event('violates'), event('violates', 'db')]);
    await recorder.tell([event('violates'), event('violates', 'db')]);
    now += 10 * SECOND;
    server.refusal = refusal(403);
    await assert.rejects(recorder.tellSeries(), { status: 403 });
    server.refusal = undefined;
    await recorder.tellSeries();
    assert.deepEqual(server.told, [
      ['violates', 1],
      ['violates', 2],
    ]);
    assert.equal(recorder.dueMs, undefined);
  });

  it('writes repetitions that joined during a write', async () => {
    await recorder.tell([event('violates')]);
    await recorder.tell([event('violates')]);
    now += 10 * SECOND;
    const telling = recorder.tellSeries();
    await recorder.tell([event('violates')]);
    await telling;
    await pass(MINUTE);
    assert.deepEqual(server.told, [['violates', 3]]);
  });

  it('the recorder retries Events that the API server temporarily could not accept', async () => {
    await recorder.tell([event('violates')]);
    await recorder.tell([event('violates')]);
    now += 10 * SECOND;
    server.refusal = refusal(500);
    await assert.rejects(recorder.tellSeries(), { status: 500 });
    server.refusal = undefined;
    await recorder.tellSeries();
    assert.deepEqual(server.told, [['violates', 2]]);
  });

  it('if the write of a queued Event fails, another attempt does not count the earlier Events again', async () => {
    for (const note of ['repaired', 'repaired', 'repaired']) recorder.later(event(note));
    recorder.later(event('deleted', 'another'));
    const { create } = server;
    server.create = async (path, body) => {
      if ((body as KubernetesEvent).note === 'deleted') throw refusal(500);
      return create.call(server, path, body);
    };
    for (let attempt = 0; attempt < 3; attempt++) await assert.rejects(recorder.tellWaiting(), { status: 500 });
    server.create = create;
    await recorder.tellWaiting();
    now += MINUTE;
    await recorder.tellSeries();
    assert.deepEqual(server.told, [
      ['repaired', 3],
      ['deleted', 1],
    ]);
  });

  it('an Event that later() gets is due at once, and is kept until the write of the Event succeeds', async () => {
    let due = 0;
    recorder = new EventRecorder(server, { now: () => now, onDue: () => due++ });
    assert.equal(recorder.dueMs, undefined);
    recorder.later(event('repaired'));
    assert.deepEqual([due, recorder.dueMs], [1, 0]);
    server.refusal = refusal(500);
    await assert.rejects(recorder.tellWaiting());
    assert.equal(recorder.dueMs, 0);
    server.refusal = undefined;
    assert.deepEqual(await recorder.tellWaiting(), []);
    assert.deepEqual([due, recorder.dueMs], [1, undefined]);
    assert.deepEqual(server.told, [['repaired', 1]]);
  });

  it('reports that a series is due', async () => {
    let due = 0;
    recorder = new EventRecorder(server, { now: () => now, onDue: () => due++ });
    await recorder.tell([event('again')]);
    assert.equal(due, 0);
    await recorder.tell([event('again')]);
    assert.equal(due, 1);
  });
});
