/**
 * Metrics for Prometheus, on a separate registry. If controller-runtime or client-go has a name for a metric, the
 * operator uses the same name, so that existing dashboards work. Other metrics begin with `capabilitypolicy_`.
 *
 * Some values describe a current state, such as the policies, the violations and the leader. The operator reads these
 * values at each scrape and does not store them here. So a series exists exactly as long as the object that the series
 * describes.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { type Clock, SYSTEM_CLOCK } from './clock.ts';
import { observeQueue } from './queue-metrics.ts';
import type { Handler } from './server.ts';

/** The methods that reflectors call. `kind` is the kind of the objects, such as `Pod`. */
export interface ReflectorObserver {
  /**
   * The reflector calls this method after it has listed a collection completely. A reflector lists a collection at the
   * start, and when the watch cannot continue.
   */
  listed(kind: string): void;
  /**
   * The reflector calls this method when the server accepts a watch, and when the server sends anything, even a
   * bookmark. The call shows that the server is alive.
   */
  heard(kind: string): void;
}

export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics({ clock = SYSTEM_CLOCK }: { readonly clock?: Clock } = {}) {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: 'rest_client_requests_total',
    help: 'Number of HTTP requests, by status code and method.',
    labelNames: ['code', 'method'],
    registers,
  });
  return {
    registry,
    /**
     * Makes the observer of a work queue. The parameter is the name of the controller, which is also the name of the
     * queue. Several queues may share one observer, at the same time or one after the other.
     */
    queue: observeQueue(registry, clock),
    reflector: observeReflectors(registry, clock),
    /** Counts a request to an API server. If the server did not answer, `code` is `<error>`, as in client-go. */
    request: (method: string, code: string) => requests.inc({ code, method }),
    /** @param leading returns whether this process leads. The function is called at each scrape */
    leadership(name: string, leading: () => boolean) {
      new Gauge({
        name: 'leader_election_master_status',
        help: 'Whether this process leads (1) or is a standby (0).',
        labelNames: ['name'],
        registers,
        collect() {
          this.set({ name }, Number(leading()));
        },
      });
    },
    /**
     * Collects metrics of the process and of Node: memory, CPU, event loop, garbage collection. Call this function at
     * most once in a process.
     */
    process: () => collectDefaultMetrics({ register: registry }),
  };
}

/** Serves `/metrics`. */
export function metricsHandler({ registry }: Pick<Metrics, 'registry'>): Handler {
  return async ({ path }) => {
    if (path !== '/metrics') return undefined;
    return { status: 200, body: await registry.metrics(), contentType: registry.contentType };
  };
}

function observeReflectors(registry: Registry, clock: Clock): ReflectorObserver {
  const registers = [registry];
  const listedBefore = new Set<string>();
  const heardAt = new Map<string, number>();
  const relists = new Counter({
    name: 'capabilitypolicy_reflector_relists_total',
    help: 'How often a kind was listed again after the first list.',
    labelNames: ['kind'],
    registers,
  });
  new Gauge({
    name: 'capabilitypolicy_reflector_staleness_seconds',
    help: 'Time since the API server last answered a request for a kind. Normally less than three minutes.',
    labelNames: ['kind'],
    registers,
    collect() {
      for (const [kind, at] of heardAt) this.set({ kind }, (clock.now() - at) / 1000);
    },
  });
  return {
    listed(kind) {
      relists.inc({ kind }, listedBefore.has(kind) ? 1 : 0);
      listedBefore.add(kind);
      heardAt.set(kind, clock.now());
    },
    heard: (kind) => void heardAt.set(kind, clock.now()),
  };
}
