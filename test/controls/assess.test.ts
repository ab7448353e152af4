/**
 * Tests the controls of hardening guides on workloads. A workload passes a control, fails the control, or is excepted
 * by a policy.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Assessment, assessControls, type ControlResult } from '../../analysis/controls/assess.ts';
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { Cluster, PodView, WorkloadView } from '../../operator/model/objects.ts';
import { PolicyState } from '../../operator/state/policy-state.ts';
import { adding, app, pod, secured } from '../support/pods.ts';
import { baselinePolicy, policy } from '../support/policies.ts';
import { contentOf, randomPods } from '../support/random-pods.ts';
import { binding, clusterOf, ownedBy, podView, useRole, wholeCluster, workloadView } from '../support/views.ts';

const PENDING = { 'rollout.capabilitypolicy.dev/exception': 'pending' };
const NAMESPACES = ['kube-system', 'late', 'net'].map((name) => ({
  name,
  uid: name,
  terminating: false,
  labels: name === 'late' ? PENDING : {},
  labelOwners: {},
}));
const REASON = 'until the driver is replaced';
const OPEN = { level: 'privileged', mode: 'Enforce', reason: REASON } as const;

interface Seen {
  readonly workloads?: readonly WorkloadView[];
  readonly pods?: readonly PodView[];
  readonly policies?: readonly CompletePolicy[];
  readonly changes?: Partial<Cluster>;
  readonly usersKnown?: boolean;
  readonly namespace?: string;
}

function assessed({ workloads = [], pods = [], policies = [], changes = {}, usersKnown = true, namespace }: Seen) {
  const cluster = { ...wholeCluster(clusterOf(workloads, pods), policies, NAMESPACES), ...changes };
  const state = new PolicyState(cluster, {
    operatorNamespace: 'operator',
    excludedNamespaces: ['kube-*'],
    usersKnown,
    now: () => Date.parse('2026-06-01T00:00:00Z'),
  });
  state.accept();
  return assessControls({ cluster, policies: state, usersKnown, namespace }, new Evaluator());
}

function resultOf({ controls }: Assessment, id: string): ControlResult {
  const found = controls.find(({ control }) => control.id === id);
  assert.ok(found, id);
  return found;
}

/** The result of a control, such as `passed` or `excepted by a, b`. The cluster must have exactly one workload. */
function wordFor(id: string, seen: Seen): string {
  const { passed, partly, failed, excepted } = resultOf(assessed(seen), id);
  assert.equal(passed + partly + failed.length + excepted.length, 1);
  if (passed + partly > 0) return passed > 0 ? 'passed' : 'partly';
  const [exception] = excepted;
  return exception ? `excepted by ${exception.policies.map(({ name }) => name).join(', ')}` : 'failed';
}

const HOST_PID = [workloadView('DaemonSet', 'agent', { template: pod({ hostPID: true }) })];
const RAW = workloadView('Deployment', 'pinger', { template: adding(['NET_RAW'], { serviceAccountName: 'pinger' }) });
const SUBJECT = { kind: 'ServiceAccount', namespace: 'net', name: 'pinger' } as const;

/** The results of a workload that breaks CIS 5.2.3, depending on the policies of the cluster. */
const POLICIES: readonly [title: string, policies: readonly CompletePolicy[], word: string][] = [
  ['failed without policies', [], 'failed'],
  ['failed if a policy refuses it', [policy('strict')], 'failed'],
  ['failed if a policy without a reason admits it', [policy('open', { level: 'privileged' })], 'failed'],
  ['excepted by a policy with a reason', [policy('open', OPEN)], 'excepted by open'],
  ['excepted beside a policy that refuses it', [policy('a-strict'), policy('open', OPEN)], 'excepted by open'],
  [
    'excepted by the policy with a reason, if another policy admits it without one',
    [policy('a-open', { level: 'privileged' }), policy('open', OPEN)],
    'excepted by open',
  ],
  ['failed if a policy with a reason refuses it', [baselinePolicy('base', { ...OPEN, level: 'baseline' })], 'failed'],
  ['failed if the policy only audits', [policy('open', { ...OPEN, mode: 'Audit' })], 'failed'],
  ['failed if the policy only warns', [policy('open', { ...OPEN, mode: 'Warn' })], 'failed'],
  [
    'excepted before the policy ends',
    [policy('open', { ...OPEN, expires: '2026-06-02T00:00:00Z' })],
    'excepted by open',
  ],
  ['failed when the policy has ended', [policy('open', { ...OPEN, expires: '2026-05-31T00:00:00Z' })], 'failed'],
  [
    'failed if a policy of a higher priority decides instead',
    [policy('strict', { priority: 1 }), policy('open', OPEN)],
    'failed',
  ],
  [
    'failed if the policy selects another namespace',
    [policy('open', { ...OPEN, namespaceSelector: { matchLabels: { team: 'web' } } })],
    'failed',
  ],
];

describe('a workload that breaks a control', () => {
  for (const [title, policies, word] of POLICIES) {
    it(`is ${title}`, () => assert.equal(wordFor('5.2.3', { workloads: HOST_PID, policies }), word));
  }

  it('a workload is excepted with the reason and the end of the policy, and with the rule and the container', () => {
    const expires = '2026-12-31T00:00:00Z';
    const { excepted } = resultOf(
      assessed({ workloads: [RAW], policies: [policy('ping', { ...OPEN, expires })] }),
      '5.2.8',
    );
    assert.deepEqual(excepted, [
      {
        kind: 'Deployment',
        namespace: 'net',
        name: 'pinger',
        breaks: [{ rule: 'capabilities.allowedBounding', container: 'app' }],
        policies: [{ name: 'ping', reason: REASON, expires }],
      },
    ]);
  });

  it('a workload fails a control that no policy with a reason opens, even if the level of the policy admits the workload', () => {
    const spec = { volumes: [{ name: 'one', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }] };
    const pods = [podView('one', pod({ hostPID: true, ...spec }))];
    const hostPID = { ...OPEN, level: 'baseline', overrides: { hostPID: true } } as const;
    const both = { ...hostPID, overrides: { hostPID: true, serviceAccountToken: 'Allowed' } } as const;
    assert.equal(wordFor('5.2.3', { pods, policies: [policy('open', hostPID)] }), 'excepted by open');
    assert.equal(wordFor('5.1.6', { pods, policies: [policy('open', hostPID)] }), 'failed');
    assert.equal(wordFor('5.1.6', { pods, policies: [policy('open', both)] }), 'excepted by open');
    assert.equal(wordFor('5.1.6', { pods, policies: [policy('open', OPEN)] }), 'excepted by open');
  });

  it('a workload fails the control in a namespace where the policy is pending', () => {
    const policies = [policy('exception', { ...OPEN, rollout: { meanwhile: 'Warn' } })];
    const [agent] = HOST_PID as [WorkloadView];
    assert.equal(wordFor('5.2.3', { workloads: [agent], policies }), 'excepted by exception');
    assert.equal(wordFor('5.2.3', { workloads: [{ ...agent, namespace: 'late' }], policies }), 'failed');
  });

  it('a policy with restricted use excepts a workload only if the workload is known to have the right to use the policy', () => {
    const policies = [policy('ping', { ...OPEN, usableBy: 'Bindings' })];
    const granted: Partial<Cluster> = {
      roles: () => [useRole('ping')],
      roleBindings: () => [binding('capabilitypolicy.dev:use:ping', SUBJECT, 'net')],
    };
    const seen = { workloads: [RAW], policies };
    assert.equal(wordFor('5.2.8', seen), 'failed');
    assert.equal(wordFor('5.2.8', { ...seen, changes: granted }), 'excepted by ping');
    assert.equal(wordFor('5.2.8', { ...seen, changes: granted, usersKnown: false }), 'failed');
    const pods = [podView('bare', { serviceAccount: 'other', ...adding(['NET_RAW']) })];
    assert.equal(wordFor('5.2.8', { pods, policies, changes: granted }), 'failed');
  });

  it('a workload fails the control if only some pods of the workload are excepted', () => {
    const [agent] = HOST_PID as [WorkloadView];
    const withPod = (spec: object) => ({
      workloads: [agent],
      pods: [podView('agent-1', { ...pod({ hostPID: true, ...spec }), ...ownedBy('DaemonSet', 'agent') })],
      policies: [policy('open', { ...OPEN, level: 'baseline', overrides: { hostPID: true } })],
    });
    assert.equal(wordFor('5.2.3', withPod({})), 'excepted by open');
    assert.equal(wordFor('5.2.3', withPod({ hostNetwork: true })), 'failed');
  });

  it('the result names all policies that the pods of an excepted workload need', () => {
    const only = (name: string, field: 'hostNetwork' | 'hostIPC') =>
      policy(name, { ...OPEN, level: 'baseline', overrides: { hostPID: true, [field]: true } });
    const pods = ['hostNetwork', 'hostIPC'].map((field) =>
      podView(field, { ...pod({ hostPID: true, [field]: true }), ...ownedBy('DaemonSet', 'agent') }),
    );
    const policies = [only('net', 'hostNetwork'), only('ipc', 'hostIPC')];
    assert.equal(wordFor('5.2.3', { workloads: HOST_PID, pods, policies }), 'excepted by ipc, net');
  });
});

describe('a workload that breaks no control', () => {
  it('is passed, whatever the policies say', () => {
    const workloads = [workloadView('Deployment', 'web')];
    for (const policies of [[], [policy('strict')], [policy('open', OPEN)]])
      assert.equal(wordFor('5.2.3', { workloads, policies }), 'passed');
  });

  it('for a workload without pods, the result about tokens is `partly`, because the service account may decide', () => {
    const workloads = [workloadView('Deployment', 'web')];
    const running = podView('web-1', ownedBy('Deployment', 'web'));
    const token = { name: 'one', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } };
    for (const id of ['5.1.6', 'ServiceAccountTokens']) {
      assert.equal(wordFor(id, { workloads }), 'partly');
      assert.equal(wordFor(id, { workloads, pods: [{ ...running, finished: true }] }), 'partly');
      assert.equal(wordFor(id, { workloads, pods: [running] }), 'passed');
      assert.equal(wordFor(id, { workloads, pods: [{ ...running, ...pod({ volumes: [token] }) }] }), 'failed');
    }
  });

  it('the result about SELinux and AppArmor is at best `partly`, because nodes decide whether these modules run', () => {
    const confined = pod({ securityContext: { seccompProfile: { type: 'RuntimeDefault' } } });
    assert.equal(wordFor('SecurityServices', { pods: [podView('one', confined)] }), 'partly');
    assert.equal(wordFor('SecurityServices', { pods: [podView('one', pod())] }), 'failed');
  });
});

describe('a template is assessed in the form that its pods will have', () => {
  const workloads = [
    workloadView('Deployment', 'web', { template: app(secured({ capabilities: { drop: ['ALL'] } })) }),
  ];
  const filling = policy('filling', {
    defaulting: 'Enabled',
    reason: REASON,
    overrides: { seccomp: { default: { type: 'RuntimeDefault' } } },
  });

  for (const id of ['5.2.6', '5.2.7', '5.6.2']) {
    it(`with what defaulting fills in: ${id}`, () => {
      assert.equal(wordFor(id, { workloads, policies: [filling] }), 'passed');
      assert.equal(wordFor(id, { workloads, policies: [policy('strict', { reason: REASON })] }), 'failed');
    });
  }

  it('unchanged if a policy admits it unchanged', () => {
    const policies = [filling, baselinePolicy('open', { mode: 'Enforce', reason: REASON })];
    assert.equal(wordFor('5.2.6', { workloads, policies }), 'excepted by open');
  });

  it('a running pod is assessed in its present form, without defaulting', () => {
    const pods = [
      podView('web-1', { ...app(secured({ capabilities: { drop: ['ALL'] } })), ...ownedBy('Deployment', 'web') }),
    ];
    assert.equal(wordFor('5.2.6', { workloads, pods, policies: [filling] }), 'failed');
  });
});

describe('the assessment of a cluster', () => {
  const workloads = ['net', 'late', 'kube-system'].map((namespace) => workloadView('Deployment', 'web', { namespace }));

  it('leaves out namespaces that no policy reaches', () => {
    const { namespaces, workloads: count } = assessed({ workloads });
    assert.deepEqual([namespaces, count], [['late', 'net'], 2]);
  });

  it('can be limited to a namespace', () => {
    const { namespaces, workloads: count } = assessed({ workloads, namespace: 'net' });
    assert.deepEqual([namespaces, count], [['net'], 1]);
    assert.equal(assessed({ workloads, namespace: 'kube-system' }).workloads, 0);
  });

  it('each control counts each workload once, and names each workload that does not pass', () => {
    const policies = [policy('strict'), baselinePolicy('open', { mode: 'Enforce', reason: REASON })];
    fc.assert(
      fc.property(fc.array(randomPods(), { maxLength: 6 }), (random) => {
        const templates = random.map((one, index) =>
          workloadView('Deployment', `w-${index}`, { template: contentOf(one) }),
        );
        for (const { passed, partly, failed, excepted } of assessed({ workloads: templates, policies }).controls) {
          const named = [...failed, ...excepted].map(({ name }) => name);
          assert.equal(new Set(named).size, named.length);
          assert.equal(passed + partly + named.length, templates.length);
        }
      }),
      { numRuns: 30 },
    );
  });
});
