/** The metrics of work queues and controllers, with the names and buckets of controller-runtime and client-go. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Clock } from './clock.ts';
import type { QueueObserver } from './queue.ts';

/**
 * The buckets of client-go, in seconds. The smallest bucket is ten nanoseconds, and the largest bucket is about a
 * quarter of an hour.
 */
const QUEUE_BUCKETS = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10, 100, 1000];
/** The buckets of controller-runtime, in seconds. */
const RECONCILE_BUCKETS = [
  [0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75],
  [2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60],
].flat();

interface Begun {
  readonly name: string;
  readonly at: number;
}

/** Registers the metrics. Returns a function that makes observers. All observers count into these metrics. */
export function observeQueue(registry: Registry, clock: Clock): (name: string) => QueueObserver {
  const queue = queueMetrics(registry);
  const reconcile = reconcileMetrics(registry);
  const running = new Set<Begun>();
  unfinished(registry, running, clock);
  return (name) => {
    const addedAt = new Map<string, number>();
    const begun = new Map<string, Begun>();
    return {
      added(key) {
        addedAt.set(key, clock.now());
        queue.adds.inc({ name });
        queue.depth.inc({ name });
        queue.retries.inc({ name }, 0);
      },
      began(key) {
        const now = clock.now();
        queue.depth.dec({ name });
        queue.waited.observe({ name }, (now - (addedAt.get(key) ?? now)) / 1000);
        addedAt.delete(key);
        reconcile.active.inc({ controller: name });
        const one = { name, at: now };
        begun.set(key, one);
        running.add(one);
      },
      ended(key, success) {
        const one = begun.get(key);
        if (!one) return;
        begun.delete(key);
        running.delete(one);
        const seconds = (clock.now() - one.at) / 1000;
        queue.worked.observe({ name }, seconds);
        reconcile.active.dec({ controller: name });
        reconcile.seconds.observe({ controller: name }, seconds);
        reconcile.total.inc({ controller: name, result: success ? 'success' : 'error' });
        reconcile.errors.inc({ controller: name }, success ? 0 : 1);
      },
      retried: () => queue.retries.inc({ name }),
      dropped(key) {
        addedAt.delete(key);
        queue.depth.dec({ name });
      },
    };
  };
}

function queueMetrics(registry: Registry) {
  const common = { labelNames: ['name'], registers: [registry] };
  return {
    depth: new Gauge({ ...common, name: 'workqueue_depth', help: 'Keys that wait for work.' }),
    adds: new Counter({
      ...common,
      name: 'workqueue_adds_total',
      help: 'Number of keys added to the queue. A key that is already in the queue is not counted.',
    }),
    retries: new Counter({
      ...common,
      name: 'workqueue_retries_total',
      help: 'Number of keys added to the queue again after a failure.',
    }),
    waited: new Histogram({
      ...common,
      name: 'workqueue_queue_duration_seconds',
      help: 'How long a key waited before it was reconciled.',
      buckets: QUEUE_BUCKETS,
    }),
    worked: new Histogram({
      ...common,
      name: 'workqueue_work_duration_seconds',
      help: 'How long it took to reconcile a key.',
      buckets: QUEUE_BUCKETS,
    }),
  };
}

function reconcileMetrics(registry: Registry) {
  const common = { labelNames: ['controller'], registers: [registry] };
  return {
    total: new Counter({
      registers: [registry],
      labelNames: ['controller', 'result'],
      name: 'controller_runtime_reconcile_total',
      help: 'Reconciliations, by result: success or error.',
    }),
    errors: new Counter({
      ...common,
      name: 'controller_runtime_reconcile_errors_total',
      help: 'Reconciliations that failed.',
    }),
    seconds: new Histogram({
      ...common,
      name: 'controller_runtime_reconcile_time_seconds',
      help: 'How long a reconciliation took.',
      buckets: RECONCILE_BUCKETS,
    }),
    active: new Gauge({ ...common, name: 'controller_runtime_active_workers', help: 'Reconciliations under way.' }),
  };
}

/**
 * The two metrics about unfinished work. The metrics show a hanging key. While a key hangs, the histogram of durations
 * has no entry for the key.
 */
function unfinished(registry: Registry, running: ReadonlySet<Begun>, clock: Clock): void {
  const names = new Set<string>();
  const byName = (merge: (a: number, b: number) => number) =>
    function collect(this: Gauge<'name'>) {
      const now = clock.now();
      const seconds = new Map([...names].map((name) => [name, 0]));
      for (const { name, at } of running) {
        names.add(name);
        seconds.set(name, merge(seconds.get(name) ?? 0, (now - at) / 1000));
      }
      for (const [name, value] of seconds) this.set({ name }, value);
    };
  const common = { labelNames: ['name'] as const, registers: [registry] };
  new Gauge({
    ...common,
    name: 'workqueue_unfinished_work_seconds',
    help: 'Total time that the current reconciliations have taken so far.',
    collect: byName((a, b) => a + b),
  });
  new Gauge({
    ...common,
    name: 'workqueue_longest_running_processor_seconds',
    help: 'Time that the longest current reconciliation has taken so far.',
    collect: byName(Math.max),
  });
}
