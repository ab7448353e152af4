/** Tests which grants, subjects and whole exceptions the workloads of a namespace need. */
import assert from 'node:assert/strict';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { useRoleName } from '../../operator/compile/rbac.ts';
import { keyOf } from '../../operator/evaluate/grants.ts';
import { evaluateNamespace } from '../../operator/evaluate/namespace.ts';
import { createUseIndex } from '../../operator/evaluate/use.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodView, WorkloadView } from '../../operator/model/objects.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { adding } from '../support/pods.ts';
import { resolved, resolvedBaseline } from '../support/policies.ts';
import { binding, clusterOf, ownedBy, podView, useRole, workloadView } from '../support/views.ts';

const evaluator = new Evaluator();
const SUBJECTS = [
  { kind: 'ServiceAccount', name: 'pinger', namespace: 'net' },
  { kind: 'User', name: 'jane' },
  { kind: 'Group', name: 'system:serviceaccounts:net' },
] as const;
const RAW: Partial<CapabilityPolicySpec> = { overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } };

function needsOf(
  policies: readonly ResolvedPolicy[],
  pods: readonly PodView[],
  workloads: readonly WorkloadView[] = [],
): (policy: string) => { readonly isException: boolean; readonly needed: string[]; readonly unneeded: string[] } {
  const subject = { kind: 'ServiceAccount', name: 'pinger', namespace: 'net' } as const;
  const use = createUseIndex([useRole('ping')], [binding(useRoleName('ping'), subject)]);
  const { needs } = evaluateNamespace({ name: 'net', labels: {} }, policies, clusterOf(workloads, pods), {
    evaluator,
    use,
  });
  return (policy) => {
    const { isException = false, needed = new Set<string>(), grants = [] } = needs.get(policy) ?? {};
    return { isException, needed: [...needed].sort(), unneeded: grants.map(keyOf).filter((key) => !needed.has(key)) };
  };
}

const KEY = 'spec.overrides.capabilities.allowedAdd NET_RAW';
const base = resolvedBaseline('base');
const ping = resolvedBaseline('ping', RAW);
const raw = (name: string, fields: Partial<PodView> = {}) => podView(name, { ...adding(['NET_RAW']), ...fields });

describe('the need of a namespace for an exception', () => {
  it('a namespace needs nothing while the other policy admits all workloads', () => {
    assert.deepEqual(needsOf([base, ping], [podView('web')])('ping'), {
      isException: true,
      needed: [],
      unneeded: [KEY],
    });
  });

  it('a namespace needs the exception and its grant for a pod that only the exception admits', () => {
    assert.deepEqual(needsOf([base, ping], [podView('web'), raw('ping')])('ping'), {
      isException: true,
      needed: ['spec', KEY],
      unneeded: [],
    });
  });

  it('a namespace needs the exception and its grant for a template without pods', () => {
    const workload = workloadView('Deployment', 'ping', { template: adding(['NET_RAW']) });
    assert.deepEqual(needsOf([base, ping], [], [workload])('ping').needed, ['spec', KEY]);
  });

  it('a namespace needs only the grant if another exception also admits the pod', () => {
    const needs = needsOf([base, ping, resolvedBaseline('twin', RAW)], [raw('ping')]);
    for (const policy of ['ping', 'twin']) assert.deepEqual(needs(policy).needed, [KEY]);
  });

  it('a namespace needs the exception if a policy of lower priority would decide without the exception', () => {
    const above = resolvedBaseline('above', { overrides: { hostIPC: true }, priority: 5 });
    const ipc = podView('ipc', adding([], { hostIPC: true }));
    assert.deepEqual(needsOf([base, above], [ipc])('above').needed, ['spec', 'spec.overrides.hostIPC']);
    assert.deepEqual(needsOf([base, above], [podView('web')])('above'), {
      isException: true,
      needed: [],
      unneeded: ['spec.overrides.hostIPC'],
    });
  });

  it('a policy that also restricts is no exception to a policy of lower priority, which would admit more', () => {
    const above = resolvedBaseline('above', { ...RAW, priority: 5 });
    assert.deepEqual(needsOf([base, above], [podView('web')])('above'), {
      isException: false,
      needed: [],
      unneeded: [KEY],
    });
  });

  it('a namespace needs the exception even if the exception is looser only by its level', () => {
    const [strict, loose] = [resolved('strict', { mode: 'Audit' }), resolvedBaseline('loose')];
    assert.deepEqual(needsOf([strict, loose], [podView('web')])('loose'), {
      isException: true,
      needed: ['spec'],
      unneeded: [],
    });
    assert.equal(needsOf([strict, loose], [podView('web')])('strict').isException, false);
  });

  it('a policy is an exception only if another policy would decide without the exception', () => {
    assert.equal(needsOf([ping], [podView('web')])('ping').isException, false);
    const other = resolvedBaseline('other', { mode: 'Warn' });
    assert.equal(needsOf([ping, other], [podView('web')])('ping').isException, false);
  });
});

describe('the need of a namespace for the subjects of an exception', () => {
  const [PINGER, JANE, GROUP] = SUBJECTS.map(
    (one, i) => `spec.subjects[${i}] ${one.kind} ${'namespace' in one ? 'net/' : ''}${one.name}`,
  );
  const exception = resolvedBaseline('ping', { ...RAW, usableBy: 'Subjects', subjects: [...SUBJECTS] });
  const ofController = ownedBy('ReplicaSet', 'ping-1');

  it('a namespace needs no subject while no workload relies on the exception', () => {
    const { unneeded } = needsOf(
      [base, exception],
      [podView('web', { serviceAccount: 'pinger', ...ofController })],
    )('ping');
    assert.deepEqual(unneeded, [KEY, PINGER, JANE, GROUP]);
  });

  it('a namespace needs the service account of a pod that only the exception admits, and the groups of the service account', () => {
    const pod = raw('ping', { serviceAccount: 'pinger', ...ofController });
    const { needed, unneeded } = needsOf([base, exception], [pod])('ping');
    assert.deepEqual(needed, ['spec', KEY, PINGER, GROUP].sort());
    assert.deepEqual(unneeded, [JANE]);
  });

  it('a namespace needs each user and group if the creator of a pod is unknown', () => {
    const { needed, unneeded } = needsOf([base, exception], [raw('ping')])('ping');
    assert.deepEqual(needed, ['spec', KEY, JANE, GROUP].sort());
    assert.deepEqual(unneeded, [PINGER]);
  });
});
