/** Starts the operator, and runs the operator until SIGTERM or SIGINT. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient, isNotFound, pathFor } from './cluster/client.ts';
import { loadKubeConfig } from './cluster/kubeconfig.ts';
import { detectPlatform } from './cluster/platform.ts';
import { POLICIES } from './cluster/sources.ts';
import { type Flags, HELP, parseFlags } from './flags.ts';
import { excludedOn } from './model/namespaces.ts';
import type { RawPage } from './model/raw.ts';
import { Operator } from './operator.ts';
import { aborted } from './runtime/aborted.ts';
import { authorized } from './runtime/access.ts';
import { ServerTime, SYSTEM_CLOCK } from './runtime/clock.ts';
import { Election } from './runtime/election.ts';
import { healthHandler } from './runtime/health.ts';
import { createLog, type Log } from './runtime/log.ts';
import { createMetrics, metricsHandler } from './runtime/metrics.ts';
import { Revisions } from './runtime/revisions.ts';
import { type Certificate, type RunningServer, serve } from './runtime/server.ts';

/**
 * After a signal, the process waits at most this time in ms for running work to end. A running request may get no
 * answer until its timeout.
 */
const ENDING_MS = 1_500;
/** The file with the pod's namespace. The kubelet mounts the file with the namespace into every pod (KEP-1205). */
const POD_NAMESPACE_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';
const LEASE = 'capabilitypolicy.dev';

async function main(): Promise<void> {
  const flags = parseFlags(process.argv.slice(2), podNamespace());
  if (flags.help) {
    process.stdout.write(HELP);
    return;
  }
  const log = createLog({ level: flags.logLevel, format: flags.logFormat, stream: process.stderr });
  const stopping = stopOnSignal(log);
  const ended = await Promise.race([run(flags, log, stopping).then(() => true), overdue(stopping)]);
  if (ended) {
    log.info('stopped');
    return;
  }
  // The process does not release the lease. So the running requests of the process cannot overlap with requests of the
  // next leader.
  log.warn('stopped while requests were running');
  setImmediate(() => process.exit());
}

/** Resolves to false if the work takes too long to end. */
async function overdue(stopping: AbortSignal): Promise<false> {
  await aborted(stopping);
  return sleep(ENDING_MS, false, { ref: false });
}

async function run(flags: Flags, log: Log, stopping: AbortSignal): Promise<void> {
  const config = loadKubeConfig(flags);
  const metrics = createMetrics();
  metrics.process();
  // This client may write even if the process is not the leader. The client has a separate rate limit, because renewals
  // of the lease must not wait for the writes of controllers.
  const time = new ServerTime();
  const own = new ApiClient(config, { onAnswer: metrics.request, onTime: time.saw });
  let excludedNamespaces: readonly string[];
  let apiGroups: readonly string[];
  try {
    await ensureNamespace(own, flags.operatorNamespace, log, stopping);
    const platform = await detectPlatform(own).catch((error: unknown) => {
      // With the flag, the platform only makes the messages about its namespaces more complete.
      if (!flags.excludedNamespaces) throw error;
      return { platforms: [], apiGroups: [] };
    });
    excludedNamespaces = flags.excludedNamespaces ?? excludedOn(platform.platforms);
    apiGroups = platform.apiGroups;
  } catch (error) {
    if (stopping.aborted) return;
    throw error;
  }
  log.info('no policy reaches some namespaces', { excludedNamespaces });
  const instance = process.env.POD_NAME || hostname();
  const revisions = new Revisions((seen, found) => operator.rolledBack(seen, found));
  const election = flags.leaderElect ? newElection(flags, { client: own, instance, revisions, log }) : undefined;
  const { qps, burst } = flags;
  const beforeWrite = election?.assertMayWrite;
  const client = new ApiClient(config, {
    qps,
    burst,
    onAnswer: metrics.request,
    onTime: time.saw,
    ...(beforeWrite && { beforeWrite }),
  });
  const reflectorObserver = metrics.reflector;
  const operator = new Operator(client, {
    ...flags,
    excludedNamespaces,
    apiGroups,
    instance,
    log,
    observeQueue: metrics.queue,
    reflectorObserver,
    now: time.now,
  });
  metrics.leadership(LEASE, () => election?.mayWrite() ?? true);
  operator.exportMetrics(metrics);
  const health = healthHandler(
    { '/healthz': election ? { leaderElection: election.check } : {}, '/readyz': { synced: operator.checkSynced } },
    { log },
  );
  const show = metricsHandler(metrics);
  const reviewer = new ApiClient(config, { qps: 5, burst: 10, onAnswer: metrics.request });
  const { metricsCertPath } = flags;
  const handlers = [
    [flags.healthAddress, health, { log }],
    [
      flags.metricsAddress,
      flags.metricsSecure ? authorized(show, { client: reviewer }) : show,
      { log, ...(metricsCertPath !== undefined && { certificate: () => readCertificate(metricsCertPath) }) },
    ],
  ] as const;
  const servers: RunningServer[] = [];
  try {
    for (const [address, handler, how] of handlers) if (address) servers.push(await serve(address, handler, how));
    const following = election ? undefined : revisions.follow(() => revisionOf(own, stopping), stopping, SYSTEM_CLOCK);
    await lead(operator, election, stopping);
    await following;
  } finally {
    await Promise.all([...servers, client, own, reviewer].map((one) => one.close()));
  }
}

/** The revision of the storage. With leader election, the Lease shows the revision. */
async function revisionOf(client: ApiClient, signal: AbortSignal): Promise<string | undefined> {
  const path = pathFor(POLICIES.apiVersion, POLICIES.kind);
  return (await client.get<RawPage>(path, { limit: 1 }, signal)).metadata?.resourceVersion ?? undefined;
}

/** A standby also follows the cluster, so that the standby can take over at once. */
async function lead(operator: Operator, election: Election | undefined, stopping: AbortSignal): Promise<void> {
  try {
    await operator.follow(stopping);
    const onStartedLeading = async (leading: AbortSignal) => {
      await operator.catchUp(leading);
      await operator.lead(leading);
    };
    await (election ? election.run({ onStartedLeading }, stopping) : operator.lead(stopping));
  } catch (error) {
    if (!stopping.aborted) throw error;
  }
  await operator.ended();
}

interface ElectionParts {
  readonly client: ApiClient;
  readonly instance: string;
  readonly revisions: Revisions;
  readonly log: Log;
}

function newElection(flags: Flags, { client, instance, revisions, log }: ElectionParts): Election {
  const { operatorNamespace: namespace, leaseDurationMs, renewDeadlineMs, retryPeriodMs } = flags;
  const identity = `${instance}_${randomUUID()}`;
  const periods = { leaseDurationMs, renewDeadlineMs, retryPeriodMs };
  return new Election({ client, namespace, name: LEASE, identity, log, revisions, ...periods });
}

/**
 * If the operator runs in a cluster, the namespace exists, because the operator's pod is in the namespace. If the
 * operator runs outside a cluster, the operator creates the namespace, because nobody else creates the namespace.
 */
async function ensureNamespace(client: ApiClient, name: string, log: Log, signal: AbortSignal): Promise<void> {
  try {
    await client.get(pathFor('v1', 'Namespace', undefined, name), {}, signal);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await client.create(pathFor('v1', 'Namespace'), { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    log.info('created namespace', { name });
  }
}

function stopOnSignal(log: Log): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info('stopping', { signal });
      stopping.abort();
    });
  }
  return stopping.signal;
}

/** Reads the files of a mounted Secret of type kubernetes.io/tls. */
function readCertificate(folder: string): Certificate {
  const read = (name: string) => {
    try {
      return readFileSync(join(folder, name), 'utf8');
    } catch (error) {
      throw new Error(`--metrics-cert-path: ${(error as Error).message}`);
    }
  };
  return { cert: read('tls.crt'), key: read('tls.key') };
}

function podNamespace(): string | undefined {
  if (process.env.POD_NAMESPACE) return process.env.POD_NAMESPACE;
  try {
    return readFileSync(POD_NAMESPACE_FILE, 'utf8').trim();
  } catch {
    return undefined;
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`capabilitypolicy: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
