import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../../hack/controlplane/api.ts';
import { useCluster } from '../support/harness.ts';
import { Random } from '../support/random.ts';
import { type Attempt, Traffic } from '../support/traffic.ts';
import { attemptsOf, bring, prepare } from '../support/transitioning.ts';
import { TRANSITIONS, type Transition } from '../support/transitions.ts';

/**
 * The number of rounds. In each round, each transition moves to its next state once. The test then waits until all
 * changes are in force. A burst makes the same number of changes as a round, but does not wait until the changes are in
 * force.
 */
const ROUNDS = Number(process.env.TRANSITION_ROUNDS ?? 1);
const BURSTS = ROUNDS;

describe('while policies change', function () {
  this.timeout(900_000);
  const cluster = useCluster('transitions');
  const random = new Random();
  let traffic: Traffic;

  before(async () => {
    await Promise.all(TRANSITIONS.map((transition) => prepare(cluster, transition)));
    await Promise.all(TRANSITIONS.map((transition) => bring(cluster, transition, 0)));
    await inForce();
    traffic = new Traffic(
      cluster,
      TRANSITIONS.flatMap((transition) => attemptsOf(cluster, transition)),
    );
    await sleep(500);
    assert.deepEqual(surprisesOf(TRANSITIONS), [], 'before any change');

    let step = 1;
    for (let round = 0; round < ROUNDS; round++, step++) {
      await Promise.all(TRANSITIONS.map((transition) => soon(transition, step, 1_000)));
      await inForce();
    }
    for (let burst = 0; burst < BURSTS; burst++, step++) {
      await Promise.all(TRANSITIONS.map((transition) => soon(transition, step, 400)));
    }
    await inForce();
    await traffic.stop();
    const changes = TRANSITIONS.length * (ROUNDS + BURSTS);
    console.log(`    seed ${random.seed}: ${changes} changes, ${traffic.tried} pods`);
  });

  for (const transition of TRANSITIONS) {
    it(`pods that the old and the new state agree on keep their verdict: ${transition.title}`, () => {
      assert.deepEqual(surprisesOf([transition]), []);
    });
  }

  async function soon(transition: Transition, step: number, withinMs: number): Promise<void> {
    await sleep(random.int(withinMs));
    await bring(cluster, transition, step);
  }

  /** Waits until all rendered objects and the API server's answers are right. */
  async function inForce(): Promise<void> {
    await cluster.settled();
    const policies = await cluster.policies();
    await cluster.programmed(...policies);
  }

  function surprisesOf(transitions: readonly Transition[]): string[] {
    const namespaces = transitions.flatMap(({ name }) => [cluster.named(`${name}-a`), cluster.named(`${name}-b`)]);
    return traffic.surprises
      .filter(({ attempt }) => namespaces.includes(attempt.namespace))
      .slice(0, 4)
      .map(({ attempt, answer, at }) => `${at} ms: ${describePod(attempt)}: ${answer}`);
  }
});

function describePod({ pod, as, expected }: Attempt): string {
  const { serviceAccountName = 'default', containers } = (pod as { spec: Json }).spec;
  const rights = JSON.stringify(containers[0].securityContext ?? {});
  return `to be ${expected}, pod of ${serviceAccountName} by ${as?.user ?? 'anybody'} with ${rights}`;
}
