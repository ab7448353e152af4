/**
 * Tests the page with random clusters. The page must agree with `cappol status`, with `cappol check --cluster`, and
 * with the status of the policies.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { itemsOf } from '../../analysis/check/running.ts';
import { evaluateCluster } from '../../analysis/policies/evaluate-cluster.ts';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { restoreCluster } from '../../analysis/snapshot/restore.ts';
import { statusView } from '../../cli/commands/status/view.ts';
import { acceptedStateOf } from '../../cli/live.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import { rolloutLabel } from '../../operator/policy/parts.ts';
import { arbitraryCluster } from '../snapshot/clusters.ts';
import { CHROMIUM } from '../support/browser.ts';
import { largeCluster } from '../support/large-cluster.ts';
import { describeWith } from '../support/needs.ts';
import { assertSaysTheSame, type Told } from '../support/page-says.ts';
import { settledSnapshot } from '../support/settled-snapshot.ts';
import { ALL_RIGHTS } from '../support/snapshots.ts';
import { usePage } from '../support/tested-page.ts';

const PROTECTION = { status: 'Unknown', message: '' } as const;

/** The seed is fixed. SEED=… in the environment sets another seed. */
const SEED = Number(process.env.SEED ?? 20_261_126);
const RUNS = Number(process.env.FC_RUNS ?? 6);
/** The minimum number of cells that must be compared. With fewer cells, the comparison would prove little. */
const CELLS = 12 * RUNS;

describeWith(CHROMIUM, 'the page beside cappol', () => {
  const pages = usePage();

  async function compared(cluster: Cluster): Promise<number> {
    const snapshot = settledSnapshot(cluster);
    const { page } = await pages.open(pages.fileOf([snapshot]));
    const cells = await assertSaysTheSame(page, toldOf(cluster, snapshot));
    await page.close();
    return cells;
  }

  it(`says the same on ${RUNS} random clusters (SEED=${SEED})`, async () => {
    let cells = 0;
    for (const cluster of fc.sample(arbitraryCluster, { numRuns: RUNS, seed: SEED })) cells += await compared(cluster);
    console.log(`      SEED=${SEED}: ${RUNS} clusters, ${cells} cells`);
    assert.ok(cells > CELLS, `${cells} cells`);
  });

  it('the page agrees with cappol for teams with policies of all kinds', async () => {
    const cells = await compared(largeCluster({ pods: 160, namespaces: 60, shapes: 30, policies: 40 }));
    console.log(`      ${cells} cells`);
    assert.ok(cells > 300);
  });
});

/** The results of cappol for the cluster, with the statuses of the snapshot. */
function toldOf(cluster: Cluster, snapshot: Snapshot): Told {
  const reported = restoreCluster(snapshot);
  const asked = { ...cluster, policies: reported.policies, policy: reported.policy };
  const { operatorNamespace, excludedNamespaces, taken } = snapshot;
  const state = acceptedStateOf(asked, ALL_RIGHTS, { operatorNamespace, excludedNamespaces, at: Date.parse(taken) });
  const evaluator = new Evaluator();
  const verdicts = evaluateCluster(asked, state, { evaluator, use: state.use });
  return {
    status: statusView({ cluster: asked, state, ...ALL_RIGHTS, protection: PROTECTION }, evaluator),
    items: [...verdicts].flatMap((result) => itemsOf(result, asked)),
    statuses: new Map(snapshot.policies.map(({ name, status }) => [name, status])),
    isPending: (policy, namespace) => Object.hasOwn(cluster.namespace(namespace)?.labels ?? {}, rolloutLabel(policy)),
  };
}
