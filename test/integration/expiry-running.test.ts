/** Tests the end of a policy while an operator runs. */
import assert from 'node:assert/strict';
import { attemptsAround } from '../support/around-the-end.ts';
import { PODS, SECOND, useExpiring, wrong } from '../support/expiring.ts';
import { ADMITTED, eventually } from '../support/harness.ts';
import { NAMESPACES } from '../support/rendered.ts';

const LABEL = 'pod-security.kubernetes.io/enforce';

describe('the end of a policy while an operator runs', function () {
  this.timeout(240_000);
  const { cluster, namespace, exception, endsSoon } = useExpiring('expiry-running');

  it('the policy ends at the exact second, and nothing is looser while the operator removes the objects', async () => {
    const end = await endsSoon();
    const [attempts] = await Promise.all([
      attemptsAround(end, 4 * SECOND, cluster, namespace, PODS),
      eventually('the condition', async () => (await cluster.condition(exception, 'Expired'))?.status === 'True'),
    ]);
    assert.deepEqual(
      attempts.filter((attempt) => wrong(attempt, end)),
      [],
    );
    await cluster.settled();
    assert.deepEqual(await cluster.rendered(exception), []);
    assert.deepEqual(await cluster.having(exception), []);
  });

  it('after the end of its last policy, a namespace has no policy and no label, as the condition Accepted warned', async () => {
    const alone = await cluster.namespace('alone', { team: 'alone' });
    const only = (expires: string) =>
      cluster.policy('only', {
        namespaceSelector: { matchLabels: { team: 'alone' } },
        level: 'restricted',
        mode: 'Enforce',
        expires,
      });
    const policy = await only('2999-12-31T00:00:00Z');
    await cluster.programmed(policy);
    assert.match(
      (await cluster.condition(policy, 'Accepted'))?.message ?? '',
      new RegExp(`no policy of mode Enforce decides in 1 namespace \\(${alone}\\)`),
    );
    assert.notEqual(await cluster.admit(PODS['none admits'], alone), ADMITTED);
    await only('2026-01-01T00:00:00Z');
    await eventually('the label to go', async () => {
      const { metadata } = await cluster.api.get(`${NAMESPACES}/${alone}`);
      return metadata.labels[LABEL] === undefined;
    });
    await cluster.settled();
    const look = async () => (await cluster.admit(PODS['none admits'], alone)) === ADMITTED;
    await eventually('the pod to be admitted', look);
  });
});
