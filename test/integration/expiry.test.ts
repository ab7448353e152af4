/**
 * Tests `expires`. The API server ends a policy on time, and the operator removes the policy's remaining objects
 * afterwards.
 */
import assert from 'node:assert/strict';
import type { Json } from '../../hack/controlplane/api.ts';
import { formatTime } from '../../operator/policy/expiry.ts';
import { type Attempt, attemptsAround } from '../support/around-the-end.ts';
import { PODS, SECOND, useExpiring, wrong } from '../support/expiring.ts';
import { ADMITTED, eventually } from '../support/harness.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';

describe('the end of a policy', function () {
  this.timeout(240_000);
  const { cluster, namespace, exception, other, exceptionFor, endsSoon } = useExpiring('expiry');
  let end: number;

  async function eventsOf(policy: string, reason: string): Promise<Json[]> {
    const events = await cluster.api.list('/apis/events.k8s.io/v1/namespaces/default/events');
    const now = (event: Json) => event.regarding.name === policy && event.reason === reason;
    // On a slow machine, the policy may also have Events about earlier values of `expires`.
    return events.filter((event) => now(event) && event.note.includes(formatTime(end)));
  }

  describe('with the operator stopped', () => {
    let attempts: Attempt[];

    before(async () => {
      end = await endsSoon();
      await cluster.operator.stop();
      attempts = await attemptsAround(end, 2 * SECOND, cluster, namespace, PODS);
    });

    for (const way of [
      'dry run',
      'generateName',
      'a creationTimestamp of its own',
      'client-side apply',
      'server-side apply',
    ]) {
      it(`comes at the second for pods created by ${way}, and the policy of lower priority takes over`, () => {
        const mine = attempts.filter((attempt) => attempt.way === way);
        assert.deepEqual(
          mine.filter((attempt) => wrong(attempt, end)),
          [],
        );
        for (const pod of Object.keys(PODS)) {
          const both = mine.filter((attempt) => attempt.pod === pod);
          assert.ok(both.some(({ receivedAt }) => receivedAt < end) && both.some(({ sentAt }) => sentAt >= end), pod);
        }
      });
    }

    it('after the end, a refusal names only the policy that still decides', () => {
      const late = attempts.filter(({ sentAt, admitted }) => sentAt >= end && !admitted);
      assert.deepEqual(
        late.filter(({ message }) => message.includes(exception) || !message.includes(`CapabilityPolicy ${other}: `)),
        [],
      );
    });

    it('until an operator runs, pods that were created before the end are evaluated as before', async () => {
      const pods = await cluster.api.list(`${NAMESPACES}/${namespace}/pods`);
      const old = pods.find(({ metadata, spec }) => {
        const { add = [] } = spec.containers[0].securityContext.capabilities;
        return Date.parse(metadata.creationTimestamp) < end && add.includes('NET_RAW');
      });
      assert.ok(old);
      const debug = { ...old.spec.containers[0], name: 'debug' };
      const answer = await cluster.api.ask(
        'PATCH',
        `${NAMESPACES}/${namespace}/pods/${old.metadata.name}/ephemeralcontainers`,
        {
          body: { spec: { ephemeralContainers: [debug] } },
          contentType: 'application/strategic-merge-patch+json',
          query: { dryRun: 'All' },
        },
      );
      assert.equal(answer.status, 200, answer.body.message);
    });
  });

  describe('once an operator runs', () => {
    before(async () => {
      await cluster.operator.startAndWatch();
      await cluster.settled();
    });

    it('the operator removes all rows and grants of the expired policy', async () => {
      assert.deepEqual(await cluster.rendered(exception), []);
      assert.deepEqual(await cluster.having(exception), []);
    });

    it('the status shows the running pods that no policy admits after the end', async () => {
      const look = async () => {
        const { status } = await cluster.api.get(`${POLICIES}/${other}`);
        return status.violations?.some(({ message }: Json) => message.includes('NET_RAW'));
      };
      await eventually('the violations', look);
    });

    it('a condition, a column and one Event show the end even after a restart, and the policy is ready', async () => {
      const look = async () => (await cluster.condition(exception, 'Expired'))?.status === 'True';
      await eventually('the condition', look);
      const ready = await cluster.condition(exception, 'Ready');
      assert.deepEqual([ready?.status, ready?.reason], ['True', 'Expired']);
      assert.match(ready?.message ?? '', new RegExp(`^expired at ${formatTime(end)} and counts as deleted`));
      await cluster.operator.stop();
      await cluster.operator.startAndWatch();
      await cluster.settled();
      const events = await eventsOf(exception, 'Expired');
      assert.deepEqual(
        events.map(({ type, series }) => [type, series]),
        [['Warning', undefined]],
      );
      assert.match(events[0]?.note, /spec\.reason: until the test is over$/);
    });

    it('if a client replaces an object without its creation time, the stored creation time counts', async () => {
      await exceptionFor(end + 3_600 * SECOND);
      await cluster.programmed(exception, other);
      const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
      const metadata = { name: 'replaced' };
      const labels = { app: 'replaced' };
      const { spec } = PODS['both admit'] as { spec: object };
      const template = { metadata: { labels }, spec };
      const object = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata,
        spec: { selector: { matchLabels: labels }, template },
      };
      await cluster.api.create(path, object);
      const changed = { ...object, metadata: { ...metadata, annotations: { changed: 'yes' } } };
      const { status, warnings } = await cluster.api.ask('PUT', `${path}/replaced`, { body: changed });
      assert.equal(status, 200);
      // The ReplicaSet controller has no right to use the exception.
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? '', new RegExp(`CapabilityPolicy ${exception}: the pod complies, but neither`));
    });

    it('a later end, or no end, brings the policy back', async () => {
      for (const expires of [end + 3_600 * SECOND, undefined]) {
        await exceptionFor(expires);
        await cluster.programmed(exception, other);
        assert.equal(await cluster.admit(PODS['only the exception admits'], namespace), ADMITTED);
      }
      assert.equal(await cluster.condition(exception, 'Expired'), undefined);
    });
  });
});
