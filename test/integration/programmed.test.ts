import assert from 'node:assert/strict';
import type { CapabilityPolicyOverrides, CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { ADMITTED, eventually, isProgrammed, useCluster } from '../support/harness.ts';
import { restrictedPod } from '../support/pod-manifests.ts';
import { Random } from '../support/random.ts';
import { POLICIES } from '../support/rendered.ts';

const CHANGES = 25;
/**
 * The capabilities that changes admit. Each change admits a capability that was not admitted by the last three changes.
 */
const CAPABILITIES = ['NET_RAW', 'SYS_TIME', 'SYS_NICE', 'SYS_CHROOT', 'NET_ADMIN'];

describe('the condition Programmed', () => {
  const cluster = useCluster('programmed');

  function admitting(team: string, allowedAdd: readonly string[], rest: object = {}): CapabilityPolicySpec {
    const overrides = { privileged: false, capabilities: { allowedAdd } } as CapabilityPolicyOverrides;
    return { namespaceSelector: { matchLabels: { team } }, level: 'privileged', mode: 'Enforce', overrides, ...rest };
  }

  it(`never says True before the API server decides by the newest text, over ${CHANGES} quick changes`, async function () {
    this.timeout(300_000);
    const random = new Random();
    const namespace = await cluster.namespace('quick', { team: 'quick' });
    let changes = 0;
    let seenTrue = 0;
    const change = () => cluster.policy('quick', admitting('quick', [capabilityOf(changes)]));
    const policy = await change();
    await cluster.programmed(policy);

    const look = async () => {
      const before = await cluster.api.get(`${POLICIES}/${policy}`);
      if (!isProgrammed(before)) return false;
      const answers = await Promise.all(
        CAPABILITIES.map((capability) => cluster.admit(restrictedPod({ add: [capability] }), namespace)),
      );
      const after = await cluster.api.get(`${POLICIES}/${policy}`);
      // If the policy has changed since the first answer, the answers may result from different specs of the policy.
      if (after.metadata.generation !== before.metadata.generation) return false;
      seenTrue++;
      const message = `seed ${random.seed}, generation ${before.metadata.generation}: ${answers.find((one) => one !== ADMITTED)}`;
      const admitted = CAPABILITIES.filter((_, i) => answers[i] === ADMITTED);
      assert.deepEqual(admitted, before.spec.overrides.capabilities.allowedAdd, message);
      return true;
    };
    while (changes < CHANGES) {
      changes++;
      await change();
      // Some changes happen while the operator still brings the previous change into force. Other changes happen later.
      const until = Date.now() + random.int(400);
      const waits = random.int(3) === 0;
      if (waits) await eventually('the change to be seen in force', look, 60_000);
      else while (Date.now() < until) await look();
    }
    await eventually('the last change to be seen in force', look, 60_000);
    console.log(`      seed ${random.seed}: ${changes} changes, looked at ${seenTrue} times while True`);
    assert.ok(seenTrue >= CHANGES / 5, `True was seen ${seenTrue} times only`);
  });

  it('Programmed is True for a new policy only when the policy takes part in the decisions of its namespaces', async () => {
    const namespace = await cluster.namespace('shared', { team: 'shared' });
    await cluster.programmed(await cluster.policy('shared', admitting('shared', ['NET_RAW'])));
    for (let i = 0; i < 3; i++) {
      const policy = await cluster.policy('another', admitting('shared', ['SYS_TIME'], { priority: i % 2 }));
      await cluster.programmed(policy);
      assert.equal(await cluster.admit(restrictedPod({ add: ['SYS_TIME'] }), namespace), ADMITTED);
      const known = await cluster.admit(restrictedPod({ add: ['NET_RAW'] }), namespace);
      assert.equal(known === ADMITTED, i % 2 === 0, known);
      await cluster.deletePolicy(policy);
      await cluster.settled();
    }
  });

  it('Programmed is True for new subjects only when the subjects may use the policy', async () => {
    const namespace = await cluster.namespace('subjects', { team: 'subjects' });
    const accounts = ['one', 'other'];
    for (const account of accounts) await cluster.serviceAccount(namespace, account);
    for (let i = 0; i < 4; i++) {
      const name = accounts[i % 2] ?? '';
      const subjects = [{ kind: 'ServiceAccount', name, namespace }];
      const policy = await cluster.policy('subjects', admitting('subjects', [], { usableBy: 'Subjects', subjects }));
      await cluster.programmed(policy);
      for (const account of accounts) {
        const answer = await cluster.admit(restrictedPod({ serviceAccountName: account }), namespace);
        assert.equal(answer === ADMITTED, account === name, `change ${i}, ${account}: ${answer}`);
      }
    }
  });

  it('Programmed is True only when no Pod Security label refuses pods that the policy admits', async () => {
    const namespace = await cluster.namespace('labels', { team: 'labels' });
    const pod = restrictedPod({ add: ['NET_RAW'] });
    for (let i = 0; i < 4; i++) {
      const strict = i % 2 === 0;
      const policy = await cluster.policy(
        'labels',
        strict
          ? { namespaceSelector: { matchLabels: { team: 'labels' } }, level: 'restricted', mode: 'Enforce' }
          : admitting('labels', ['NET_RAW']),
      );
      await cluster.programmed(policy);
      const answer = await cluster.admit(pod, namespace);
      assert.equal(answer === ADMITTED, !strict, answer);
    }
  });

  it('Programmed is False for a policy that is not accepted', async () => {
    const policy = await cluster.policy('refused', { ...admitting('refused', []), levelVersion: 'v1.99' });
    await eventually('Accepted=False', async () => (await cluster.condition(policy, 'Accepted'))?.status === 'False');
    const condition = await cluster.condition(policy, 'Programmed');
    assert.equal(condition?.status, 'False');
    assert.equal(condition?.reason, 'NotAccepted');
  });

  function capabilityOf(change: number): string {
    return CAPABILITIES[change % CAPABILITIES.length] ?? '';
  }
});
