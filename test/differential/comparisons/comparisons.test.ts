/**
 * Tests the output of comparisons. A real API server enforces both sets of policies. The API server's answers about the
 * pods in the output must match the predictions of the comparison. COMPARED=500 runs 500 pairs of sets.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compare, type Difference } from '../../../analysis/compare/compare.ts';
import { DEFAULT_LIMIT } from '../../../analysis/compare/limits.ts';
import { manifestOf } from '../../../analysis/compare/witness.ts';
import { lateIn } from '../../../cli/commands/compare/late-in.ts';
import { SERVER_MINOR } from '../../../hack/controlplane/version.ts';
import { PAIRS, type Specs } from '../../compare/sets.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { policy, resolved } from '../../support/policies.ts';
import { hasUnknownField } from '../../support/random-switches.ts';
import { SEED } from '../../support/seed.ts';
import { PolicyCluster } from '../policies/cluster.ts';

const RUNS = Number(process.env.COMPARED ?? 6);
/**
 * With some seeds, only a few pods show a difference. More pairs follow until the number of shown pods reaches the
 * number of runs.
 */
const MOST_RUNS = RUNS * 10;
/** A comparison ends after this time. The test shows the pods that the comparison has found by this time. */
const PAIR_MS = RUNS >= 100 ? 600_000 : 10_000;
/** The number of pairs whose policies are in one program. */
const BATCH = 6;
const SIDES = ['old', 'new'] as const;

describe(`comparisons on an API server (SEED=${SEED})`, () => {
  let cluster: PolicyCluster;

  before(async () => {
    cluster = new PolicyCluster((await sharedControlPlane()).kubeconfig);
    await cluster.open();
  });

  after(() => cluster.close());

  it(`show pods that it refuses and admits as they say, for at least ${RUNS} pairs`, async function () {
    this.timeout(MOST_RUNS * 60_000);
    let shown = 0;
    const pairs = fc.sample(PAIRS, { numRuns: MOST_RUNS, seed: SEED }).map((sets) => sets.map(withoutDefaulting));
    for (let from = 0; from < RUNS || (shown < RUNS && from < MOST_RUNS); from += BATCH) {
      const batch = pairs.slice(from, from + BATCH);
      const policies = batch.flatMap((sets, pair) =>
        sets.flatMap((specs, side) =>
          Object.entries(specs).map(([name, spec]) => {
            const namespace = `compared-${pair}-${SIDES[side]}`;
            const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
            return policy(`${namespace}-${name}`, { ...spec, namespaceSelector });
          }),
        ),
      );
      const { withdraw } = await cluster.enforce(policies);
      try {
        for (const [pair, [old = {}, now = {}]] of batch.entries()) {
          const found = compare(setOf(old), setOf(now), { limit: DEFAULT_LIMIT, isLate: lateIn(PAIR_MS) });
          for (const one of found.opens) shown += await replay(one, pair, [403, 201]);
          for (const one of found.closes) shown += await replay(one, pair, [201, 403]);
        }
      } finally {
        await withdraw();
      }
    }
    assert.ok(shown >= RUNS, `only ${shown} pods were shown`);
  });

  /**
   * Creates the pod in the namespaces of both sets.
   * @returns how many pods were created
   */
  async function replay({ pod, rules }: Difference, pair: number, expected: readonly number[]): Promise<number> {
    // An API server drops a field that it does not know.
    if (hasUnknownField(pod)) return 0;
    const answers = [];
    for (const side of SIDES) {
      const namespace = await cluster.namespace(`compared-${pair}-${side}`);
      answers.push(await cluster.create(manifestOf(pod), namespace));
    }
    const statuses = answers.map(({ status }) => (status === 200 ? 201 : status));
    const texts = answers.map(({ text }) => text).join('; ');
    assert.deepEqual(statuses, expected, `${rules}: ${JSON.stringify(pod)}: ${texts}`);
    return 1;
  }
});

function setOf(specs: Specs) {
  const policies = Object.entries(specs).map(([name, spec]) => resolved(name, spec, SERVER_MINOR));
  return { policies, isExcluded: () => false };
}

function withoutDefaulting(specs: Specs): Specs {
  return Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, { ...spec, defaulting: 'Disabled' }]));
}
