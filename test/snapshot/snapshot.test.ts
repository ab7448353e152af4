import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { evaluateCluster } from '../../analysis/policies/evaluate-cluster.ts';
import { restoreCluster } from '../../analysis/snapshot/restore.ts';
import type { NamespaceVerdicts } from '../../operator/evaluate/namespace.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import type { RawObject } from '../../operator/model/raw.ts';
import { createProjection } from '../../operator/projection/projection.ts';
import { RULES } from '../../operator/rules/index.ts';
import { lastAccepted } from '../../operator/state/accepted-specs.ts';
import { PolicyState } from '../../operator/state/policy-state.ts';
import { adding } from '../support/pods.ts';
import { baselinePolicy } from '../support/policies.ts';
import { TAKING, takenSnapshot } from '../support/snapshots.ts';
import { clusterOf, ownedBy, podView, wholeCluster, workloadView } from '../support/views.ts';
import { arbitraryCluster } from './clusters.ts';

const evaluator = new Evaluator();

const isSnapshot = new Ajv({ strict: true, strictRequired: false }).compile(
  JSON.parse(readFileSync('docs/reference/snapshot.schema.json', 'utf8')),
);

function evaluated(cluster: Cluster): NamespaceVerdicts[] {
  const state = new PolicyState(cluster, { ...TAKING, now: () => 0 });
  state.accept();
  return [...evaluateCluster(cluster, state, { evaluator, use: state.use })];
}

/** A copy of the value without UIDs. A snapshot has no UIDs. */
function withoutUids<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value, (key, part) => (key === 'uid' ? undefined : part)));
}

function clusterWith(objects: Parameters<typeof clusterOf>, policies: ReturnType<typeof baselinePolicy>[]): Cluster {
  const namespaces = [{ name: 'net', uid: 'net', terminating: false, labels: {}, labelOwners: {} }];
  return wholeCluster(clusterOf(...objects), policies, namespaces);
}

describe('snapshot', () => {
  it('the restored cluster gets the same verdicts as the original cluster', () => {
    fc.assert(
      fc.property(arbitraryCluster, (cluster) => {
        assert.deepEqual(
          withoutUids(evaluated(restoreCluster(takenSnapshot(cluster)))),
          withoutUids(evaluated(cluster)),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('if a namespace is unchanged but the shapes of the snapshot differ, the restored pods have the new shapes', () => {
    const pods = [podView('a', adding(['CHOWN'])), podView('b', adding(['SYS_ADMIN']))];
    const snapshot = takenSnapshot(clusterWith([[], pods], []));
    const specsIn = (one: typeof snapshot) => [...restoreCluster(one).pods('net')].map(({ spec }) => spec);
    const [first, second] = specsIn(snapshot);
    assert.notDeepEqual(first, second);
    assert.deepEqual(specsIn({ ...snapshot, shapes: snapshot.shapes.toReversed() }), [second, first]);
  });

  it('the restored cluster has the refusals of the original cluster', () => {
    const refused = { by: 'PodSecurity', message: 'violates PodSecurity "baseline:latest": no', at: 7 } as const;
    const workloads = [workloadView('DaemonSet', 'agent', { refused }), workloadView('DaemonSet', 'other')];
    const original = clusterWith([workloads], [baselinePolicy('it', { mode: 'Enforce' })]);
    const snapshot = takenSnapshot(original);
    assert.ok(isSnapshot(snapshot), JSON.stringify(isSnapshot.errors));
    assert.deepEqual(
      snapshot.namespaces[0]?.verdicts.map(({ name, verdict }) => [name, verdict]),
      [
        ['agent', 'Violating'],
        ['other', 'Compliant'],
      ],
    );
    assert.deepEqual(withoutUids(evaluated(restoreCluster(snapshot))), withoutUids(evaluated(original)));
  });

  it('the snapshot states the verdicts on each workload, by mode', () => {
    fc.assert(
      fc.property(arbitraryCluster, (cluster) => {
        const { namespaces, violations } = takenSnapshot(cluster);
        for (const { namespace, modes } of evaluated(cluster)) {
          const { verdicts = [] } = namespaces.find(({ name }) => name === namespace) ?? {};
          const expected = Object.entries(modes).flatMap(([mode, { workloads }]) =>
            workloads.map(({ kind, name, verdict, violations: broken }) => [mode, kind, name, verdict, broken]),
          );
          const stated = verdicts.map(({ mode, kind, name, verdict, violations: broken = {} }) => {
            const entries = Object.entries(broken).map(([policy, list]) => [
              policy,
              list.map((one) => violations[one]),
            ]);
            return [mode, kind, name, verdict, Object.fromEntries(entries)];
          });
          assert.deepEqual(stated, expected);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('is what its JSON schema describes', () => {
    fc.assert(
      fc.property(arbitraryCluster, (cluster) => {
        assert.ok(isSnapshot(takenSnapshot(cluster)), JSON.stringify(isSnapshot.errors?.slice(0, 3)));
      }),
      { numRuns: 50 },
    );
  });

  it('the snapshot keeps the last accepted spec of a policy with a refused edit', () => {
    const refused = baselinePolicy('refused', { mode: 'Enforce', levelVersion: 'v1.99' });
    const earlier = baselinePolicy('refused', { mode: 'Enforce', level: 'restricted' });
    const cluster = clusterWith([[workloadView('Deployment', 'web', { template: adding(['CHOWN']) })]], [earlier]);
    const before = new PolicyState(cluster, { ...TAKING, now: () => 0 });
    before.accept();
    const rendered = [...before.compiled.grants.values()].map(({ role }) => role);
    const edited = { ...cluster, policies: () => [refused], policy: () => refused, rendered: () => rendered as never };
    const snapshot = takenSnapshot(edited);
    assert.deepEqual(snapshot.policies[0]?.accepted, earlier.spec);
    assert.deepEqual(evaluated(restoreCluster(snapshot)), evaluated(edited));
    assert.equal(evaluated(edited)[0]?.modes.Enforce?.workloads[0]?.verdict, 'Violating');
  });

  it('the restored cluster has records of the specs that the operator has in force, and of no other specs', () => {
    const policies = [
      baselinePolicy('in-force', { mode: 'Enforce' }),
      baselinePolicy('refused', { mode: 'Enforce', levelVersion: 'v1.99' }),
    ];
    const cluster = clusterWith([[]], policies);
    const state = new PolicyState(cluster, { ...TAKING, now: () => 0 });
    state.accept();
    const rendered = [...state.compiled.grants.values()].map(({ role }) => role) as never;
    const recordsOf = (one: Cluster) => [...lastAccepted(restoreCluster(takenSnapshot(one)).rendered()).keys()];
    assert.deepEqual(recordsOf({ ...cluster, rendered: () => rendered }), ['uid-of-in-force']);
    // Without an operator, no program is in force yet.
    assert.deepEqual(recordsOf(cluster), []);
  });

  it('has no environment variables, Secrets, pull secrets, commands or annotations', () => {
    const secret = 's3cret-value';
    const projection = createProjection(RULES);
    const spec = {
      imagePullSecrets: [{ name: secret }],
      volumes: [
        {
          name: 'a',
          csi: { driver: 'd', volumeAttributes: { password: secret }, nodePublishSecretRef: { name: secret } },
        },
        { name: 'b', secret: { secretName: secret } },
      ],
      containers: [
        {
          name: 'app',
          image: 'registry/app:1',
          command: [secret],
          args: [secret],
          env: [{ name: 'TOKEN', value: secret }],
          envFrom: [{ secretRef: { name: secret } }],
          lifecycle: { preStop: { exec: { command: [secret] } } },
          livenessProbe: {
            httpGet: { host: '10.0.0.1', path: secret, httpHeaders: [{ name: 'Authorization', value: secret }] },
          },
          readinessProbe: { exec: { command: [secret] } },
        },
      ],
    };
    const metadata = { namespace: 'net', uid: secret, annotations: { note: secret } };
    const template = { metadata: { annotations: { note: secret } }, spec };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'a' }, spec };
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { ...metadata, name: 'b' },
      spec: { template },
    };
    const cluster = clusterWith(
      [[projection.workload(deployment as RawObject)], [projection.pod(pod as RawObject)]],
      [{ ...baselinePolicy('baseline'), metadata: { name: 'baseline', uid: 'u', annotations: { last: secret } } }],
    );
    const snapshot = takenSnapshot(cluster);
    assert.equal(snapshot.shapes.length, 1);
    const leaks = JSON.stringify(snapshot, null, 1)
      .split('\n')
      .filter((line) => line.includes(secret));
    assert.deepEqual(leaks, []);
  });

  it('the snapshot counts equal pods, and names pods without an owner', () => {
    const template = adding(['NET_RAW']);
    const workload = workloadView('StatefulSet', 'web', { template });
    const owned = ['web-0', 'web-1'].map((name) => podView(name, { ...template, ...ownedBy('StatefulSet', 'web') }));
    const single = ['one', 'two'].map((name) => podView(name, template));
    const [namespace] = takenSnapshot(clusterWith([[workload], [...owned, ...single]], [])).namespaces;
    assert.deepEqual(
      namespace?.pods.map(({ name, count }) => [name, count]),
      [
        ['web-0', 2],
        ['one', 1],
        ['two', 1],
      ],
    );
  });

  it('for each container, the snapshot states the capabilities that each runtime gives, and the findings', () => {
    const [shape] = takenSnapshot(
      clusterWith([[workloadView('Deployment', 'web', { template: adding(['NET_ADMIN']) })]], []),
    ).shapes;
    const [capabilities] = shape?.capabilities ?? [];
    assert.deepEqual(capabilities?.add, ['NET_ADMIN']);
    assert.ok(
      Object.values(capabilities?.held ?? {}).every((held) => Array.isArray(held) && held.includes('NET_ADMIN')),
    );
    assert.ok(shape?.findings.some(({ reason }) => reason === 'HeldByRuntimeDefault'));
  });
});
