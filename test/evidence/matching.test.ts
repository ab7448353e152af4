/** Tests how the pods of the evidence are matched with the workloads of the manifests. */
import assert from 'node:assert/strict';
import { EvidenceIndex } from '../../analysis/evidence/matching.ts';
import type { ObservedContainer, ObservedWorkload } from '../../analysis/evidence/use.ts';

function belongs(observed: Partial<ObservedContainer>, kind: string, name: string, labels = {}): boolean {
  const record = { namespace: 'shop', container: 'web', ...observed };
  const watch = { ...record, from: '2026-11-01T10:00:00.000Z', to: '2026-11-01T11:00:00.000Z', started: true };
  const index = new EvidenceIndex({ uses: [], watches: [watch] });
  return index.of('web', { kind, namespace: 'shop', name, labels }).watches.length === 1;
}

const LONG = 'a-name-as-long-as-kubernetes-lets-a-deployment-be-or-nearly';

describe('the name of a pod decides whether the pod belongs to a workload', () => {
  const rows: readonly [pod: string, kind: string, name: string, belongs: boolean][] = [
    ['web', 'Pod', 'web', true],
    ['web-2', 'Pod', 'web', false],
    ['web-x7k2q', 'Pod', 'web-*', true],
    ['web-5d9c7b8f6d-x7k2q', 'Deployment', 'web', true],
    ['web-5d9c7b8f6d-x7k2q', 'Deployment', 'we', false],
    ['web-5d9c7b8f6d-x7k2q', 'ReplicaSet', 'web-5d9c7b8f6d', true],
    ['web-api-5d9c7b8f6d-x7k2q', 'Deployment', 'web', false],
    ['web-api-5d9c7b8f6d-x7k2q', 'Deployment', 'web-api', true],
    ['web.v1-5d9c7b8f6d-x7k2q', 'Deployment', 'web.v1', true],
    ['webXv1-5d9c7b8f6d-x7k2q', 'Deployment', 'web.v1', false],
    ['web-x7k2q', 'Deployment', 'web', false],
    ['web-x7k2q', 'DaemonSet', 'web', true],
    ['web-aeiou', 'DaemonSet', 'web', false],
    ['web-0', 'StatefulSet', 'web', true],
    ['web-a', 'StatefulSet', 'web', false],
    ['web-x7k2q', 'Job', 'web', true],
    ['web-3-x7k2q', 'Job', 'web', true],
    ['web-29381234-x7k2q', 'CronJob', 'web', true],
    ['web-x7k2q', 'CronJob', 'web', false],
    ['web-x7k2q', 'ReplicationController', 'web', true],
    [`${LONG.slice(0, 58)}x7k2q`, 'Deployment', LONG, true],
    [`${LONG.slice(0, 58)}x7k2q`, 'Deployment', `${LONG.slice(0, 57)}`, false],
    [`${`${LONG.slice(0, 50)}-5d9c7b8f6d`.slice(0, 58)}x7k2q`, 'Deployment', LONG.slice(0, 50), true],
    ['prometheus-k8s-0', 'Prometheus', 'prometheus-k8s', true],
    ['web-canary-5d9c7b8f6d-x7k2q', 'Rollout', 'web-canary', true],
    ['website-0', 'Prometheus', 'web', false],
  ];
  for (const [pod, kind, name, expected] of rows) {
    it(`${pod} is ${expected ? '' : 'not '}of ${kind} ${name}`, () => {
      assert.equal(belongs({ pod }, kind, name), expected);
    });
  }
});

describe('the owner of a pod decides whether the pod belongs to a workload', () => {
  const rows: readonly [owner: ObservedWorkload, kind: string, name: string, belongs: boolean][] = [
    [{ kind: 'Deployment', name: 'web' }, 'Deployment', 'web', true],
    [{ kind: 'deployment', name: 'web' }, 'Deployment', 'web', true],
    [{ kind: 'Deployment', name: 'web' }, 'StatefulSet', 'web', false],
    [{ kind: 'ReplicaSet', name: 'web-5d9c7b8f6d' }, 'Deployment', 'web', true],
    [{ kind: 'ReplicaSet', name: 'web-api-5d9c7b8f6d' }, 'Deployment', 'web', false],
    [{ kind: 'Job', name: 'web-29381234' }, 'CronJob', 'web', true],
    [{ kind: 'Rollout', name: 'web' }, 'Rollout', 'web', true],
  ];
  for (const [workload, kind, name, expected] of rows) {
    it(`the pods of ${workload.kind} ${workload.name} are ${expected ? '' : 'not '}of ${kind} ${name}`, () => {
      assert.equal(belongs({ workload }, kind, name), expected);
    });
  }
});

describe('the labels of a pod decide whether the pod belongs to a custom resource', () => {
  const pod = { pod: 'whatever-0', podLabels: { app: 'web', revision: '3' } };
  it('if the pod has all labels of the template', () => assert.ok(belongs(pod, 'Service', 'web', { app: 'web' })));
  it('and not if one differs', () => assert.ok(!belongs(pod, 'Service', 'web', { app: 'web', revision: '2' })));
});

describe('the evidence of a container belongs to the container with the same name', () => {
  const index = new EvidenceIndex({
    uses: [],
    watches: [{ namespace: 'shop', pod: 'web', container: 'web', from: '', to: '', started: false }],
  });
  const of = (container: string, namespace: string) =>
    index.of(container, { kind: 'Pod', namespace, name: 'web', labels: {} }).watches.length;
  it('in the same namespace', () =>
    assert.deepEqual([of('web', 'shop'), of('web', 'other'), of('db', 'shop')], [1, 0, 0]));
});
