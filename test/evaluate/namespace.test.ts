import assert from 'node:assert/strict';
import { useRoleName } from '../../operator/compile/rbac.ts';
import { judgeNamespace, type WorkloadJudgement } from '../../operator/evaluate/namespace.ts';
import { createUseIndex } from '../../operator/evaluate/use.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodView, WorkloadView } from '../../operator/model/objects.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { binding, clusterOf, container, ownedBy, parts, pod, policy, useRole, workload } from '../support/views.ts';

const evaluator = new Evaluator();
const bad = { template: parts(['SYS_ADMIN']) };
const baseline = policy('baseline');

function judgement(workloads: WorkloadView[], pods: PodView[], policies: ResolvedPolicy[] = [baseline]) {
  const binds = [binding(useRoleName('raw'), { kind: 'ServiceAccount', name: 'pinger', namespace: 'net' })];
  const court = { evaluator, use: createUseIndex([useRole('raw')], binds) };
  return judgeNamespace({ name: 'net', labels: { team: 'network' } }, policies, clusterOf(workloads, pods), court);
}

function brief({ kind, name, verdict, pods }: WorkloadJudgement): string {
  return `${kind}/${name} ${verdict} ${pods}`;
}

function audit(workloads: WorkloadView[], pods: PodView[] = []): string[] {
  return (judgement(workloads, pods).modes.Audit?.workloads ?? []).map(brief);
}

describe('the judgement of a namespace', () => {
  const deployment = workload('Deployment', 'web', { ...bad, replicas: 0 });
  const replicaSet = workload('ReplicaSet', 'web-1', { ...bad, ...ownedBy('Deployment', 'web'), replicas: 2 });
  const badPod = (name: string) => pod(name, { ...parts(['SYS_ADMIN']), ...ownedBy('ReplicaSet', 'web-1') });

  const cases: [string, WorkloadView[], PodView[], string[]][] = [
    ['finds a Deployment without pods by its template', [deployment], [], ['Deployment/web Violating 0']],
    [
      "counts a Deployment's pods and does not name its ReplicaSet",
      [deployment, replicaSet],
      [badPod('web-1-a'), badPod('web-1-b')],
      ['Deployment/web Violating 2'],
    ],
    [
      'finds pods that are older than a repaired template',
      [workload('Deployment', 'web'), { ...replicaSet, replicas: 1 }],
      [badPod('web-1-a')],
      ['Deployment/web Violating 1'],
    ],
    ['finds a CronJob by its template', [workload('CronJob', 'backup', bad)], [], ['CronJob/backup Violating 0']],
    ['finds a bare pod', [], [pod('one', parts(['SYS_ADMIN']))], ['Pod/one Violating 1']],
    [
      'finds an ephemeral container',
      [],
      [pod('one', parts([], { ephemeralContainers: [container('debug', ['SYS_ADMIN'])] }))],
      ['Pod/one Violating 1'],
    ],
    ['passes over mirror pods', [], [pod('one', { ...parts(['SYS_ADMIN']), mirror: true })], []],
    ['passes over finished pods', [], [pod('one', { ...parts(['SYS_ADMIN']), finished: true })], []],
    ['passes over finished Jobs', [workload('Job', 'once', { ...bad, finished: true })], [], []],
    [
      'passes over ReplicaSets that are history, whoever owns them',
      [
        workload('ReplicaSet', 'shop-1', {
          ...bad,
          ...ownedBy('Rollout', 'shop', 'argoproj.io/v1alpha1'),
          replicas: 0,
        }),
      ],
      [],
      [],
    ],
    [
      'finds a ReplicaSet of its own at 0 replicas',
      [workload('ReplicaSet', 'own', { ...bad, replicas: 0 })],
      [],
      ['ReplicaSet/own Violating 0'],
    ],
    [
      'reports under a custom controller what it owns',
      [workload('StatefulSet', 'db', { ...bad, ...ownedBy('Database', 'main', 'example.com/v1') })],
      [],
      ['Database/main Violating 0'],
    ],
    [
      'sorts by kind and name',
      [workload('Job', 'b'), workload('Job', 'a'), workload('CronJob', 'z')],
      [],
      ['CronJob/z Compliant 0', 'Job/a Compliant 0', 'Job/b Compliant 0'],
    ],
    ['leaves other namespaces alone', [workload('Job', 'a', { ...bad, namespace: 'web' })], [], []],
  ];
  for (const [name, workloads, pods, expected] of cases) {
    it(name, () => {
      assert.deepEqual(audit(workloads, pods), expected);
    });
  }

  it('lists each violation of a workload once, by policy', () => {
    const [one] =
      judgement([deployment, replicaSet], [badPod('web-1-a'), badPod('web-1-b')]).modes.Audit?.workloads ?? [];
    assert.deepEqual(Object.keys(one?.violations ?? {}), ['baseline']);
    assert.equal(one?.violations.baseline?.length, 1);
  });

  it('judges each mode by the policies that decide in it', () => {
    const policies = [
      policy('cluster', { mode: 'Enforce' }),
      policy('team', {
        mode: 'Enforce',
        priority: 1,
        namespaceSelector: { matchLabels: { team: 'network' } },
        overrides: { capabilities: { allowedAdd: ['SYS_ADMIN'] } },
      }),
      policy('elsewhere', { mode: 'Enforce', priority: 2, namespaceSelector: { matchLabels: { team: 'web' } } }),
      policy('watch', { mode: 'Audit' }),
    ];
    const { modes } = judgement([deployment], [], policies);
    assert.deepEqual(Object.keys(modes), ['Enforce', 'Audit']);
    assert.deepEqual(modes.Enforce?.deciding, ['team']);
    assert.deepEqual(modes.Enforce?.workloads.map(brief), ['Deployment/web Compliant 0']);
    assert.deepEqual(modes.Audit?.workloads.map(brief), ['Deployment/web Violating 0']);
  });

  describe('when a policy of mode Enforce admits what one of mode Audit does not', () => {
    const raw: Parameters<typeof policy>[1] = { overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } };
    const rawPod = (name: string, add = ['NET_RAW']) => pod(name, { ...parts(add), ...ownedBy('ReplicaSet', 'web') });
    const web = workload('ReplicaSet', 'web', { template: parts(['NET_RAW']), replicas: 2 });
    const enforce = (priority: number, more: Parameters<typeof policy>[1] = raw) =>
      policy('exception', { mode: 'Enforce', priority, ...more });
    const audit = (priority = 0) => policy('audit', { mode: 'Audit', priority });
    const warn = policy('warn', { mode: 'Warn' });
    const NOT_USABLE: Parameters<typeof policy>[1] = { ...raw, usableBy: 'Bindings' };

    /** Policies, pods → the policy that admits the workload, in mode Audit. */
    const cases: [string, ResolvedPolicy[], PodView[], string | undefined][] = [
      ['names it at a higher priority', [audit(), enforce(10)], [], 'exception'],
      ['names it at the same priority, where one of the two is enough', [audit(), enforce(0)], [], 'exception'],
      ['does not at a lower priority, where the other would decide alone', [audit(5), enforce(0)], [], undefined],
      [
        'does not where it does not decide itself',
        [audit(), enforce(0), policy('strict', { mode: 'Enforce', priority: 10 })],
        [],
        undefined,
      ],
      [
        'does not where another namespace is meant',
        [audit(), enforce(10, { ...raw, namespaceSelector: { matchLabels: { team: 'web' } } })],
        [],
        undefined,
      ],
      ['does not where the workload may not use it', [audit(), enforce(10, NOT_USABLE)], [], undefined],
      [
        'does not where one of the pods is refused',
        [audit(), enforce(10)],
        [rawPod('a'), rawPod('b', ['SYS_ADMIN'])],
        undefined,
      ],
      ['names it where all pods are admitted', [audit(), enforce(10)], [rawPod('a'), rawPod('b')], 'exception'],
      [
        'does not for the word of another mode than Enforce',
        [audit(), policy('warn', { mode: 'Warn', ...raw })],
        [],
        undefined,
      ],
    ];
    for (const [title, policies, pods, expected] of cases) {
      it(title, () => {
        const [found] = judgement([web], pods, policies).modes.Audit?.workloads ?? [];
        assert.equal(found?.verdict, 'Violating');
        assert.equal(found?.admittedBy, expected);
      });
    }

    it('says the same for mode Warn, and nothing for mode Enforce and for what complies', () => {
      const { modes } = judgement([web, workload('Deployment', 'good')], [], [audit(), warn, enforce(10)]);
      const found = Object.entries(modes).flatMap(([mode, { workloads }]) =>
        workloads.map(({ name, admittedBy }) => `${mode} ${name} ${admittedBy}`),
      );
      assert.deepEqual(found.sort(), [
        'Audit good undefined',
        'Audit web exception',
        'Enforce good undefined',
        'Enforce web undefined',
        'Warn good undefined',
        'Warn web exception',
      ]);
    });
  });

  describe('when a policy is not for everyone', () => {
    const raw = policy('raw', { usableBy: 'Bindings', overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } });
    const cases: [string, PodView[], string[]][] = [
      ['calls a bare pod Unknown', [pod('one', parts(['NET_RAW']))], ['Pod/one Unknown 0']],
      [
        "counts its service account's right",
        [pod('one', { ...parts(['NET_RAW']), serviceAccount: 'pinger' })],
        ['Pod/one Compliant 0'],
      ],
      [
        'prefers Violating over Unknown',
        [
          pod('one', { ...parts(['NET_RAW']), ...ownedBy('Task', 'build', 'tekton.dev/v1') }),
          pod('two', { ...parts(['SYS_ADMIN']), ...ownedBy('Task', 'build', 'tekton.dev/v1') }),
        ],
        ['Task/build Violating 1'],
      ],
    ];
    for (const [name, pods, expected] of cases) {
      it(name, () => {
        assert.deepEqual(judgement([], pods, [raw]).modes.Audit?.workloads.map(brief), expected);
      });
    }
  });

  it('collects what is added, as written, by containers of every kind', () => {
    const template = parts(['NET_RAW'], { initContainers: [container('init', ['CHOWN', 'CAP_KILL'])] });
    const debugged = parts([], { ephemeralContainers: [container('debug', ['SYS_PTRACE'])] });
    const { addedCapabilities } = judgement([workload('Deployment', 'web', { template })], [pod('one', debugged)]);
    assert.deepEqual(addedCapabilities, ['CAP_KILL', 'CHOWN', 'NET_RAW', 'SYS_PTRACE']);
  });

  it('is found once for each shape and text of a policy: not again for other labels, pods or policies', () => {
    const shape = parts(['SYS_ADMIN']);
    Object.freeze(shape.spec);
    const court = { evaluator, use: createUseIndex([], []) };
    const found = (policies: ResolvedPolicy[], pods: PodView[], labels = {}) => {
      const { modes } = judgeNamespace({ name: 'net', labels }, policies, clusterOf([], pods), court);
      return modes.Audit?.workloads[0]?.violations.baseline ?? assert.fail('nothing violates');
    };
    const first = found([baseline], [pod('one', shape)]);
    assert.equal(found([baseline], [pod('one', shape)], { team: 'web' }), first);
    assert.equal(found([baseline], [pod('one', shape), pod('two', shape)]), first);
    assert.equal(found([policy('baseline'), policy('other', { mode: 'Enforce' })], [pod('one', shape)]), first);
    assert.notEqual(found([policy('baseline', { level: 'restricted' })], [pod('one', shape)]), first);
  });
});
