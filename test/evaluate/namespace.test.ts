import assert from 'node:assert/strict';
import { useRoleName } from '../../operator/compile/rbac.ts';
import { evaluateNamespace } from '../../operator/evaluate/namespace.ts';
import { createUseIndex } from '../../operator/evaluate/use.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { WorkloadVerdict } from '../../operator/evaluate/workload-verdict.ts';
import type { PodView, WorkloadView } from '../../operator/model/objects.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { adding, container } from '../support/pods.ts';
import { resolvedBaseline } from '../support/policies.ts';
import { binding, clusterOf, ownedBy, podView, useRole, workloadView } from '../support/views.ts';

const evaluator = new Evaluator();
const bad = { template: adding(['SYS_ADMIN']) };
const baseline = resolvedBaseline('baseline');
const ROLLOUT = ['Rollout', 'shop', 'argoproj.io/v1alpha1'] as const;

function result(workloads: WorkloadView[], pods: PodView[], policies: ResolvedPolicy[] = [baseline]) {
  const binds = [binding(useRoleName('raw'), { kind: 'ServiceAccount', name: 'pinger', namespace: 'net' })];
  const evaluation = { evaluator, use: createUseIndex([useRole('raw')], binds) };
  return evaluateNamespace(
    { name: 'net', labels: { team: 'network' } },
    policies,
    clusterOf(workloads, pods),
    evaluation,
  );
}

function brief({ kind, name, verdict, pods }: WorkloadVerdict): string {
  return `${kind}/${name} ${verdict} ${pods}`;
}

function audit(workloads: WorkloadView[], pods: PodView[] = []): string[] {
  return (result(workloads, pods).modes.Audit?.workloads ?? []).map(brief);
}

describe('the verdicts of a namespace', () => {
  const deployment = workloadView('Deployment', 'web', { ...bad, replicas: 0 });
  const replicaSet = workloadView('ReplicaSet', 'web-1', { ...bad, ...ownedBy('Deployment', 'web'), replicas: 2 });
  const badPod = (name: string) => podView(name, { ...adding(['SYS_ADMIN']), ...ownedBy('ReplicaSet', 'web-1') });

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
      [workloadView('Deployment', 'web'), { ...replicaSet, replicas: 1 }],
      [badPod('web-1-a')],
      ['Deployment/web Violating 1'],
    ],
    ['finds a CronJob by its template', [workloadView('CronJob', 'backup', bad)], [], ['CronJob/backup Violating 0']],
    ['finds a bare pod', [], [podView('one', adding(['SYS_ADMIN']))], ['Pod/one Violating 1']],
    [
      'finds an ephemeral container',
      [],
      [podView('one', adding([], { ephemeralContainers: [container('debug', ['SYS_ADMIN'])] }))],
      ['Pod/one Violating 1'],
    ],
    ['ignores mirror pods', [], [podView('one', { ...adding(['SYS_ADMIN']), mirror: true })], []],
    ['ignores finished pods', [], [podView('one', { ...adding(['SYS_ADMIN']), finished: true })], []],
    ['ignores finished Jobs', [workloadView('Job', 'once', { ...bad, finished: true })], [], []],
    [
      'finds a CronJob whose owner is a Deployment',
      [
        workloadView('Deployment', 'web'),
        workloadView('CronJob', 'nightly', { ...bad, ...ownedBy('Deployment', 'web') }),
      ],
      [],
      ['CronJob/nightly Violating 0', 'Deployment/web Compliant 0'],
    ],
    [
      "finds a DaemonSet that its operator's Deployment owns, and the pods of both",
      [
        workloadView('Deployment', 'operator'),
        workloadView('ReplicaSet', 'operator-1', { ...ownedBy('Deployment', 'operator'), replicas: 1 }),
        workloadView('DaemonSet', 'agent', { ...bad, ...ownedBy('Deployment', 'operator') }),
      ],
      [
        podView('operator-1-a', ownedBy('ReplicaSet', 'operator-1')),
        podView('agent-a', { ...adding(['SYS_ADMIN']), ...ownedBy('DaemonSet', 'agent') }),
      ],
      ['DaemonSet/agent Violating 1', 'Deployment/operator Compliant 0'],
    ],
    [
      'finds each template in a chain of owners',
      [
        workloadView('Deployment', 'top', ownedBy('App', 'shop', 'example.com/v1')),
        workloadView('StatefulSet', 'middle', ownedBy('Deployment', 'top')),
        workloadView('CronJob', 'bottom', { ...bad, ...ownedBy('StatefulSet', 'middle') }),
      ],
      [],
      ['App/shop Compliant 0', 'CronJob/bottom Violating 0', 'StatefulSet/middle Compliant 0'],
    ],
    ...(['Deployment', 'ReplicaSet', 'CronJob', 'Job'] as const).map(
      (kind): [string, WorkloadView[], PodView[], string[]] => [
        `finds a ${kind} that owns itself`,
        [workloadView(kind, 'own', { ...bad, ...ownedBy(kind, 'own'), replicas: 0 })],
        [],
        [`${kind}/own Violating 0`],
      ],
    ),
    [
      'finds workloads that own each other',
      [
        workloadView('Deployment', 'a', { ...bad, ...ownedBy('Deployment', 'b') }),
        workloadView('Deployment', 'b', { ...bad, ...ownedBy('Deployment', 'a') }),
      ],
      [],
      ['Deployment/a Violating 0', 'Deployment/b Violating 0'],
    ],
    [
      'finds a ReplicaSet with pods that a repaired Deployment has not replaced yet',
      [workloadView('Deployment', 'web'), { ...replicaSet, replicas: 1 }],
      [],
      ['Deployment/web Violating 0'],
    ],
    [
      'finds a running Job that a repaired CronJob created',
      [workloadView('CronJob', 'backup'), workloadView('Job', 'backup-1', { ...bad, ...ownedBy('CronJob', 'backup') })],
      [],
      ['CronJob/backup Violating 0'],
    ],
    [
      'finds a ReplicaSet at 0 replicas of a custom controller, which may scale it up',
      [workloadView('ReplicaSet', 'shop-1', { ...bad, ...ownedBy(...ROLLOUT), replicas: 0 })],
      [],
      ['Rollout/shop Violating 0'],
    ],
    [
      'finds a ReplicaSet at 0 replicas of a Deployment in another API group',
      [
        workloadView('ReplicaSet', 'shop-1', {
          ...bad,
          ...ownedBy('Deployment', 'web', 'example.com/v1'),
          replicas: 0,
        }),
      ],
      [],
      ['Deployment.example.com/web Violating 0'],
    ],
    ...(['DaemonSet', 'ReplicaSet'] as const).map((kind): [string, WorkloadView[], PodView[], string[]] => [
      `finds a ReplicaSet at 0 replicas of a ${kind}, which does not keep old revisions`,
      [
        workloadView(kind, 'other', { ...ownedBy(kind, 'other'), replicas: 1 }),
        workloadView('ReplicaSet', 'own', { ...bad, ...ownedBy(kind, 'other'), replicas: 0 }),
      ],
      [],
      kind === 'DaemonSet'
        ? ['DaemonSet/other Compliant 0', 'ReplicaSet/own Violating 0']
        : ['ReplicaSet/other Compliant 0', 'ReplicaSet/own Violating 0'],
    ]),
    [
      'ignores a ReplicaSet that a Deployment keeps for a rollback',
      [workloadView('Deployment', 'web'), { ...replicaSet, replicas: 0 }],
      [],
      ['Deployment/web Compliant 0'],
    ],
    [
      'ignores a ReplicaSet that a custom controller keeps for a rollback, beside one with pods',
      [
        workloadView('ReplicaSet', 'shop-1', { ...bad, ...ownedBy(...ROLLOUT), replicas: 0 }),
        workloadView('ReplicaSet', 'shop-2', { ...ownedBy(...ROLLOUT), replicas: 1 }),
      ],
      [],
      ['Rollout/shop Compliant 0'],
    ],
    [
      'finds a standalone ReplicaSet at 0 replicas',
      [workloadView('ReplicaSet', 'own', { ...bad, replicas: 0 })],
      [],
      ['ReplicaSet/own Violating 0'],
    ],
    [
      'reports the pods of a custom controller under it',
      [workloadView('StatefulSet', 'db', { ...bad, ...ownedBy('Database', 'main', 'example.com/v1') })],
      [],
      ['Database/main Violating 0'],
    ],
    [
      'sorts by kind and name',
      [workloadView('Job', 'b'), workloadView('Job', 'a'), workloadView('CronJob', 'z')],
      [],
      ['CronJob/z Compliant 0', 'Job/a Compliant 0', 'Job/b Compliant 0'],
    ],
    ['ignores other namespaces', [workloadView('Job', 'a', { ...bad, namespace: 'web' })], [], []],
  ];
  for (const [name, workloads, pods, expected] of cases) {
    it(name, () => {
      assert.deepEqual(audit(workloads, pods), expected);
    });
  }

  it('the verdict lists each violation of a workload once, by policy', () => {
    const [one] = result([deployment, replicaSet], [badPod('web-1-a'), badPod('web-1-b')]).modes.Audit?.workloads ?? [];
    assert.deepEqual(Object.keys(one?.violations ?? {}), ['baseline']);
    assert.equal(one?.violations.baseline?.length, 1);
  });

  it('the policies that decide in a mode evaluate the workloads for this mode', () => {
    const policies = [
      resolvedBaseline('cluster', { mode: 'Enforce' }),
      resolvedBaseline('team', {
        mode: 'Enforce',
        priority: 1,
        namespaceSelector: { matchLabels: { team: 'network' } },
        overrides: { capabilities: { allowedAdd: ['SYS_ADMIN'] } },
      }),
      resolvedBaseline('elsewhere', {
        mode: 'Enforce',
        priority: 2,
        namespaceSelector: { matchLabels: { team: 'web' } },
      }),
      resolvedBaseline('watch', { mode: 'Audit' }),
    ];
    const { modes } = result([deployment], [], policies);
    assert.deepEqual(Object.keys(modes), ['Enforce', 'Audit']);
    assert.deepEqual(modes.Enforce?.deciding, ['team']);
    assert.deepEqual(modes.Enforce?.workloads.map(brief), ['Deployment/web Compliant 0']);
    assert.deepEqual(modes.Audit?.workloads.map(brief), ['Deployment/web Violating 0']);
  });

  describe('a pod that a policy of mode Enforce admits, but a policy of mode Audit does not admit', () => {
    const raw: Parameters<typeof resolvedBaseline>[1] = { overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } };
    const rawPod = (name: string, add = ['NET_RAW']) =>
      podView(name, { ...adding(add), ...ownedBy('ReplicaSet', 'web') });
    const web = workloadView('ReplicaSet', 'web', { template: adding(['NET_RAW']), replicas: 2 });
    const enforce = (priority: number, more: Parameters<typeof resolvedBaseline>[1] = raw) =>
      resolvedBaseline('exception', { mode: 'Enforce', priority, ...more });
    const audit = (priority = 0) => resolvedBaseline('audit', { mode: 'Audit', priority });
    const warn = resolvedBaseline('warn', { mode: 'Warn' });
    const NOT_USABLE: Parameters<typeof resolvedBaseline>[1] = { ...raw, usableBy: 'Bindings' };

    /**
     * Each row has policies and pods. The last value of a row names the policy that admits the pods, as the verdict of
     * mode Audit says.
     */
    const cases: [string, ResolvedPolicy[], PodView[], string | undefined][] = [
      ['names it at a higher priority', [audit(), enforce(10)], [], 'exception'],
      ['names it at the same priority, where one of the two is enough', [audit(), enforce(0)], [], 'exception'],
      ['does not at a lower priority, where the other would decide alone', [audit(5), enforce(0)], [], undefined],
      [
        'does not if it does not decide itself',
        [audit(), enforce(0), resolvedBaseline('strict', { mode: 'Enforce', priority: 10 })],
        [],
        undefined,
      ],
      [
        'does not for another namespace',
        [audit(), enforce(10, { ...raw, namespaceSelector: { matchLabels: { team: 'web' } } })],
        [],
        undefined,
      ],
      ['does not if the workload may not use it', [audit(), enforce(10, NOT_USABLE)], [], undefined],
      [
        'does not if one of the pods is refused',
        [audit(), enforce(10)],
        [rawPod('a'), rawPod('b', ['SYS_ADMIN'])],
        undefined,
      ],
      ['names it if all pods are admitted', [audit(), enforce(10)], [rawPod('a'), rawPod('b')], 'exception'],
      [
        'does not for another mode than Enforce',
        [audit(), resolvedBaseline('warn', { mode: 'Warn', ...raw })],
        [],
        undefined,
      ],
    ];
    for (const [title, policies, pods, expected] of cases) {
      it(title, () => {
        const [found] = result([web], pods, policies).modes.Audit?.workloads ?? [];
        assert.equal(found?.verdict, 'Violating');
        assert.equal(found?.admittedBy, expected);
      });
    }

    it('the verdict also names the admitting policy for mode Warn, but not for mode Enforce or for compliant workloads', () => {
      const { modes } = result([web, workloadView('Deployment', 'good')], [], [audit(), warn, enforce(10)]);
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
    const raw = resolvedBaseline('raw', {
      usableBy: 'Bindings',
      overrides: { capabilities: { allowedAdd: ['NET_RAW'] } },
    });
    const cases: [string, PodView[], string[]][] = [
      ['calls a bare pod Unknown', [podView('one', adding(['NET_RAW']))], ['Pod/one Unknown 0']],
      [
        "counts its service account's right",
        [podView('one', { ...adding(['NET_RAW']), serviceAccount: 'pinger' })],
        ['Pod/one Compliant 0'],
      ],
      [
        'prefers Violating over Unknown',
        [
          podView('one', { ...adding(['NET_RAW']), ...ownedBy('Task', 'build', 'tekton.dev/v1') }),
          podView('two', { ...adding(['SYS_ADMIN']), ...ownedBy('Task', 'build', 'tekton.dev/v1') }),
        ],
        ['Task/build Violating 1'],
      ],
    ];
    for (const [name, pods, expected] of cases) {
      it(name, () => {
        assert.deepEqual(result([], pods, [raw]).modes.Audit?.workloads.map(brief), expected);
      });
    }
  });

  it('each shape is evaluated once for each text of a policy, even if labels, pods or other policies change', () => {
    const shape = adding(['SYS_ADMIN']);
    Object.freeze(shape.spec);
    const evaluation = { evaluator, use: createUseIndex([], []) };
    const found = (policies: ResolvedPolicy[], pods: PodView[], labels = {}) => {
      const { modes } = evaluateNamespace({ name: 'net', labels }, policies, clusterOf([], pods), evaluation);
      return modes.Audit?.workloads[0]?.violations.baseline ?? assert.fail('nothing violates');
    };
    const first = found([baseline], [podView('one', shape)]);
    assert.equal(found([baseline], [podView('one', shape)], { team: 'web' }), first);
    assert.equal(found([baseline], [podView('one', shape), podView('two', shape)]), first);
    assert.equal(
      found([resolvedBaseline('baseline'), resolvedBaseline('other', { mode: 'Enforce' })], [podView('one', shape)]),
      first,
    );
    assert.notEqual(found([resolvedBaseline('baseline', { level: 'restricted' })], [podView('one', shape)]), first);
  });
});
