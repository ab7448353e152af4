/**
 * Takes a snapshot of the demo's cluster. The operator has finished its work. The snapshot does not depend on the time
 * of day.
 */
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { waitFor } from '../../hack/controlplane/wait.ts';
import { ownCluster } from '../../hack/demo/cluster.ts';
import { Shell } from '../../hack/demo/shell.ts';
import { tell } from '../../hack/demo/story.ts';
import { cappol } from './cappol.ts';

/** The time of all objects in the snapshot. */
const TIME = '2026-12-01T12:00:00Z';

export async function demoSnapshot(): Promise<Snapshot> {
  const cluster = await ownCluster();
  try {
    await tell(cluster, new Shell(cluster));
    // The demo's story stops the operator before the last pods are created. This function therefore starts the operator
    // again.
    await cluster.startOperator();
    return await waitFor('the operator to report what runs', async () => {
      const snapshot = await snapshotOf(cluster.kubeconfig);
      return isReported(snapshot) && snapshot;
    });
  } finally {
    await cluster.stop();
  }
}

async function snapshotOf(kubeconfig: string): Promise<Snapshot> {
  const { code, stdout, stderr } = await cappol(['snapshot', '--kubeconfig', kubeconfig]);
  if (code !== 0) throw new Error(stderr);
  return { ...withoutTimes(JSON.parse(stdout) as Snapshot), context: 'demo' };
}

function withoutTimes(snapshot: Snapshot): Snapshot {
  const text = JSON.stringify(snapshot)
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, TIME)
    .replace(/\brow [0-9a-f]{12}\b/g, 'row 0123456789ab');
  return JSON.parse(text) as Snapshot;
}

/** Whether the statuses count the workloads of the snapshot, and whether all policies are in force. */
function isReported({ policies, namespaces }: Snapshot): boolean {
  return policies.every(({ name, status: { workloads, conditions = [] } }) => {
    const evaluated = namespaces.flatMap(({ verdicts, deciding }) =>
      verdicts.filter(({ mode }) => deciding[mode]?.includes(name)),
    );
    const isReady = conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
    return isReady && (workloads?.evaluated ?? 0) === evaluated.length;
  });
}
