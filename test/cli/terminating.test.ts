/** Nothing can be created in a namespace that is being deleted, so no command evaluates its pods. */
import assert from 'node:assert/strict';
import { givenByCluster } from '../../cli/commands/suggest/input.ts';
import { PolicyContextBuilder } from '../../cli/policies/context-builder.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import { adding } from '../support/pods.ts';
import { baselinePolicy } from '../support/policies.ts';
import { clusterOf, podView, SERVER, workloadView } from '../support/views.ts';

const POLICIES = [baselinePolicy('all', { mode: 'Enforce' })];
const NAMESPACES = [namespace('going', true), namespace('net', false)];

const CLUSTER: Cluster = {
  ...clusterOf(
    NAMESPACES.map(({ name }) =>
      workloadView('Deployment', 'bad', { namespace: name, template: adding(['SYS_TIME']) }),
    ),
    NAMESPACES.map(({ name }) => podView('bare', { namespace: name })),
  ),
  policies: () => POLICIES,
  policy: () => POLICIES[0],
  namespaces: () => NAMESPACES,
  namespace: (name) => NAMESPACES.find((one) => one.name === name),
  roles: () => [],
  roleBindings: () => [],
  rendered: () => [],
  oldestServer: SERVER,
};

function namespace(name: string, terminating: boolean) {
  return { name, uid: name, terminating, labels: {}, labelOwners: {} };
}

describe('a namespace that is being deleted', () => {
  it('is skipped by check --cluster', () => {
    const builder = new PolicyContextBuilder();
    builder.addCluster(CLUSTER);
    const options = { oldestServer: SERVER, namespaceLabels: {}, operatorNamespace: 'op', excludedNamespaces: [] };
    const context = builder.build(options, () => assert.fail());
    assert.deepEqual(
      [...context.judgeCluster(CLUSTER)].map((judgement) => judgement.namespace),
      ['net'],
    );
  });

  it('is skipped by suggest --cluster -A', () => {
    const namespaces = givenByCluster(CLUSTER).map((given) => given.workload.namespace);
    assert.deepEqual([...new Set(namespaces)], ['net']);
  });
});
