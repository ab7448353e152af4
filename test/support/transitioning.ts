/** Brings a cluster into the states of transitions. Derives the pods that clients try to create at the same time. */
import { isDeepStrictEqual } from 'node:util';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { serviceAccount, type TestCluster } from './harness.ts';
import type { Attempt } from './traffic.ts';
import type { Candidate, Rules, State, Transition } from './transitions.ts';

const RBAC = 'rbac.authorization.k8s.io';

/**
 * Creates two namespaces with their service accounts. The service account `bound` gets a RoleBinding to every policy of
 * the transition.
 */
export async function prepare(cluster: TestCluster, { name, states }: Transition): Promise<void> {
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

/** Creates, changes and deletes policies. Afterwards, the policies are in the state of the given step. */
export async function bring(cluster: TestCluster, transition: Transition, step: number): Promise<void> {
  const { name, states } = transition;
  const state = stateAt(transition, step);
  for (const [suffix, rules] of Object.entries(state)) {
    await cluster.policy(`${name}-${suffix}`, specOf(cluster, name, rules));
  }
  const leaving = states.flatMap((other) => Object.keys(other)).filter((suffix) => !(suffix in state));
  // A deletion takes effect at once. The policy with the new name must therefore be in force before the policy with the
  // old name is deleted.
  if (name === 'rename') await cluster.programmed(...Object.keys(state).map((s) => cluster.named(`${name}-${s}`)));
  for (const suffix of leaving) await cluster.deletePolicy(cluster.named(`${name}-${suffix}`));
}

/**
 * The number of policies that change between the previous step and this step. The function `bring` creates, edits and
 * deletes these policies.
 */
export function changesAt(transition: Transition, step: number): number {
  const [before, after] = [stateAt(transition, step - 1), stateAt(transition, step)];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !isDeepStrictEqual(before[name], after[name])).length;
}

/** The pods of the transition. Each pod has the correct verdict for each state of the transition. */
export function attemptsOf(cluster: TestCluster, { name, admitted, refused }: Transition): Attempt[] {
  const attempt = (expected: Attempt['expected']) => (candidate: Candidate) => {
    const namespace = cluster.named(`${name}-${candidate.zone ?? 'a'}`);
    const as = candidate.creator === undefined ? {} : { as: serviceAccount(namespace, candidate.creator) };
    return { pod: candidate.pod, namespace, expected, ...as };
  };
  return [...admitted.map(attempt('admitted')), ...refused.map(attempt('refused'))];
}

function stateAt({ states }: Transition, step: number): State {
  return states[step % states.length] ?? {};
}

function specOf(cluster: TestCluster, name: string, { zone, accounts, ...rules }: Rules): CapabilityPolicySpec {
  const namespace = cluster.named(`${name}-a`);
  const subjects = accounts?.map((account) => ({ kind: 'ServiceAccount' as const, name: account, namespace }));
  return {
    namespaceSelector: { matchLabels: { team: name, ...(zone && { zone }) } },
    ...rules,
    ...(subjects && { subjects }),
  };
}
