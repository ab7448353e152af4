import assert from 'node:assert/strict';
import { topController } from '../../operator/evaluate/workloads.ts';
import { clusterOf, ownedBy, pod, workload } from './fixtures.ts';

describe('the controller that a person would edit', () => {
  const cluster = clusterOf([
    workload('Deployment', 'web'),
    workload('ReplicaSet', 'web-1', ownedBy('Deployment', 'web')),
    workload('CronJob', 'backup'),
    workload('Job', 'backup-1', ownedBy('CronJob', 'backup')),
    workload('ReplicaSet', 'shop-1', ownedBy('Rollout', 'shop', 'argoproj.io/v1alpha1')),
    workload('StatefulSet', 'orphan', ownedBy('Deployment', 'gone')),
    workload('Job', 'a', ownedBy('Job', 'b')),
    workload('Job', 'b', ownedBy('Job', 'a')),
    { ...workload('Deployment', 'renewed'), uid: 'another' },
  ]);
  const cases: [string, ReturnType<typeof ownedBy> | object, string, string][] = [
    ['a bare pod itself', {}, 'Pod', 'one'],
    ['the Deployment of a ReplicaSet', ownedBy('ReplicaSet', 'web-1'), 'Deployment', 'web'],
    ['the CronJob of a Job', ownedBy('Job', 'backup-1'), 'CronJob', 'backup'],
    ['a custom controller, by kind and name', ownedBy('Task', 'build', 'tekton.dev/v1'), 'Task', 'build'],
    ['a custom controller of a ReplicaSet', ownedBy('ReplicaSet', 'shop-1'), 'Rollout', 'shop'],
    ['an owner that is gone', ownedBy('StatefulSet', 'orphan'), 'Deployment', 'gone'],
    [
      'the name of an owner whose successor is another object',
      ownedBy('Deployment', 'renewed'),
      'Deployment',
      'renewed',
    ],
  ];
  for (const [name, owner, kind, top] of cases) {
    it(`is ${name}`, () => {
      assert.deepEqual(topController('Pod', pod('one', owner), cluster), { kind, namespace: 'net', name: top });
    });
  }

  it('is some member of a cycle', () => {
    assert.equal(topController('Pod', pod('one', ownedBy('Job', 'a')), cluster).kind, 'Job');
  });
});
