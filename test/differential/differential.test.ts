/**
 * Tests that three engines agree about a pod: our admission policy, Pod Security Admission, and the operator. The long
 * form of this test is `npm run test:differential`.
 */
import assert from 'node:assert/strict';
import { sharedControlPlane } from '../support/control-plane.ts';
import { podManifest } from '../support/pod-manifests.ts';
import { COMPLIANT, randomEphemeralContainers, randomPods } from '../support/random-pods.ts';
import { schemaPods } from '../support/schema-pods.ts';
import { SEED } from '../support/seed.ts';
import { Arena, addEphemeralContainer, agree, createPod } from './arena.ts';
import { OVERRIDDEN, plain, VERSIONS } from './cases.ts';
import { compare, type Plan } from './compare.ts';
import { annotated, namedInOrder } from './order.ts';
import { CUT } from './policies/text.ts';
import { explain } from './report.ts';

const RUNS = 20;
const RUNS_OF_NEWEST = 60;
const RUNS_OF_EPHEMERAL = 15;
const REQUESTS_OF_ANNOTATIONS = 10;
const NEWEST = Math.max(...VERSIONS);
const LEVELS = VERSIONS.flatMap((minor) => [plain('baseline', minor), plain('restricted', minor)]);

describe('admission policy, Pod Security Admission and operator agree', function () {
  this.timeout(180_000);
  const newest = LEVELS.filter(({ podSecurity }) => podSecurity?.minor === NEWEST);
  let arena: Arena;

  before(async () => {
    console.log(`      seed ${SEED}`);
    const { kubeconfig } = await sharedControlPlane();
    arena = new Arena(kubeconfig, [...LEVELS, ...OVERRIDDEN]);
    await arena.open();
  });

  after(() => arena?.close());

  for (const compared of [...LEVELS, ...OVERRIDDEN]) {
    const runs = newest.includes(compared) ? RUNS_OF_NEWEST : RUNS;
    it(`${runs} pods under ${compared.name}`, () =>
      agreement({ compared, objects: randomPods(), ask: createPod, runs, seed: SEED }));
  }

  for (const compared of newest) {
    it(`${RUNS} pods with any fields of the API under ${compared.name}`, () =>
      agreement({ compared, objects: schemaPods(), ask: createPod, runs: RUNS, seed: SEED }));
  }

  describe('ephemeral containers that are added to a compliant pod', () => {
    before(async () => {
      for (const [index, pod] of Object.values(COMPLIANT).entries()) {
        await arena.createEverywhere(newest, { ...pod, metadata: { ...pod.metadata, name: `compliant-${index}` } });
      }
    });

    for (const compared of newest) {
      Object.keys(COMPLIANT).forEach((what, index) => {
        it(`${RUNS_OF_EPHEMERAL} under ${compared.name}, the pod ${what}`, () =>
          agreement({
            compared,
            objects: randomEphemeralContainers(),
            ask: (container) => addEphemeralContainer(`compliant-${index}`, container),
            runs: RUNS_OF_EPHEMERAL,
            seed: SEED,
          }));
      });
    }
  });

  it('all messages name annotations in the order of the containers, for each request', async () => {
    // The whole message would be too long at level restricted, because the messages of other rules come first.
    const [baseline] = newest;
    assert.equal(baseline?.podSecurity?.level, 'baseline');
    for (let turn = 0; turn < REQUESTS_OF_ANNOTATIONS; turn++) {
      const answers = await arena.ask(createPod(annotated(turn)), baseline);
      assert.ok(answers);
      assert.ok(answers.policy.text.includes(namedInOrder()), answers.policy.text);
      assert.equal(answers.operator.text, answers.policy.text);
    }
  });

  it('all messages agree about a text that is too long for a message', async () => {
    const compared = OVERRIDDEN.find(({ name }) => name === 'no-net-raw');
    assert.ok(compared);
    const answers = await arena.ask(createPod(notAscii()), compared);
    assert.ok(answers);
    assert.ok(answers.policy.text.endsWith(CUT), answers.policy.text);
    assert.ok(agree(answers, compared), `${answers.policy.text}\n${answers.operator.text}`);
  });

  async function agreement<T>(plan: Plan<T>): Promise<void> {
    const outcome = await compare(arena, plan);
    const [first] = outcome.differences;
    if (first) throw new Error(`the engines differ: ${explain(outcome, first)}`);
  }
});

/** A pod with a refusal message that is not ASCII. The message is therefore cut at a quarter of the usual length. */
function notAscii() {
  const capabilities = { add: ['ALL', 'ſYS_ADMIN'] };
  const containers = ['app', 'second'].map((name) => ({ name, image: 'image', securityContext: { capabilities } }));
  return podManifest({ name: 'not-ascii' }, { containers });
}
