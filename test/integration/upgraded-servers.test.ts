/** The last API server below 1.36 is upgraded: admission policies with variables replace those without. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Api, type Json } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicyOverrides, CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import type { Rollout } from '../../operator/apply/rollout.ts';
import type { Compiled } from '../../operator/compile/compile.ts';
import { sharedControlPlane } from '../support/control-plane.ts';
import { allowCreators, CREATOR } from '../support/harness.ts';
import { describeIfOffered } from '../support/needs.ts';
import { restrictedPod } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { verdictOf } from '../support/verdict.ts';
import { useRolloutPlace } from './rollout-place.ts';

const TEAM = 'upgraded-servers-team';
const [BASE, EXCEPTION, ABOVE] = ['upgraded-base', 'upgraded-exception', 'upgraded-above'];
const NAMES = [BASE, EXCEPTION, ABOVE];
const [OLDER, NEWER] = [35, 36];

/** With the answer that is right in either form. */
const PODS = [
  { title: 'a compliant pod', pod: restrictedPod(), expected: 'admitted' },
  {
    title: 'a pod of the exception',
    pod: restrictedPod({ add: ['NET_RAW'], serviceAccountName: 'pinger' }),
    expected: 'admitted',
  },
  { title: 'the same pod of another service account', pod: restrictedPod({ add: ['NET_RAW'] }), expected: 'refused' },
  {
    title: 'a pod beyond the exception',
    pod: restrictedPod({ add: ['SYS_TIME'], serviceAccountName: 'pinger' }),
    expected: 'refused',
  },
];

describeIfOffered('admissionVariables', 'when the last API server below 1.36 is upgraded', function () {
  this.timeout(180_000);
  const place = useRolloutPlace('upgraded-servers', NAMES);
  const surprises: string[] = [];
  let api: Api;
  let rollout: Rollout;
  let tried = 0;
  let stopped = false;
  let clients: Promise<unknown>;

  before(async () => {
    api = new Api((await sharedControlPlane()).kubeconfig);
    await allowCreators(api);
    await api.create(NAMESPACES, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: TEAM, labels: { team: TEAM } },
    });
    for (const name of ['default', 'pinger']) {
      const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } };
      await api.apply(`${NAMESPACES}/${TEAM}/serviceaccounts/${name}`, account);
    }
    rollout = place.rollout(() => {});
  });

  after(async () => {
    stopped = true;
    await clients;
    await api.remove(`${NAMESPACES}/${TEAM}`);
    await api.close();
  });

  it('every policy gets another admission policy, and no pod meets a gap', async () => {
    const [older, newer] = [place.compiled(specs(), OLDER), place.compiled(specs(), NEWER)];
    await inForce(older);
    assert.deepEqual(await withVariables(), []);
    clients = Promise.all(PODS.map(tryForever));
    await enough();
    await inForce(newer);
    await enough();
    assert.deepEqual(surprises, []);
    const standing = (await admissionPolicies()).map(({ metadata }) => metadata.name);
    assert.deepEqual(await withVariables(), standing);
    assert.ok(standing.length > NAMES.length, 'the guard is among them');
  });

  async function inForce(compiled: Compiled): Promise<void> {
    assert.equal(compiled.refusals.size, 0);
    for (;;) {
      const { outcomes } = await rollout.pass(compiled, await place.rendered());
      if (NAMES.every((name) => outcomes.get(name)?.state === 'InForce')) return;
      await sleep(50);
    }
  }

  /** Each pod, several times more. */
  async function enough(): Promise<void> {
    const until = tried + 10 * PODS.length;
    while (tried < until) await sleep(20);
  }

  async function tryForever({ title, pod, expected }: (typeof PODS)[number]): Promise<void> {
    const path = `${NAMESPACES}/${TEAM}/pods`;
    while (!stopped) {
      const answer = await api.ask('POST', path, { body: pod, as: CREATOR, query: { dryRun: 'All' } });
      tried++;
      if (verdictOf(answer) !== expected) surprises.push(`${title}: ${answer.body.message ?? 'admitted'}`);
    }
  }

  async function admissionPolicies(): Promise<Json[]> {
    const objects: Json[] = await place.rendered();
    return objects.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy');
  }

  async function withVariables(): Promise<string[]> {
    return (await admissionPolicies()).filter(({ spec }) => spec.variables).map(({ metadata }) => metadata.name);
  }
});

function specs(): Record<string, Partial<CapabilityPolicySpec>> {
  const namespaceSelector = { matchLabels: { team: TEAM } };
  const level = { namespaceSelector, level: 'restricted', levelVersion: 'v1.30', mode: 'Enforce' } as const;
  const overrides = { capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'NET_RAW'] } } as CapabilityPolicyOverrides;
  const subjects = [{ kind: 'ServiceAccount' as const, namespace: TEAM, name: 'pinger' }];
  return {
    [BASE]: level,
    [EXCEPTION]: { ...level, overrides, usableBy: 'Subjects', subjects },
    // Decides elsewhere, so that the others contain it.
    [ABOVE]: { ...level, priority: 5, namespaceSelector: { matchLabels: { team: TEAM, tier: 'other' } } },
  };
}
