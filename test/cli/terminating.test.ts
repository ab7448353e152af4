/**
 * Tests a namespace that is being deleted. No object can be created in a namespace that is being deleted, so no command
 * evaluates the pods of the namespace.
 */
import assert from 'node:assert/strict';
import { PolicyContextBuilder } from '../../analysis/policies/context-builder.ts';
import { statusView } from '../../cli/commands/status/view.ts';
import { givenByCluster } from '../../cli/commands/suggest/input.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { PolicyState } from '../../operator/state/policy-state.ts';
import { adding } from '../support/pods.ts';
import { baselinePolicy } from '../support/policies.ts';
import { clusterOf, podView, SERVER, wholeCluster, workloadView } from '../support/views.ts';

const POLICIES = [baselinePolicy('all', { mode: 'Enforce' })];
const NAMESPACES = [namespace('going', true), namespace('net', false)];

const CLUSTER = wholeCluster(
  clusterOf(
    NAMESPACES.map(({ name }) =>
      workloadView('Deployment', 'bad', { namespace: name, template: adding(['SYS_TIME']) }),
    ),
    NAMESPACES.map(({ name }) => podView('bare', { namespace: name })),
  ),
  POLICIES,
  NAMESPACES,
);

function namespace(name: string, terminating: boolean) {
  return { name, uid: name, terminating, labels: {}, labelOwners: {} };
}

describe('a namespace that is being deleted', () => {
  it('is skipped by check --cluster', () => {
    const builder = new PolicyContextBuilder();
    builder.addCluster(CLUSTER);
    const options = {
      oldestServer: SERVER,
      namespaceLabels: {},
      operatorNamespace: 'op',
      excludedNamespaces: [],
      at: 0,
    };
    const context = builder.build(options, () => assert.fail());
    assert.deepEqual(
      [...context.evaluateCluster()].map((result) => result.namespace),
      ['net'],
    );
  });

  it('status skips a namespace that is being deleted, and does not count the namespace', () => {
    const state = new PolicyState(CLUSTER, {
      operatorNamespace: 'op',
      excludedNamespaces: [],
      now: () => 0,
    });
    state.accept();
    const protection = { status: 'Unknown', message: 'not asked' } as const;
    const readable = {
      cluster: CLUSTER,
      state,
      use: state.use,
      canEvaluate: true,
      usersKnown: true,
      protection,
      missing: [],
    };
    const [all] = statusView(readable, new Evaluator()).policies;
    assert.deepEqual(all?.namespaces, { selected: 1, deciding: 1 });
    assert.deepEqual([...new Set(all?.violations.map((violation) => violation.namespace))], ['net']);
    assert.equal(all?.workloads.violating, 1);
  });

  it('is skipped by suggest --cluster -A', () => {
    const namespaces = givenByCluster(CLUSTER).map((given) => given.workload.namespace);
    assert.deepEqual([...new Set(namespaces)], ['net']);
  });
});
