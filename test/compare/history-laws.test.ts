/** Tests laws that every history of a cluster obeys, with random clusters and with large clusters. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { explainedTopics } from '../../analysis/explain/explained.ts';
import { type History, historyOf } from '../../analysis/history/history.ts';
import { momentOf, withSharedShapes } from '../../analysis/history/moment.ts';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { restoreCluster } from '../../analysis/snapshot/restore.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import { arbitraryCluster } from '../snapshot/clusters.ts';
import { largeCluster } from '../support/large-cluster.ts';
import { TAKING, takenSnapshot } from '../support/snapshots.ts';
import { changesOf, MONDAY, NOTHING } from './worlds.ts';

function nameOfGrant({ policy, path, entry = '' }: History['exceptions']['unused'][number]): string {
  return `${policy} ${path} ${entry}`;
}

describe('the history of a cluster', () => {
  it('the history from a cluster to itself is empty, and the reverse history has the reverse changes', () => {
    const seen = { gained: 0, exceptions: 0, enforced: 0 };
    const at = (cluster: Cluster, time: number) => takenSnapshot(cluster, { ...TAKING, at: time });
    fc.assert(
      fc.property(arbitraryCluster, arbitraryCluster, (one, other) => {
        const [a, b] = [at(one, MONDAY), at(other, MONDAY)];
        const [there, back] = [historyOf(a, b), historyOf(b, a)];
        assert.deepEqual(changesOf(historyOf(a, a)), NOTHING);
        assert.deepEqual(there.workloads, { came: back.workloads.gone, gone: back.workloads.came });
        assert.deepEqual(there.capabilities, { gained: back.capabilities.lost, lost: back.capabilities.gained });
        const { enforced, notEnforced } = back.namespaces;
        assert.deepEqual(there.namespaces, { enforced: notEnforced, notEnforced: enforced });
        const identities = (list: readonly { because: string }[]) => list.map(({ because: _, ...rest }) => rest);
        assert.deepEqual(identities(there.exceptions.new), identities(back.exceptions.ended));
        assert.deepEqual(identities(there.exceptions.ended), identities(back.exceptions.new));
        const unused = back.exceptions.unused.map(nameOfGrant);
        for (const one of there.exceptions.neededAgain) assert.ok(unused.includes(nameOfGrant(one)), nameOfGrant(one));
        if (there.capabilities.gained.length > 0) seen.gained += 1;
        if (there.exceptions.new.length > 0) seen.exceptions += 1;
        if (there.namespaces.enforced.length > 0) seen.enforced += 1;
      }),
      { numRuns: 100 },
    );
    assert.ok(
      Object.values(seen).every((count) => count > 5),
      JSON.stringify(seen),
    );
  });

  it('the history has the same capabilities as `cappol explain` counts in each cluster', () => {
    const evaluator = new Evaluator();
    /** The capabilities that containers hold, as texts. */
    const explained = (snapshot: Snapshot): ReadonlySet<string> => {
      const moment = momentOf(snapshot, evaluator);
      const { state } = moment;
      const asked = { ...moment, evaluation: { evaluator, use: state.use }, installed: true, missing: [] };
      const topics = CAPABILITIES.map((name) => ({ kind: 'Capability' as const, name }));
      const found = explainedTopics(topics, asked).topics.flatMap(({ name: capability, found }) =>
        found.map(({ namespace, kind, name, container, inUserNamespace }) =>
          JSON.stringify([namespace, kind, name, container, inUserNamespace, capability]),
        ),
      );
      return new Set(found);
    };
    const listed = (changes: History['capabilities']['gained']) =>
      changes.flatMap(({ namespace, kind, name, container, inUserNamespace, capabilities }) =>
        capabilities.map((one) => JSON.stringify([namespace, kind, name, container, inUserNamespace, one])),
      );
    fc.assert(
      fc.property(arbitraryCluster, arbitraryCluster, (one, other) => {
        const [a, b] = [takenSnapshot(one), takenSnapshot(other)];
        const { gained, lost } = historyOf(a, b).capabilities;
        const [before, after] = [explained(a), explained(b)];
        assert.deepEqual(new Set(listed(gained)), after.difference(before));
        assert.deepEqual(new Set(listed(lost)), before.difference(after));
      }),
      { numRuns: 15 },
    );
  });

  it('the history restores and evaluates a pod only once if both snapshots have the pod', () => {
    const sizes = { pods: 1_000, namespaces: 50, policies: 10 };
    const [a, b] = [largeCluster(sizes), largeCluster({ ...sizes, pods: 900 })].map((one) => takenSnapshot(one));
    const specsIn = (snapshot: Snapshot) => {
      const cluster = restoreCluster(snapshot);
      return cluster.namespaces().flatMap(({ name }) => [...cluster.pods(name)].map(({ spec }) => spec));
    };
    const distinct = (snapshots: readonly (Snapshot | undefined)[]) =>
      new Set(snapshots.flatMap((one) => specsIn(one as Snapshot))).size;
    assert.equal(distinct(withSharedShapes(a as Snapshot, b as Snapshot)), distinct([a]));
    assert.equal(distinct([a, b]), distinct([a]) + distinct([b]));
  });

  it('the history does not depend on the order of the objects', () => {
    fc.assert(
      fc.property(arbitraryCluster, arbitraryCluster, (one, other) => {
        const reversed = (cluster: Cluster): Cluster => ({
          ...cluster,
          policies: () => cluster.policies().toReversed(),
          workloads: (namespace) => [...cluster.workloads(namespace)].reverse(),
          pods: (namespace) => [...cluster.pods(namespace)].reverse(),
        });
        const [a, b] = [takenSnapshot(one), takenSnapshot(other)];
        assert.deepEqual(historyOf(a, takenSnapshot(reversed(other))), historyOf(a, b));
      }),
      { numRuns: 30 },
    );
  });
});
