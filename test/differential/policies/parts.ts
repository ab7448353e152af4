/**
 * The differential tests with random policies have several parts. `npm run test:differential` runs the parts in their
 * long form.
 */
import { type ControlPlane, startControlPlane } from '../../../hack/controlplane/controlplane.ts';
import { ALPHA_FLAGS } from '../../support/alpha.ts';
import { evaluateExpiry } from '../expiry/expiry.ts';
import { evaluateAdditions } from '../filling/ephemeral.ts';
import { evaluateFilling } from '../filling/filling.ts';
import { evaluateInjected } from '../filling/sidecars.ts';
import { evaluateRollouts } from '../rollout/rollouts.ts';
import { AuditLog } from '../sets/audit.ts';
import { evaluateSets } from '../sets/sets.ts';
import { evaluateSteps } from '../steps/steps.ts';
import { evaluateTopologies } from '../topologies/topologies.ts';
import type { Tally } from './campaign.ts';
import { PolicyCluster } from './cluster.ts';
import { findCounterexamples } from './counterexamples.ts';
import { evaluateInPlayground } from './playground.ts';
import { evaluatePolicies } from './policies.ts';

/**
 * Part `b` tests policies over all fields, and the tightness of labels. Part `c` tests overlapping sets. Part `filling`
 * tests defaulting. Part `steps` tests containers that are added to pods one after the other. Part `expiry` tests
 * overlapping sets of policies that expire. Part `rollout` tests overlapping sets of policies with rollouts. Part
 * `playground` tests the verdicts of the page's playground. Part `topologies` tests many policies and namespaces under
 * a running operator.
 */
export const PARTS = ['b', 'c', 'filling', 'steps', 'expiry', 'rollout', 'playground', 'topologies'] as const;
type Part = (typeof PARTS)[number];

/**
 * The parts of the tests that need the API server's audit log. Only the audit log shows the violations of policies in
 * mode Audit.
 */
const AUDITED: ReadonlySet<Part> = new Set<Part>(['c', 'rollout', 'topologies']);

const PODS_OF_POLICY = 40;
/** The time from the first expiry to the last expiry, in seconds. */
const LAST_END = 14;
const PODS_OF_SET = 25;
const PODS_OF_PLAYGROUND = 20;
const PODS_OF_STEPS = 40;
const PODS_TO_FILL = 20;
const VALUES_OF_RULE = 6;

/** The size of each topology in the part `topologies`. */
export interface Sizes {
  readonly policies: number;
  readonly namespaces: number;
  readonly pods: number;
  readonly meeting: number;
}

export const SIZES: Sizes = { policies: 60, namespaces: 40, pods: 5_000, meeting: 14 };

/**
 * @param runs the number of policies, sets (part c), steps or topologies to evaluate
 * @returns whether no difference was found
 */
export async function runPart(part: Part, runs: number, seed: number, sizes = SIZES): Promise<boolean> {
  const audit = new AuditLog();
  const controlPlane = await startControlPlane({
    apiServerFlags: [...ALPHA_FLAGS, ...(AUDITED.has(part) ? audit.flags : [])],
  });
  try {
    const cluster = new PolicyCluster(controlPlane.kubeconfig);
    await cluster.open();
    return await RUNS[part]({ cluster, controlPlane, audit, runs, seed, sizes });
  } finally {
    await controlPlane.stop();
    audit.remove();
  }
}

interface Setting {
  readonly cluster: PolicyCluster;
  readonly controlPlane: ControlPlane;
  readonly audit: AuditLog;
  readonly runs: number;
  readonly seed: number;
  readonly sizes: Sizes;
}

const RUNS: Readonly<Record<Part, (setting: Setting) => Promise<boolean>>> = {
  async b({ cluster, runs, seed }) {
    const plan = { policies: runs, pods: PODS_OF_POLICY, seed };
    const agreed = report('policies', seed, await evaluatePolicies(cluster, plan));
    const { found, missing } = await findCounterexamples(cluster, { values: VALUES_OF_RULE, seed });
    console.log(`labels: seed ${seed}, ${found} counterexamples, ${missing.length} missing`);
    for (const one of missing) console.log(one);
    return agreed && missing.length === 0;
  },

  async c({ cluster, controlPlane, audit, runs, seed }) {
    const plan = { sets: runs, pods: PODS_OF_SET, seed, audit };
    return report(`${runs} sets`, seed, await evaluateSets(cluster, controlPlane, plan));
  },

  async filling({ cluster, runs, seed }) {
    const fewer = { policies: Math.ceil(runs / 3), pods: PODS_TO_FILL, seed };
    const agreed = [
      report('filling', seed, await evaluateFilling(cluster, { ...fewer, policies: runs })),
      report('filling, with injected containers', seed, await evaluateInjected(cluster, fewer)),
      report('filling, of added ephemeral containers', seed, await evaluateAdditions(cluster, fewer)),
    ];
    return agreed.every(Boolean);
  },

  async expiry({ cluster, controlPlane, runs, seed }) {
    const plan = { policies: runs, pods: PODS_OF_POLICY, seed, last: LAST_END };
    const tally = await evaluateExpiry(cluster, controlPlane, plan);
    console.log(`${tally.ended} answers that an end changed`);
    return report('policies that end', seed, tally);
  },

  async rollout({ cluster, controlPlane, audit, runs, seed }) {
    const plan = { policies: runs, pods: PODS_OF_POLICY, seed, audit };
    const tally = await evaluateRollouts(cluster, controlPlane, plan);
    const { label, promotion } = tally.compared;
    console.log(`${label} comparisons of a label, ${promotion} of a verdict about a promotion`);
    return report('rollouts', seed, tally);
  },

  async playground({ cluster, runs, seed }) {
    return report(
      'playground',
      seed,
      await evaluateInPlayground(cluster, { policies: runs, pods: PODS_OF_PLAYGROUND, seed }),
    );
  },

  async topologies({ cluster, controlPlane, audit, runs, seed, sizes }) {
    const plan = { ...sizes, topologies: runs, seed, audit, say: console.log };
    const tally = await evaluateTopologies(cluster, controlPlane, plan);
    console.log(
      `${tally.ended} verdicts that an end changed, ${tally.free} in free namespaces, ${tally.unclear} unclear`,
    );
    return report(`${runs} topologies`, seed, tally);
  },

  async steps({ cluster, controlPlane, runs, seed }) {
    const { differences, ...counts } = await evaluateSteps(cluster, controlPlane, {
      steps: runs,
      tracks: PODS_OF_STEPS,
      seed,
    });
    console.log(`steps: seed ${seed}, ${JSON.stringify(counts)}, ${differences.length} differences`);
    for (const difference of differences) console.log(difference);
    return differences.length === 0;
  },
};

function report(what: string, seed: number, tally: Tally): boolean {
  const { policies, evaluated, admitted, invalid, differences } = tally;
  const pods = `${evaluated} pods evaluated, ${admitted} admitted, ${invalid} invalid`;
  console.log(`${what}: seed ${seed}, ${policies} policies, ${pods}, ${differences.length} differences`);
  for (const difference of differences) console.log(difference);
  return differences.length === 0;
}
