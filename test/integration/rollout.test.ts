import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import type { Json } from './api.ts';
import { serviceAccount, useCluster } from './harness.ts';
import { Random } from './random.ts';
import { type Attempt, Traffic } from './traffic.ts';
import { type Candidate, type Rules, type State, TRANSITIONS, type Transition } from './transitions.ts';

const RBAC = 'rbac.authorization.k8s.io';
/** A round changes every transition's state once, and waits until all is in force; bursts don't wait. */
const ROUNDS = Number(process.env.ROLLOUT_ROUNDS ?? 2);
const BURSTS = ROUNDS;

describe('while policies change', function () {
  this.timeout(900_000);
  const cluster = useCluster('rollout');
  const random = new Random();
  let traffic: Traffic;

  before(async () => {
    await Promise.all(TRANSITIONS.map(prepare));
    await Promise.all(TRANSITIONS.map((transition) => bring(transition, 0)));
    await inForce();
    traffic = new Traffic(cluster, TRANSITIONS.flatMap(attempts));
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
    it(`what the old and the new state agree on stays so: ${transition.title}`, () => {
      assert.deepEqual(surprisesOf([transition]), []);
    });
  }

  async function soon(transition: Transition, step: number, withinMs: number): Promise<void> {
    await sleep(random.int(withinMs));
    await bring(transition, step);
  }

  /** Everything rendered is right, and so is what the API server makes of it. */
  async function inForce(): Promise<void> {
    await cluster.settled();
    const policies = await cluster.policies();
    await cluster.programmed(...policies);
  }

  /** Two namespaces, and service accounts of which `bound` has a RoleBinding to every policy of the transition. */
  async function prepare({ name, states }: Transition): Promise<void> {
    for (const zone of ['a', 'b']) {
      const namespace = await cluster.namespace(`${name}-${zone}`, { team: name, zone });
      for (const account of ['one', 'other', 'bound']) await cluster.serviceAccount(namespace, account);
    }
    const namespace = cluster.named(`${name}-a`);
    for (const suffix of new Set(states.flatMap((state) => Object.keys(state)))) {
      await cluster.api.apply(`/apis/${RBAC}/v1/namespaces/${namespace}/rolebindings/${suffix}`, {
        apiVersion: `${RBAC}/v1`,
        kind: 'RoleBinding',
        metadata: { name: suffix },
        roleRef: {
          apiGroup: RBAC,
          kind: 'ClusterRole',
          name: `capabilitypolicy.dev:use:${cluster.named(`${name}-${suffix}`)}`,
        },
        subjects: [{ kind: 'ServiceAccount', name: 'bound', namespace }],
      });
    }
  }

  async function bring(transition: Transition, step: number): Promise<void> {
    const { name, states } = transition;
    const state: State = states[step % states.length] ?? {};
    for (const [suffix, rules] of Object.entries(state)) {
      await cluster.policy(`${name}-${suffix}`, specOf(name, rules));
    }
    const leaving = states.flatMap((other) => Object.keys(other)).filter((suffix) => !(suffix in state));
    // Between two commands of ours the cluster is in a state of its own: what is deleted is gone at once.
    if (name === 'rename') await cluster.programmed(...Object.keys(state).map((s) => cluster.named(`${name}-${s}`)));
    for (const suffix of leaving) await cluster.deletePolicy(cluster.named(`${name}-${suffix}`));
  }

  function specOf(name: string, { zone, accounts, ...rules }: Rules): CapabilityPolicySpec {
    const namespace = cluster.named(`${name}-a`);
    const subjects = accounts?.map((account) => ({ kind: 'ServiceAccount' as const, name: account, namespace }));
    return {
      namespaceSelector: { matchLabels: { team: name, ...(zone && { zone }) } },
      ...rules,
      ...(subjects && { subjects }),
    };
  }

  function attempts({ name, admitted, refused }: Transition): Attempt[] {
    const attempt = (expected: Attempt['expected']) => (candidate: Candidate) => {
      const namespace = cluster.named(`${name}-${candidate.zone ?? 'a'}`);
      const as = candidate.creator === undefined ? {} : { as: serviceAccount(namespace, candidate.creator) };
      return { pod: candidate.pod, namespace, expected, ...as };
    };
    return [...admitted.map(attempt('admitted')), ...refused.map(attempt('refused'))];
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
