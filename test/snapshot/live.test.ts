import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { CapabilityUse, Evidence } from '../../analysis/evidence/use.ts';
import { UsedCapabilities } from '../../analysis/evidence/used-capabilities.ts';
import { snapshotOf } from '../../cli/commands/snapshot/run.ts';
import { jsonChunks } from '../../cli/commands/ui/json-chunks.ts';
import { LiveEvidence } from '../../cli/commands/ui/live-evidence.ts';
import { LiveSnapshot } from '../../cli/commands/ui/live-snapshot.ts';
import { ofWorkloads } from '../../cli/evidence/cluster.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { Change, Cluster } from '../../operator/model/objects.ts';
import { runToEnd } from '../../operator/policy/run-to-end.ts';
import { adding } from '../support/pods.ts';
import { baselinePolicy } from '../support/policies.ts';
import { ALL_RIGHTS } from '../support/snapshots.ts';
import { clusterOf, wholeCluster, workloadView } from '../support/views.ts';
import { arbitraryCluster } from './clusters.ts';
import { resolved } from './resolved.ts';

const OPTIONS = { operatorNamespace: 'operator', excludedNamespaces: ['kube-*'], context: 'test' };

/** A cluster that can change into another cluster, as if somebody had edited the objects. */
class Turning {
  #current: Cluster;
  readonly cluster: Cluster;

  constructor(first: Cluster) {
    this.#current = first;
    const own = (key: string) => Reflect.get(this.#current, key);
    this.cluster = new Proxy({} as Cluster, { get: (_, key: string) => own(key) });
  }

  /** @returns the changes in the form in which the store reports them */
  into(next: Cluster): Change[] {
    const before = this.#current;
    this.#current = next;
    const named = (cluster: Cluster) => cluster.policies().map(({ metadata }) => metadata?.name ?? '');
    const policies = [...new Set([...named(before), ...named(next)])];
    const namespaces = [...new Set([before, next].flatMap((one) => one.namespaces().map(({ name }) => name)))];
    return [
      ...policies
        .filter((name) => !isDeepStrictEqual(before.policy(name), next.policy(name)))
        .map((name) => ({ of: 'policy', name }) as const),
      ...namespaces
        .filter((name) => !isDeepStrictEqual(before.namespace(name), next.namespace(name)))
        .map((name) => ({ of: 'namespace', name }) as const),
      ...(['pods', 'workloads'] as const).flatMap((list) =>
        namespaces
          .filter((name) => !isDeepStrictEqual([...before[list](name)], [...next[list](name)]))
          .map((namespace) => ({ of: list === 'pods' ? 'pod' : 'workload', namespace, name: 'any' }) as const),
      ),
    ];
  }
}

/** Evidence that each container used CHOWN or SYS_TIME. */
function someUse(cluster: Cluster): Evidence {
  const pods = cluster.namespaces().flatMap(({ name }) => [...cluster.pods(name)]);
  const uses = pods.flatMap(({ namespace, name: pod, spec }, index) =>
    spec.containers.map(
      ({ name: container }): CapabilityUse => ({
        namespace,
        pod,
        container,
        capability: index % 2 === 0 ? 'CHOWN' : 'SYS_TIME',
        outcome: 'granted',
        count: 1,
      }),
    ),
  );
  return { uses, watches: [] };
}

function merged(a: Evidence, b: Evidence): Evidence {
  return { uses: [...a.uses, ...b.uses], watches: [...a.watches, ...b.watches] };
}

describe('a live snapshot', () => {
  it('after each change, a live snapshot equals a new snapshot of the cluster', () => {
    const evaluator = new Evaluator();
    const seen = { used: 0 };
    fc.assert(
      fc.property(fc.array(arbitraryCluster, { minLength: 2, maxLength: 6 }), fc.boolean(), (clusters, usersKnown) => {
        const [first, ...others] = clusters;
        const rights = { ...ALL_RIGHTS, usersKnown };
        const turning = new Turning(first as Cluster);
        const records = clusters.map(someUse).reduce(merged, { uses: [], watches: [] });
        const live = new LiveSnapshot(turning.cluster, rights, { ...OPTIONS, evidence: new LiveEvidence(records, {}) });
        runToEnd(live.taking());
        for (const next of others) {
          for (const change of turning.into(next)) live.apply(change);
          const evidence = new UsedCapabilities(ofWorkloads(records, turning.cluster), {});
          const expected = snapshotOf(turning.cluster, rights, { ...OPTIONS, evidence }, evaluator);
          assert.deepEqual(resolved(runToEnd(live.taking())), resolved(expected));
          seen.used += expected.namespaces.flatMap(({ used = [] }) => used).length;
        }
      }),
      { numRuns: 40 },
    );
    assert.ok(seen.used > 100, `${seen.used}`);
  });

  it('a live snapshot forgets a shape when nothing refers to the shape', () => {
    const namespaces = [{ name: 'net', uid: 'net', terminating: false, labels: {}, labelOwners: {} }];
    const of = (index: number) => {
      const template = adding([`CAP_${index}`]);
      return wholeCluster(
        clusterOf([workloadView('Deployment', 'web', { template })]),
        [baselinePolicy('p')],
        namespaces,
      );
    };
    const turning = new Turning(of(0));
    const live = new LiveSnapshot(turning.cluster, ALL_RIGHTS, OPTIONS);
    let most = 0;
    for (let index = 1; index < 1_500; index++) {
      for (const change of turning.into(of(index))) live.apply(change);
      const { shapes, namespaces: taken } = runToEnd(live.taking());
      most = Math.max(most, shapes.length);
      assert.deepEqual(shapes[taken[0]?.controllers[0]?.shape ?? -1]?.capabilities[0]?.add, [`CAP_${index}`]);
    }
    assert.ok(most > 100 && most < 1_200, `${most}`);
  });
});

describe('JSON in chunks', () => {
  it('is the same text', () => {
    const values = fc.oneof(
      fc.jsonValue(),
      fc.record({ a: fc.option(fc.jsonValue(), { nil: undefined }), b: fc.jsonValue() }),
    );
    fc.assert(
      fc.property(values, (value) => {
        assert.equal([...jsonChunks(value)].join(''), JSON.stringify(value));
      }),
    );
  });

  it('has no chunk that is much larger than 64 KiB', () => {
    const list = Array.from({ length: 5_000 }, (_, index) => ({ name: `namespace-${index}`, text: 'x'.repeat(1_000) }));
    const chunks = [...jsonChunks({ difference: { namespaces: { put: list } } })];
    assert.ok(chunks.length > 50);
    assert.ok(chunks.every(({ length }) => length < 80 * 1024));
  });
});
