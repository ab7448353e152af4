import assert from 'node:assert/strict';
import { topController } from '../../operator/evaluate/workloads.ts';
import { clusterOf, ownedBy, podView, workloadView } from '../support/views.ts';

describe('the controller that a person would edit', () => {
  const cluster = clusterOf([
    workloadView('Deployment', 'web'),
    workloadView('ReplicaSet', 'web-1', ownedBy('Deployment', 'web')),
    workloadView('CronJob', 'backup'),
    workloadView('Job', 'backup-1', ownedBy('CronJob', 'backup')),
    workloadView('ReplicaSet', 'shop-1', ownedBy('Rollout', 'shop', 'argoproj.io/v1alpha1')),
    workloadView('ReplicaSet', 'orphan', ownedBy('Deployment', 'gone')),
    workloadView('DaemonSet', 'agent', ownedBy('Deployment', 'web')),
    workloadView('StatefulSet', 'prometheus-k8s', ownedBy('Prometheus', 'k8s', 'monitoring.coreos.com/v1')),
    workloadView('Job', 'a', ownedBy('Job', 'b')),
    workloadView('Job', 'b', ownedBy('Job', 'a')),
    { ...workloadView('Deployment', 'renewed'), uid: 'another' },
  ]);
  const cases: [string, ReturnType<typeof ownedBy> | object, string, string][] = [
    ['a bare pod itself', {}, 'Pod', 'one'],
    ['the Deployment of a ReplicaSet', ownedBy('ReplicaSet', 'web-1'), 'Deployment', 'web'],
    ['the CronJob of a Job', ownedBy('Job', 'backup-1'), 'CronJob', 'backup'],
    ['a custom controller, by kind and name', ownedBy('Task', 'build', 'tekton.dev/v1'), 'Task', 'build'],
    ['a custom controller of a ReplicaSet', ownedBy('ReplicaSet', 'shop-1'), 'Rollout', 'shop'],
    ['a custom controller of a StatefulSet', ownedBy('StatefulSet', 'prometheus-k8s'), 'Prometheus', 'k8s'],
    [
      'a custom kind that shares its name with a built-in one, with its group',
      ownedBy('Job', 'backup', 'batch.volcano.sh/v1alpha1'),
      'Job.batch.volcano.sh',
      'backup',
    ],
    ['a deleted owner', ownedBy('ReplicaSet', 'orphan'), 'Deployment', 'gone'],
    [
      'a DaemonSet, and not the Deployment that owns it but has another template',
      ownedBy('DaemonSet', 'agent'),
      'DaemonSet',
      'agent',
    ],
    ['a pod whose owner is a Deployment', ownedBy('Deployment', 'web'), 'Deployment', 'web'],
    [
      'the name of an owner whose successor is another object',
      ownedBy('Deployment', 'renewed'),
      'Deployment',
      'renewed',
    ],
  ];
  for (const [name, owner, kind, top] of cases) {
    it(`is ${name}`, () => {
      assert.deepEqual(topController('Pod', podView('one', owner), cluster).workload, {
        kind,
        namespace: 'net',
        name: top,
      });
    });
  }

  it('topController returns a reference to the controller only if the controller is a custom resource', () => {
    const custom = (owner: ReturnType<typeof ownedBy>) => topController('Pod', podView('one', owner), cluster).custom;
    const { owner: rollout } = ownedBy('Rollout', 'shop', 'argoproj.io/v1alpha1');
    assert.deepEqual(custom(ownedBy('ReplicaSet', 'shop-1')), rollout);
    const { owner: job } = ownedBy('Job', 'backup', 'batch.volcano.sh/v1alpha1');
    assert.deepEqual(custom({ owner: job }), job);
    assert.equal(custom(ownedBy('ReplicaSet', 'web-1')), undefined);
    assert.equal(custom(ownedBy('ReplicaSet', 'orphan')), undefined);
  });

  it('is some member of a cycle', () => {
    assert.equal(topController('Pod', podView('one', ownedBy('Job', 'a')), cluster).workload.kind, 'Job');
  });
});
