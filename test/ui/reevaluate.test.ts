/**
 * Tests the changes that edited policies make in the loaded snapshot. After each edit, the changes must equal the
 * changes of `cappol check --cluster --policy`.
 */
import assert from 'node:assert/strict';
import fc, { type Arbitrary } from 'fast-check';
import { changesOf } from '../../analysis/check/changes.ts';
import { PolicyContextBuilder } from '../../analysis/policies/context-builder.ts';
import { type Difference, differenceOf } from '../../analysis/snapshot/difference.ts';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import { PolicyState } from '../../operator/state/policy-state.ts';
import { createAnswers } from '../../ui/worker/answers.ts';
import { manifestsIn } from '../../ui/worker/check.ts';
import { Loaded } from '../../ui/worker/loaded.ts';
import { Reevaluation } from '../../ui/worker/reevaluate.ts';
import { snapshotTeller } from '../../ui/worker/tell-snapshot.ts';
import { arbitraryCluster } from '../snapshot/clusters.ts';
import { policyManifest } from '../support/policies.ts';
import { Random } from '../support/random.ts';
import { randomStream } from '../support/random-yaml.ts';
import { SEED } from '../support/seed.ts';
import { readWithout, takenSnapshot, withRightsForAll } from '../support/snapshots.ts';

/**
 * The number of clusters. The test uses a third of the usual number of clusters, because each cluster gets several
 * edits. Set FC_RUNS=1000 for the long form.
 */
const RUNS = Number(process.env.FC_RUNS ?? 20);

const OPTIONS = { operatorNamespace: 'capabilitypolicy-system', excludedNamespaces: ['kube-system'], context: 'one' };

/** The kinds of objects that the user may not read. In most cases, the user may read all objects. */
const unread = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  fc.subarray(['roles', 'roleBindings'] as ('roles' | 'roleBindings')[]),
);

describe(`evaluating a snapshot again after an edit (SEED=${SEED})`, function () {
  this.timeout(60_000 + RUNS * 1000);

  it(`gives the changes of cappol check --cluster --policy after each edit in ${3 * RUNS} random clusters`, async () => {
    const seen = { changes: 0, rollouts: 0, refused: 0, refusedToday: 0 };
    const property = fc.property(
      arbitraryCluster,
      unread,
      fc.boolean(),
      fc.boolean(),
      fc.array(edit(), { minLength: 1, maxLength: 3 }),
      (random, unreadable, hasOperator, hasRefused, edits) => {
        const objects = hasRefused ? withRefusedPods(random) : random;
        const { cluster, rights } = readWithout(unreadable, hasOperator ? withRecords(objects) : objects);
        const snapshot = takenSnapshot(cluster, OPTIONS, rights);
        const reevaluation = new Reevaluation(new Loaded(snapshot));
        for (const policies of edits) {
          const { refusals: _, ...changes } = reevaluation.changes({ policies });
          assert.deepEqual(changes, changesByCommand(readByCommand(cluster, unreadable), snapshot, policies));
          seen.changes += changes.changes.length;
          seen.rollouts += changes.summary.rollouts.length;
          seen.refusedToday += JSON.stringify(changes).includes('with these policies') ? 1 : 0;
          seen.refused += changes.namespaces.flatMap(({ refusedIfEnforced }) => refusedIfEnforced).length;
        }
      },
    );
    fc.assert(property, { seed: SEED, numRuns: 3 * RUNS });
    for (const [what, count] of Object.entries(seen)) assert.ok(count > RUNS / 10, `${count} ${what}`);
  });
});

describe(`evaluating a cluster that changes (SEED=${SEED})`, function () {
  this.timeout(60_000 + RUNS * 3000);

  it('each answer equals the answer about a snapshot that is loaded for the first time', () => {
    const seen = { changes: 0, differences: 0 };
    const property = fc.property(
      arbitraryCluster,
      fc.boolean(),
      fc.array(fc.record({ change: fc.constantFrom(...CHANGES), unreadable: unread, policies: edit() }), {
        minLength: 1,
        maxLength: 4,
      }),
      (first, hasOperator, steps) => {
        let cluster = first;
        let snapshot = takenSnapshot(cluster, OPTIONS);
        const following = createAnswers();
        following.load(snapshot);
        for (const { change, unreadable, policies } of steps) {
          following.reevaluate({ policies });
          cluster = change(cluster);
          const read = readWithout(unreadable, hasOperator ? withRecords(cluster) : cluster);
          const next = takenSnapshot(read.cluster, OPTIONS, read.rights);
          const difference = differenceOf(snapshot, next);
          if (difference) following.change(asSent(difference));
          const fresh = createAnswers();
          fresh.load(next);
          const answer = following.reevaluate({ policies });
          assert.deepEqual(answer, fresh.reevaluate({ policies }));
          seen.changes += answer.summary.changed;
          seen.differences += difference ? 1 : 0;
          snapshot = next;
        }
      },
    );
    fc.assert(property, { seed: SEED, numRuns: 3 * RUNS });
    for (const [what, count] of Object.entries(seen)) assert.ok(count > RUNS / 10, `${count} ${what}`);
  });

  it('if the worker has the previous snapshot, the page sends only the changes', () => {
    const asked: unknown[] = [];
    const tell = snapshotTeller((...question) => asked.push(question));
    const [one, other] = [{ context: 'one' }, { context: 'other' }] as Snapshot[];
    const difference = { fields: { context: 'one' } } as Difference;
    const next = { ...one } as Snapshot;
    const third = { ...one } as Snapshot;
    tell({ snapshot: one as Snapshot });
    tell({ snapshot: next, change: { before: one as Snapshot, difference } });
    tell({ snapshot: next });
    // The worker does not have the snapshot to which this change applies.
    tell({ snapshot: third, change: { before: { ...one } as Snapshot, difference } });
    tell({ snapshot: other as Snapshot });
    assert.deepEqual(asked, [
      ['load', one],
      ['change', difference],
      ['load', third],
      ['load', other],
    ]);
  });
});

/** A value in the form that the page receives from the server. */
function asSent<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value));
}

/** The changes of a cluster. The test makes one change at a time. */
const CHANGES: readonly ((cluster: Cluster) => Cluster)[] = [
  (cluster) => cluster,
  (cluster) => ({ ...cluster, pods: (namespace) => (namespace === 'net' ? [] : cluster.pods(namespace)) }),
  (cluster) => ({ ...cluster, workloads: (namespace) => [...cluster.workloads(namespace)].slice(1) }),
  (cluster) => ({
    ...cluster,
    namespaces: () => cluster.namespaces().map((one) => ({ ...one, labels: { ...one.labels, team: 'net' } })),
  }),
  (cluster) => withPolicies(cluster, cluster.policies().slice(1)),
  (cluster) =>
    withPolicies(
      cluster,
      cluster.policies().map((one) => ({ ...one, spec: { ...one.spec, level: 'restricted' } })),
    ),
  // Deletes a policy, and creates a policy with the same name and another text.
  (cluster) =>
    withPolicies(
      cluster,
      cluster
        .policies()
        .map((one) => ({ ...one, metadata: { ...one.metadata, uid: 'later' }, spec: { ...one.spec, priority: 7 } })),
    ),
  (cluster) => ({ ...cluster, roleBindings: () => [] }),
  (cluster) => ({ ...cluster, oldestServer: 30 }),
];

function withPolicies(cluster: Cluster, policies: ReturnType<Cluster['policies']>): Cluster {
  return {
    ...cluster,
    policies: () => policies,
    policy: (name) => policies.find(({ metadata }) => metadata?.name === name),
  };
}

/**
 * Adds the roles of the policies that an operator has in force. The roles record the specs that the operator accepted
 * last.
 */
function withRecords(cluster: Cluster): Cluster {
  const state = new PolicyState(cluster, { ...OPTIONS, now: () => Date.now() });
  state.accept();
  const rendered = [...state.compiled.grants.values()].map(({ role }) => role);
  return { ...cluster, rendered: () => rendered as never };
}

/** An API server refuses the pods of each workload. */
function withRefusedPods(cluster: Cluster): Cluster {
  const message = 'CapabilityPolicy p-0: capabilities: container "injected" must not add capability NET_ADMIN';
  const refused = { by: 'Program', message, at: 0 } as const;
  return {
    ...cluster,
    workloads: (namespace) => [...cluster.workloads(namespace)].map((one) => ({ ...one, refused })),
  };
}

function readByCommand(cluster: Cluster, unread: Parameters<typeof withRightsForAll>[1]): Cluster {
  const read = { roles: [...cluster.roles()], roleBindings: [...cluster.roleBindings()] };
  const { roles, roleBindings } = withRightsForAll(read, unread);
  return { ...cluster, roles: () => roles, roleBindings: () => roleBindings };
}

/**
 * The changes that `cappol check --cluster --policy` finds.
 * @param cluster the cluster of the snapshot
 */
function changesByCommand(cluster: Cluster, snapshot: Snapshot, policies: string) {
  const [live, changed] = [new PolicyContextBuilder(), new PolicyContextBuilder()];
  live.addCluster(cluster);
  changed.addCluster(cluster);
  for (const manifest of manifestsIn(policies, 'policies', () => {})) changed.addManifest(manifest, () => {});
  const { operatorNamespace, excludedNamespaces, taken } = snapshot;
  const { oldestServer } = cluster;
  const at = Date.parse(taken);
  const options = { operatorNamespace, excludedNamespaces, oldestServer, namespaceLabels: {}, at };
  const before = live.build(options, () => {});
  return changesOf({
    candidates: changed.stated,
    rollouts: changed.rollouts(changed.stated),
    before,
    after: (pending) => changed.build(options, () => {}, { pending, live: before }),
    enforced: changed.build(options, () => {}, { enforced: changed.stated, live: before }),
  });
}

/**
 * Edited policies as text: live policies, changed policies and new policies. Sometimes the text also has a namespace or
 * a role.
 */
function edit(): Arbitrary<string> {
  const one = fc.constantFrom;
  const policy = fc
    .record({
      name: one('p-0', 'p-1', 'p-2', 'p-3', 'new'),
      level: one('baseline', 'restricted', 'privileged'),
      // No API server enforces v1.99.
      levelVersion: one('latest', 'latest', 'latest', 'latest', 'v1.0', 'v1.99'),
      expires: one(undefined, undefined, undefined, undefined, '2000-01-01T00:00:00Z', '2100-01-01T00:00:00Z'),
      mode: one('Enforce', 'Enforce', 'Warn', 'Audit'),
      priority: one(0, 5, 9),
      namespaceSelector: one({}, { matchLabels: { team: 'net' } }, { matchLabels: { team: 'nobody' } }),
      rollout: one(undefined, undefined, { soak: '0s' }, { soak: '1h' }),
      usableBy: one('Everyone', 'Everyone', 'Bindings', 'Subjects'),
      user: one('default', 'other'),
      defaulting: one('Disabled', 'Enabled'),
    })
    .map(({ name, rollout, usableBy, user, expires, ...spec }) => {
      const subjects = [{ kind: 'ServiceAccount', name: user, namespace: 'net' }];
      const use = usableBy === 'Subjects' ? { usableBy, subjects } : { usableBy };
      const end = expires && { expires, reason: 'TICKET-1' };
      const begin = rollout && spec.mode === 'Enforce' && { rollout };
      return policyManifest({ name }, { ...spec, ...use, ...end, ...begin });
    });
  const label = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'web', labels: { team: 'net' } } };
  const beside = fc.oneof({ weight: 6, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.constant([label]) });
  const policies = fc.uniqueArray(policy, { maxLength: 3, selector: ({ metadata }) => metadata.name });
  return fc
    .tuple(policies, beside, fc.nat())
    .map(([some, more, seed]) => randomStream([...some, ...more], new Random(seed)));
}
