/** Tests on a real etcd that is restored while the operator runs, with and without a bump of the revision. */
import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../../hack/controlplane/api.ts';
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { findEtcdutl, restoreEtcd } from '../../hack/controlplane/etcdutl.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { ALPHA_FLAGS } from '../support/alpha.ts';
import { ADMITTED, conditionOf, eventually, OPERATOR_NAMESPACE, useCluster } from '../support/harness.ts';
import { baselinePod, privilegedPod } from '../support/pod-manifests.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';

const REVISIONS = 200;
const RIGHT_WITHIN_MS = 60_000;

const BUMP = 1_000_000_000;
/** The time in ms after which the leader has lost its Lease. */
const LOST_AFTER_MS = 5_000;
const SHORT_LEASE = [
  '--leader-elect',
  '--leader-elect-lease-duration=5s',
  '--leader-elect-renew-deadline=3s',
  '--leader-elect-retry-period=1s',
];

for (const [title, args, bumps] of [
  ['goes back without a bump of the revision, while the leader loses its Lease', SHORT_LEASE, false],
  ['goes back without a bump of the revision, without leader election', [], false],
  ['is restored by etcdutl --bump-revision', ['--leader-elect'], true],
] as const) {
  describe(`etcd ${title}`, function () {
    this.timeout(600_000);
    let controlPlane: ControlPlane | undefined;
    const start = async () => {
      controlPlane = await startControlPlane({ quiet: true, apiServerFlags: ALPHA_FLAGS });
      return controlPlane;
    };
    const cluster = useCluster(`rollback-${args.length}-${bumps}`, { controlPlane: start, args });
    after(() => controlPlane?.stop());

    const spec = (team: string, level: CapabilityPolicySpec['level']): CapabilityPolicySpec => ({
      namespaceSelector: { matchLabels: { team } },
      level,
      mode: 'Enforce',
    });

    let etcdutl = '';
    before(async () => {
      if (bumps) etcdutl = await findEtcdutl();
    });

    function putBack(copy: string, data: string): void {
      rmSync(data, { recursive: true });
      if (bumps) restoreEtcd(etcdutl, { db: `${copy}/member/snap/db`, dataDir: data, bumpRevision: BUMP });
      else cpSync(copy, data, { recursive: true });
    }

    const isTold = async () => {
      const { items } = await cluster.api.get('/apis/events.k8s.io/v1/namespaces/default/events');
      return items.some(
        ({ reason, type, regarding }: Json) =>
          reason === 'StorageWentBack' && type === 'Warning' && regarding.name === OPERATOR_NAMESPACE,
      );
    };

    it(`the running operator is right within a minute${bumps ? '' : ', and says so in a Warning Event'}`, async () => {
      const namespace = await cluster.namespace('old', { team: 'old' });
      const other = await cluster.namespace('new', { team: 'new' });
      const policy = await cluster.policy('old', spec('old', 'baseline'));
      await cluster.programmed(policy);
      const copy = `${cluster.controlPlane.dir}/copy`;
      await cluster.controlPlane.restartEtcd((data) => cpSync(data, copy, { recursive: true }));
      // Every write of a ConfigMap is a revision.
      for (let revision = 0; revision < REVISIONS; revision++)
        await cluster.api.apply(`${NAMESPACES}/${other}/configmaps/counter`, {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'counter' },
          data: { revision: String(revision) },
        });
      await cluster.policy('future', spec('new', 'restricted'));
      await cluster.programmed(cluster.named('future'));
      const revision = async () => Number((await cluster.api.get(NAMESPACES)).metadata.resourceVersion);
      const future = await revision();
      await cluster.controlPlane.restartEtcd(async (data) => {
        putBack(copy, data);
        if (args === SHORT_LEASE) await sleep(LOST_AFTER_MS);
      });
      const began = Date.now();
      const isBumped = (await revision()) >= BUMP;
      assert.deepEqual([isBumped, (await revision()) < future], [bumps, !bumps]);
      assert.equal((await cluster.api.ask('GET', `${POLICIES}/${cluster.named('future')}`)).status, 404);
      const left = () => RIGHT_WITHIN_MS - (Date.now() - began);
      const [tightened, added] = await Promise.all([
        cluster.policy('old', spec('old', 'restricted')),
        cluster.policy('new', spec('new', 'restricted')),
      ]);
      await eventually(
        'the tightened policy',
        async () => (await cluster.admit(baselinePod(), namespace)) !== ADMITTED,
        left(),
      );
      await eventually('the new policy', async () => (await cluster.admit(baselinePod(), other)) !== ADMITTED, left());
      await eventually(
        'right statuses',
        async () => {
          const both = await Promise.all([tightened, added].map((name) => cluster.api.get(`${POLICIES}/${name}`)));
          return both.every((one: Json) => {
            const ready = conditionOf(one, 'Ready');
            return ready?.status === 'True' && ready.observedGeneration === one.metadata.generation;
          });
        },
        left(),
      );
      if (!bumps) await eventually('the Event', isTold);
      for (let second = 0; second < 5; second++) {
        assert.notEqual(await cluster.admit(privilegedPod(), namespace), ADMITTED, `after ${second} s`);
        assert.notEqual(await cluster.admit(baselinePod(), other), ADMITTED, `after ${second} s`);
        await sleep(1_000);
      }
    });
  });
}
