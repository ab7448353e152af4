import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import { waitFor } from '../../hack/controlplane/wait.ts';
import { ApiClient } from '../../operator/cluster/client.ts';
import type { RawObject } from '../../operator/model/raw.ts';
import { Election } from '../../operator/runtime/election.ts';
import type { Lease, LeaseSpec } from '../../operator/runtime/lease.ts';
import { sharedControlPlane } from '../support/control-plane.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { CandidateProcess } from './candidate-process.ts';

const DURATIONS = { leaseDurationMs: 3_000, renewDeadlineMs: 2_000, retryPeriodMs: 500 };
/** With these durations, a leader holds the Lease until the leader ends, even on a busy machine. */
const LONG_DURATIONS = { ...DURATIONS, leaseDurationMs: 15_000, renewDeadlineMs: 10_000 };
/** The tolerance in ms. Requests take time, and the machine may be busy. */
const GRACE_MS = 750;
const NAME = 'capabilitypolicy.dev';

interface Seen {
  readonly holder: string;
  readonly version: number;
}

describe('leader election on a real API server', () => {
  let controlPlane: ControlPlane;
  let client: ApiClient;
  let namespace: string;
  let candidates: CandidateProcess[] = [];
  let tests = 0;

  before(async function () {
    this.timeout(300_000);
    controlPlane = await sharedControlPlane();
    client = connect();
  });

  beforeEach(async () => {
    namespace = `election-${++tests}`;
    await client.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  });

  afterEach(async () => {
    await Promise.all(candidates.map((one) => one.end('SIGKILL')));
    candidates = [];
    await client.remove(`/api/v1/namespaces/${namespace}`);
  });

  after(() => client?.close());

  it('the standby leads at once when the leader ends normally', async () => {
    const { leader, standBy } = await pair(LONG_DURATIONS);
    const exit = leader.end('SIGTERM');
    // When the leader reports `wrote`, all waiting writes have been sent and the Lease is released.
    const { failed, refused } = await leader.said('wrote');
    const released = performance.now();
    await standBy.said('leading');
    const took = performance.now() - released;
    assert.equal(await exit, 0);
    assert.deepEqual({ failed, refused }, { failed: 0, refused: 0 });
    assert.ok(took < DURATIONS.retryPeriodMs + GRACE_MS, `${took} ms`);
    say(`ended: ${took.toFixed(0)} ms until the other led`);
  });

  it('if the leader is killed, the standby leads after the lease and a retry', async () => {
    const { leader, standBy } = await pair();
    const killed = performance.now();
    await leader.end('SIGKILL');
    await standBy.said('leading');
    const took = performance.now() - killed;
    assert.ok(took > DURATIONS.leaseDurationMs - DURATIONS.retryPeriodMs - GRACE_MS, `${took} ms`);
    assert.ok(took < DURATIONS.leaseDurationMs + DURATIONS.retryPeriodMs + GRACE_MS, `${took} ms`);
    assert.equal((await leaseSpec()).leaseTransitions, 1);
    say(`killed: ${took.toFixed(0)} ms until the other led`);
  });

  it('a leader that was stopped for longer than the lease sends at most one of its waiting writes', async () => {
    const holders = followHolders();
    const { leader, standBy } = await pair();
    // The rate limit makes many writes wait. Some other writes are in flight.
    await sleep(700);
    leader.signal('SIGSTOP');
    await standBy.said('leading');
    await sleep(300);
    leader.signal('SIGCONT');
    const { written, refused = 0, failed } = await leader.said('wrote');
    // A late write would arrive within 500 ms.
    await sleep(500);
    const taken = holders.seen.find(({ holder }) => holder === standBy.identity)?.version ?? 0;
    const writes = await versionsOf(leader);
    const late = writes.filter((version) => version > taken);
    say(`stopped: ${written} written, ${refused} refused, ${failed} failed; ${late.length} after the other led`);
    assert.ok(taken > 0 && writes.length > 0);
    // One write may be late. The process began to send the late write just before the process was stopped
    // (docs/security-model.md).
    assert.ok(late.length <= 1, JSON.stringify(late));
    assert.ok(refused >= 50, 'many were waiting to leave');
    holders.stop();
  });

  it('the leader stays the same when the API server restarts', async function () {
    this.timeout(300_000);
    const stopping = new AbortController();
    const log = new RecordingLog();
    const own = connect();
    const options = { leaseDurationMs: 60_000, renewDeadlineMs: 50_000, retryPeriodMs: 1_000 };
    const election = new Election({ client: own, namespace, name: NAME, identity: 'a', log, ...options });
    const started = Promise.withResolvers<AbortSignal>();
    const onStartedLeading = (leading: AbortSignal) => {
      started.resolve(leading);
      return new Promise<void>((resolve) => leading.addEventListener('abort', () => resolve()));
    };
    const running = election.run({ onStartedLeading }, stopping.signal);
    const leading = await started.promise;
    await controlPlane.restartApiServer(0, 'SIGKILL');
    const { renewTime } = await leaseSpec();
    await waitFor('a renewal', async () => (await leaseSpec()).renewTime !== renewTime);
    assert.equal(leading.aborted, false);
    assert.equal(election.mayWrite(), true);
    stopping.abort();
    await running;
    const { holderIdentity, leaseTransitions } = await leaseSpec();
    assert.deepEqual([holderIdentity, leaseTransitions], ['', 0]);
    await own.close();
  });

  /** Starts a leader, and a candidate that has seen the leader lead. */
  async function pair(durations = DURATIONS) {
    const leader = candidate('first', durations);
    await leader.said('leading');
    const standBy = candidate('second', durations);
    await standBy.seesLeader();
    return { leader, standBy };
  }

  function candidate(identity: string, durations: typeof DURATIONS): CandidateProcess {
    const { kubeconfig } = controlPlane;
    const one = new CandidateProcess({ kubeconfig, namespace, identity, ...durations });
    candidates.push(one);
    return one;
  }

  /** Records all states of the Lease, in the order in which the API server stored them. */
  function followHolders(): { readonly seen: Seen[]; stop(): void } {
    const seen: Seen[] = [];
    const stopping = new AbortController();
    const onEvent = ({ object }: { object: RawObject }) => {
      const { spec } = object as RawObject & { spec?: { holderIdentity?: string } };
      seen.push({ holder: spec?.holderIdentity ?? '', version: Number(object.metadata?.resourceVersion) });
    };
    const ended = client.watch(leasesPath(), {}, onEvent, { signal: stopping.signal });
    // If the watch fails, an event is missing. A missing event makes the test fail and report the event.
    ended.catch(() => {});
    return { seen, stop: () => stopping.abort() };
  }

  /**
   * The resourceVersions of a candidate's writes. All kinds of objects share one counter of resourceVersions, so
   * resourceVersions of different kinds can be compared.
   */
  async function versionsOf({ identity }: CandidateProcess): Promise<number[]> {
    const query = { labelSelector: `writer=${identity}` };
    const versions: number[] = [];
    await client.list(`/api/v1/namespaces/${namespace}/configmaps`, query, ({ items }) => {
      for (const { metadata } of items ?? []) versions.push(Number(metadata?.resourceVersion));
    });
    return versions;
  }

  async function leaseSpec(): Promise<LeaseSpec> {
    const { spec } = await client.get<Lease>(`${leasesPath()}/${NAME}`);
    assert.ok(spec);
    return spec;
  }

  function leasesPath(): string {
    return `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  }

  function connect(): ApiClient {
    const config = new KubeConfig();
    config.loadFromFile(controlPlane.kubeconfig);
    return new ApiClient(config);
  }
});

function say(what: string): void {
  console.log(`      ${what}`);
}
