/**
 * Runs a candidate for the Lease in a separate process. While the candidate leads, the candidate writes ConfigMaps. At
 * any time, many writes of the candidate are waiting to be sent. The candidate reports each event on standard output as
 * one JSON line.
 */
import { KubeConfig } from '@kubernetes/client-node';
import { ApiClient } from '../../operator/cluster/client.ts';
import { Election, NotLeadingError } from '../../operator/runtime/election.ts';
import { createLog } from '../../operator/runtime/log.ts';

/**
 * The number of waiting writes. The candidate sends QPS writes per second, so each write waits for more than a second.
 */
const WAITING = 100;
const QPS = 60;

const { kubeconfig, namespace, identity, ...durations } = JSON.parse(process.argv[2] ?? '{}');

const config = new KubeConfig();
config.loadFromFile(kubeconfig);
const election = new Election({
  client: new ApiClient(config),
  namespace,
  name: 'capabilitypolicy.dev',
  identity,
  log: createLog({ stream: process.stderr }),
  ...durations,
});
const settings = { qps: QPS, burst: 1, beforeWrite: election.assertMayWrite };
const guarded = new ApiClient(config, settings);

const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());
await election.run({ onStartedLeading: write, onStoppedLeading: () => say({ event: 'stopped' }) }, stopping.signal);
process.exit(0);

async function write(leading: AbortSignal): Promise<void> {
  say({ event: 'leading' });
  const outcome = { written: 0, refused: 0, failed: 0 };
  const one = async () => {
    while (!leading.aborted) {
      try {
        await guarded.create(`/api/v1/namespaces/${namespace}/configmaps`, {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { generateName: `${identity}-`, labels: { writer: identity } },
        });
        outcome.written++;
      } catch (error) {
        outcome[error instanceof NotLeadingError ? 'refused' : 'failed']++;
      }
    }
  };
  await Promise.all(Array.from({ length: WAITING }, one));
  say({ event: 'wrote', ...outcome });
}

function say(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
