/** `npm run test:psp` compares the answers of a current API server with the answers of Kubernetes 1.24. */
import { isDeepStrictEqual } from 'node:util';
import { startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { argumentsOrExit } from '../../hack/options-or-exit.ts';
import { MOST_ASKED } from '../../operator/compile/decision.ts';
import { concurrently } from '../differential/policies/campaign.ts';
import { CurrentCluster } from './current-cluster.ts';
import { migrated } from './migrated.ts';
import type { PspSet } from './objects.ts';
import { type RecordedPod, type RecordedSet, readRecorded } from './recorded.ts';
import { securityOf } from './security.ts';

/**
 * The maximum number of sets in a batch. The sets of a batch cannot affect each other, and are in force at the same
 * time.
 */
const TOGETHER = 40;

const HELP = `Usage: npm run test:psp

Compares the answers of a current API server with the answers of Kubernetes 1.24: the current API server evaluates the
recorded pods under the migrated policies. Prints each difference and the number of pods, and exits with 1 if there is a
difference.

`;
argumentsOrExit('test:psp', HELP, {});

const controlPlane = await startControlPlane();
try {
  const cluster = new CurrentCluster(controlPlane.kubeconfig);
  await cluster.open();
  const { recorded = [], without = [], crowds = [] } = Object.groupBy(readRecorded(), ({ set }) => kindOf(set));
  const differences: string[] = [];
  for (const sets of batches(recorded)) {
    const withdraw = await cluster.enforce(sets.map(({ set }) => set));
    await concurrently(sets, async ({ set, pods }) => {
      for (const pod of pods) {
        const difference = await compare(cluster, pod);
        if (difference) differences.push(JSON.stringify({ difference, set, pod }));
      }
    });
    await withdraw();
  }
  for (const difference of differences) console.log(difference);
  console.log(
    `left out: ${without.length} sets that admitted no pod, which the migration replaces by no policy and a note;`,
  );
  console.log(
    `${crowds.length} with more than ${MOST_ASKED} policies of restricted use, which the condition UseLimitExceeded names`,
  );
  console.log(`${recorded.flatMap(({ pods }) => pods).length} pods, ${differences.length} differences`);
  process.exitCode = differences.length === 0 ? 0 : 1;
  await cluster.close();
} finally {
  await controlPlane.stop();
}

/**
 * The kind of a set. Two kinds of sets cannot be compared. One kind of set has no policy. The other kind of set has too
 * many policies with restricted use, so an API server does not check the rights for all of these policies.
 */
function kindOf(set: PspSet): 'recorded' | 'without' | 'crowds' {
  const { policies } = migrated(set);
  if (policies.length === 0) return 'without';
  return policies.filter(({ spec }) => spec.usableBy !== 'Everyone').length > MOST_ASKED ? 'crowds' : 'recorded';
}

/**
 * Splits the sets into batches. All sets of a batch are in force at the same time. A set can share a batch with other
 * sets under two conditions. The set must have a single policy, and must grant the policy only in the namespace with
 * the ID of the set. Any other set may grant rights in the namespaces of other sets, and therefore needs a separate
 * batch.
 */
function batches(sets: readonly RecordedSet[]): RecordedSet[][] {
  const isApart = ({ set: { id, policies, namespaces } }: RecordedSet) =>
    policies.length === 1 && namespaces.every((namespace) => namespace === id);
  const apart = sets.filter(isApart);
  return [
    ...Array.from({ length: Math.ceil(apart.length / TOGETHER) }, (_, i) =>
      apart.slice(i * TOGETHER, (i + 1) * TOGETHER),
    ),
    ...sets.filter((one) => !isApart(one)).map((one) => [one]),
  ];
}

/** @returns the difference from the answer of Kubernetes 1.24, or undefined if the answers are equal */
async function compare(cluster: CurrentCluster, recorded: RecordedPod): Promise<string | undefined> {
  const { status, pod, text } = await cluster.create(recorded);
  if (status === 422) return `the pod is invalid: ${text}`;
  const becomes = status === 200 ? securityOf(pod) : undefined;
  if (isDeepStrictEqual(becomes, recorded.becomes)) return undefined;
  return becomes === undefined ? `refused: ${text}` : `becomes ${JSON.stringify(becomes)}`;
}
