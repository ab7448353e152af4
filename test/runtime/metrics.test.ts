import assert from 'node:assert/strict';
import { createMetrics, type Metrics, metricsHandler } from '../../operator/runtime/metrics.ts';
import { WorkQueue } from '../../operator/runtime/queue.ts';
import { seriesOf } from '../support/series.ts';
import { FakeClock, settle } from './fake-clock.ts';

describe('metrics', () => {
  let clock: FakeClock;
  let metrics: Metrics;

  beforeEach(() => {
    clock = new FakeClock();
    metrics = createMetrics({ clock });
  });

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
    assert.deepEqual(await seriesOf(metrics.registry, 'rest_client'), {});
  });

  it('counts requests by code and method', async () => {
    for (const code of ['200', '200', '<error>']) metrics.request('GET', code);
    assert.deepEqual(await seriesOf(metrics.registry, 'rest_client'), {
      'rest_client_requests_total{code="200",method="GET"}': 2,
      'rest_client_requests_total{code="<error>",method="GET"}': 1,
    });
  });

  it('reads the leader at each scrape', async () => {
    let leading = false;
    metrics.leadership('capabilitypolicy.dev', () => leading);
    const key = 'leader_election_master_status{name="capabilitypolicy.dev"}';
    assert.deepEqual(await seriesOf(metrics.registry, 'leader_'), { [key]: 0 });
    leading = true;
    assert.deepEqual(await seriesOf(metrics.registry, 'leader_'), { [key]: 1 });
  });

  it('shows the process only on request', async () => {
    assert.deepEqual(await seriesOf(metrics.registry, 'process_'), {});
    metrics.process();
    assert.ok(
      Object.keys(await seriesOf(metrics.registry, 'process_')).some((name) =>
        name.startsWith('process_resident_memory_bytes'),
      ),
    );
  });

  describe('of a work queue', () => {
    let work: PromiseWithResolvers<void>;
    let queue: WorkQueue;

    beforeEach(() => {
      const run = () => {
        work = Promise.withResolvers<void>();
        return work.promise;
      };
      queue = new WorkQueue(run, { observer: metrics.queue('evaluation') });
    });

    afterEach(async () => {
      work?.resolve();
      await queue.stop();
    });

    it('counts added and waiting keys, each once', async () => {
      const other = new WorkQueue(async () => {}, { observer: metrics.queue('status') });
      for (const key of ['a', 'b', 'a']) queue.add(key);
      other.add('a');
      assert.deepEqual(await seriesOf(metrics.registry, 'workqueue_depth'), {
        'workqueue_depth{name="evaluation"}': 2,
        'workqueue_depth{name="status"}': 1,
      });
      assert.deepEqual(await seriesOf(metrics.registry, 'workqueue_adds_total'), {
        'workqueue_adds_total{name="evaluation"}': 2,
        'workqueue_adds_total{name="status"}': 1,
      });
    });

    it('measures how long a key waited, and how long the work on the key took', async () => {
      queue.add('a');
      await clock.advance(2_000);
      queue.start();
      await settle();
      assert.deepEqual(await seriesOf(metrics.registry, 'controller_runtime_active'), {
        'controller_runtime_active_workers{controller="evaluation"}': 1,
      });
      await clock.advance(3_000);
      assert.deepEqual(await seriesOf(metrics.registry, 'workqueue_unfinished'), {
        'workqueue_unfinished_work_seconds{name="evaluation"}': 3,
      });
      assert.deepEqual(await seriesOf(metrics.registry, 'workqueue_longest'), {
        'workqueue_longest_running_processor_seconds{name="evaluation"}': 3,
      });
      work.resolve();
      await settle();
      assert.deepEqual(await seriesOf(metrics.registry, 'workqueue_'), {
        'workqueue_depth{name="evaluation"}': 0,
        'workqueue_adds_total{name="evaluation"}': 1,
        'workqueue_retries_total{name="evaluation"}': 0,
        'workqueue_queue_duration_seconds_sum{name="evaluation"}': 2,
        'workqueue_queue_duration_seconds_count{name="evaluation"}': 1,
        'workqueue_work_duration_seconds_sum{name="evaluation"}': 3,
        'workqueue_work_duration_seconds_count{name="evaluation"}': 1,
        'workqueue_unfinished_work_seconds{name="evaluation"}': 0,
        'workqueue_longest_running_processor_seconds{name="evaluation"}': 0,
      });
      assert.deepEqual(await seriesOf(metrics.registry, 'controller_'), {
        'controller_runtime_reconcile_total{controller="evaluation",result="success"}': 1,
        'controller_runtime_reconcile_errors_total{controller="evaluation"}': 0,
        'controller_runtime_reconcile_time_seconds_sum{controller="evaluation"}': 3,
        'controller_runtime_reconcile_time_seconds_count{controller="evaluation"}': 1,
        'controller_runtime_active_workers{controller="evaluation"}': 0,
      });
    });

    it('counts failures and retries', async () => {
      queue.start();
      queue.add('a');
      await settle();
      work.reject(new Error('no'));
      await settle();
      const { 'workqueue_retries_total{name="evaluation"}': retries } = await seriesOf(metrics.registry, 'workqueue_');
      assert.equal(retries, 1);
      assert.deepEqual(await seriesOf(metrics.registry, 'controller_runtime_reconcile_errors'), {
        'controller_runtime_reconcile_errors_total{controller="evaluation"}': 1,
      });
      assert.deepEqual(await seriesOf(metrics.registry, 'controller_runtime_reconcile_total'), {
        'controller_runtime_reconcile_total{controller="evaluation",result="error"}': 1,
      });
    });

    it('counts a key as waiting if the key is added again during the work on the key', async () => {
      queue.start();
      queue.add('a');
      await settle();
      queue.add('a');
      assert.deepEqual(await seriesOf(metrics.registry, 'workqueue_depth'), {
        'workqueue_depth{name="evaluation"}': 1,
      });
    });

    it('counts no key as waiting after the queue has stopped', async () => {
      queue.add('a');
      await queue.stop();
      assert.deepEqual(await seriesOf(metrics.registry, 'workqueue_depth'), {
        'workqueue_depth{name="evaluation"}': 0,
      });
    });
  });

  it('counts relists, but not the first list, and measures the time since the last news from the API server', async () => {
    const { reflector } = metrics;
    reflector.heard('Pod');
    reflector.listed('Pod');
    await clock.advance(2_000);
    reflector.heard('Pod');
    await clock.advance(5_000);
    assert.deepEqual(await seriesOf(metrics.registry, 'capabilitypolicy_reflector'), {
      'capabilitypolicy_reflector_relists_total{kind="Pod"}': 0,
      'capabilitypolicy_reflector_staleness_seconds{kind="Pod"}': 5,
    });
    reflector.listed('Pod');
    assert.deepEqual(await seriesOf(metrics.registry, 'capabilitypolicy_reflector'), {
      'capabilitypolicy_reflector_relists_total{kind="Pod"}': 1,
      'capabilitypolicy_reflector_staleness_seconds{kind="Pod"}': 0,
    });
  });
});
