import assert from 'node:assert/strict';
import { createMetrics, type Metrics, metricsHandler } from '../../operator/runtime/metrics.ts';
import type { PolicyNumbers, ViolatingWorkloads } from '../../operator/runtime/policy-metrics.ts';
import { WorkQueue } from '../../operator/runtime/queue.ts';
import { FakeClock, settle } from './fake-clock.ts';

describe('metrics', () => {
  let clock: FakeClock;
  let metrics: Metrics;

  beforeEach(() => {
    clock = new FakeClock();
    metrics = createMetrics({ clock });
  });

  /** All series of these metrics, by name and labels; of histograms the sum and the count. */
  async function series(prefix: string): Promise<Record<string, number>> {
    const lines = (await metrics.registry.metrics()).split('\n');
    const values = lines.filter((line) => line.startsWith(prefix) && !line.includes('_bucket{'));
    return Object.fromEntries(
      values.map((line) => {
        const at = line.lastIndexOf(' ');
        return [line.slice(0, at), Number(line.slice(at + 1))];
      }),
    );
  }

  it('serves /metrics in the text format', async () => {
    metrics.request('GET', '200');
    const handle = metricsHandler(metrics);
    const asked = { path: '/metrics', query: new URLSearchParams(), headers: {} };
    const answer = await handle(asked);
    assert.equal(answer?.contentType, 'text/plain; version=0.0.4; charset=utf-8');
    assert.match(answer?.body ?? '', /^# HELP rest_client_requests_total /m);
    assert.match(answer?.body ?? '', /^# TYPE controller_runtime_reconcile_time_seconds histogram$/m);
    assert.equal(await handle({ ...asked, path: '/' }), undefined);
  });

  it('gives each registry its own metrics', async () => {
    createMetrics({ clock }).request('GET', '200');
    assert.deepEqual(await series('rest_client'), {});
  });

  it('counts requests by code and method', async () => {
    for (const code of ['200', '200', '<error>']) metrics.request('GET', code);
    assert.deepEqual(await series('rest_client'), {
      'rest_client_requests_total{code="200",method="GET"}': 2,
      'rest_client_requests_total{code="<error>",method="GET"}': 1,
    });
  });

  it('says who leads at each scrape', async () => {
    let leading = false;
    metrics.leadership('capabilitypolicy.dev', () => leading);
    const key = 'leader_election_master_status{name="capabilitypolicy.dev"}';
    assert.deepEqual(await series('leader_'), { [key]: 0 });
    leading = true;
    assert.deepEqual(await series('leader_'), { [key]: 1 });
  });

  it('shows the process only when told to', async () => {
    assert.deepEqual(await series('process_'), {});
    metrics.process();
    assert.ok(Object.keys(await series('process_')).some((name) => name.startsWith('process_resident_memory_bytes')));
  });

  describe('of a work queue', () => {
    let work: PromiseWithResolvers<void>;
    let queue: WorkQueue;

    beforeEach(() => {
      const run = () => {
        work = Promise.withResolvers<void>();
        return work.promise;
      };
      queue = new WorkQueue(run, { observer: metrics.queue('judge') });
    });

    afterEach(async () => {
      work?.resolve();
      await queue.stop();
    });

    it('counts what is added and waits, each key once', async () => {
      const other = new WorkQueue(async () => {}, { observer: metrics.queue('status') });
      for (const key of ['a', 'b', 'a']) queue.add(key);
      other.add('a');
      assert.deepEqual(await series('workqueue_depth'), {
        'workqueue_depth{name="judge"}': 2,
        'workqueue_depth{name="status"}': 1,
      });
      assert.deepEqual(await series('workqueue_adds_total'), {
        'workqueue_adds_total{name="judge"}': 2,
        'workqueue_adds_total{name="status"}': 1,
      });
    });

    it('measures how long a key waited and was worked on', async () => {
      queue.add('a');
      await clock.advance(2_000);
      queue.start();
      await settle();
      assert.deepEqual(await series('controller_runtime_active'), {
        'controller_runtime_active_workers{controller="judge"}': 1,
      });
      await clock.advance(3_000);
      assert.deepEqual(await series('workqueue_unfinished'), { 'workqueue_unfinished_work_seconds{name="judge"}': 3 });
      assert.deepEqual(await series('workqueue_longest'), {
        'workqueue_longest_running_processor_seconds{name="judge"}': 3,
      });
      work.resolve();
      await settle();
      assert.deepEqual(await series('workqueue_'), {
        'workqueue_depth{name="judge"}': 0,
        'workqueue_adds_total{name="judge"}': 1,
        'workqueue_retries_total{name="judge"}': 0,
        'workqueue_queue_duration_seconds_sum{name="judge"}': 2,
        'workqueue_queue_duration_seconds_count{name="judge"}': 1,
        'workqueue_work_duration_seconds_sum{name="judge"}': 3,
        'workqueue_work_duration_seconds_count{name="judge"}': 1,
        'workqueue_unfinished_work_seconds{name="judge"}': 0,
        'workqueue_longest_running_processor_seconds{name="judge"}': 0,
      });
      assert.deepEqual(await series('controller_'), {
        'controller_runtime_reconcile_total{controller="judge",result="success"}': 1,
        'controller_runtime_reconcile_errors_total{controller="judge"}': 0,
        'controller_runtime_reconcile_time_seconds_sum{controller="judge"}': 3,
        'controller_runtime_reconcile_time_seconds_count{controller="judge"}': 1,
        'controller_runtime_active_workers{controller="judge"}': 0,
      });
    });

    it('counts failures and retries', async () => {
      queue.start();
      queue.add('a');
      await settle();
      work.reject(new Error('no'));
      await settle();
      const { 'workqueue_retries_total{name="judge"}': retries } = await series('workqueue_');
      assert.equal(retries, 1);
      assert.deepEqual(await series('controller_runtime_reconcile_errors'), {
        'controller_runtime_reconcile_errors_total{controller="judge"}': 1,
      });
      assert.deepEqual(await series('controller_runtime_reconcile_total'), {
        'controller_runtime_reconcile_total{controller="judge",result="error"}': 1,
      });
    });

    it('counts a key that comes back while it is worked on as waiting', async () => {
      queue.start();
      queue.add('a');
      await settle();
      queue.add('a');
      assert.deepEqual(await series('workqueue_depth'), { 'workqueue_depth{name="judge"}': 1 });
    });

    it('counts nothing as waiting after the queue was stopped', async () => {
      queue.add('a');
      await queue.stop();
      assert.deepEqual(await series('workqueue_depth'), { 'workqueue_depth{name="judge"}': 0 });
    });
  });

  it('counts relists after the first list, and says how long nothing was heard', async () => {
    const { reflector } = metrics;
    reflector.heard('Pod');
    reflector.listed('Pod');
    await clock.advance(2_000);
    reflector.heard('Pod');
    await clock.advance(5_000);
    assert.deepEqual(await series('capabilitypolicy_reflector'), {
      'capabilitypolicy_reflector_relists_total{kind="Pod"}': 0,
      'capabilitypolicy_reflector_staleness_seconds{kind="Pod"}': 5,
    });
    reflector.listed('Pod');
    assert.deepEqual(await series('capabilitypolicy_reflector'), {
      'capabilitypolicy_reflector_relists_total{kind="Pod"}': 1,
      'capabilitypolicy_reflector_staleness_seconds{kind="Pod"}': 0,
    });
  });

  it('shows policies and violations as they are at the scrape, and none that are gone', async () => {
    let policies: PolicyNumbers[] = [
      {
        policy: 'ping',
        programmed: true,
        labelConflicts: 2,
        statusBytes: 512,
        workloads: { compliant: 5, violating: 3, unknown: 0 },
      },
      { policy: 'new', programmed: false, labelConflicts: 0, statusBytes: 2, workloads: {} },
    ];
    let violating: ViolatingWorkloads[] = [
      { policy: 'ping', namespace: 'net', rule: 'capabilities', mode: 'Enforce', workloads: 3 },
      { policy: 'ping', namespace: 'web', rule: 'hostPorts', mode: 'Enforce', workloads: 1 },
    ];
    metrics.policies({
      policies: () => policies,
      violating: () => violating,
      evaluatedObjects: () => 40,
      distinctFingerprints: () => 6,
    });
    assert.deepEqual(await series('capabilitypolicy_'), {
      'capabilitypolicy_violating_workloads{policy="ping",namespace="net",rule="capabilities",mode="Enforce"}': 3,
      'capabilitypolicy_violating_workloads{policy="ping",namespace="web",rule="hostPorts",mode="Enforce"}': 1,
      'capabilitypolicy_programmed{policy="ping"}': 1,
      'capabilitypolicy_programmed{policy="new"}': 0,
      'capabilitypolicy_label_conflicts{policy="ping"}': 2,
      'capabilitypolicy_label_conflicts{policy="new"}': 0,
      'capabilitypolicy_workloads{policy="ping",verdict="compliant"}': 5,
      'capabilitypolicy_workloads{policy="ping",verdict="violating"}': 3,
      'capabilitypolicy_workloads{policy="ping",verdict="unknown"}': 0,
      'capabilitypolicy_status_bytes{policy="ping"}': 512,
      'capabilitypolicy_status_bytes{policy="new"}': 2,
      capabilitypolicy_evaluated_objects: 40,
      capabilitypolicy_distinct_fingerprints: 6,
    });
    policies = [];
    violating = violating.slice(0, 1);
    assert.deepEqual(await series('capabilitypolicy_'), {
      'capabilitypolicy_violating_workloads{policy="ping",namespace="net",rule="capabilities",mode="Enforce"}': 3,
      capabilitypolicy_evaluated_objects: 40,
      capabilitypolicy_distinct_fingerprints: 6,
    });
  });
});
