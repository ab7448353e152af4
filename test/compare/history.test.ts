/** Tests the history of a cluster: each kind of change, and changes that do not count. */
import assert from 'node:assert/strict';
import { type History, historyOf, leftOutOfHistory, noHistoryBecause } from '../../analysis/history/history.ts';
import { assessedCluster } from '../../analysis/policies/assessed-cluster.ts';
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import { CAPABILITIES, RUNTIME_DEFAULT } from '../../operator/standards/capabilities.ts';
import { adding, app, OWN_USERS, pod, secured } from '../support/pods.ts';
import { baselinePolicy } from '../support/policies.ts';
import { readWithout, TAKING, takenSnapshot } from '../support/snapshots.ts';
import { clusterOf, ownedBy, podView, wholeCluster, workloadView } from '../support/views.ts';
import {
  between,
  changesOf,
  DROPPED,
  droppingAnd,
  MONDAY,
  NOTHING,
  namespaceView,
  PRIVILEGED,
  snapshotAt,
  TUESDAY,
  type World,
  web,
} from './worlds.ts';

describe('the history of a cluster', () => {
  it('names the times of both snapshots', () => {
    const { from, to } = between({}, {});
    assert.deepEqual([from, to], ['2026-11-23T00:00:00.000Z', '2026-11-24T00:00:00.000Z']);
  });

  describe('has no change', () => {
    const replicaSet = (name: string, template = pod()) => [
      workloadView('Deployment', 'web', { template }),
      workloadView('ReplicaSet', name, { template, ...ownedBy('Deployment', 'web') }),
    ];
    const podOf = (name: string, owner: string, content = pod()) =>
      podView(name, { ...content, ...ownedBy('ReplicaSet', owner) });
    const image = (tag: string) => app({ image: `web:${tag}`, ...secured({ capabilities: { add: ['NET_ADMIN'] } }) });
    const SAME: Readonly<Record<string, readonly [World, World]>> = {
      'a pod that its ReplicaSet replaced': [
        { workloads: replicaSet('web-1'), pods: [podOf('web-1-a', 'web-1')] },
        { workloads: replicaSet('web-1'), pods: [podOf('web-1-b', 'web-1')] },
      ],
      'a rollout of a new image': [
        { workloads: replicaSet('web-1', image('1')), pods: [podOf('web-1-a', 'web-1', image('1'))] },
        { workloads: replicaSet('web-2', image('2')), pods: [podOf('web-2-a', 'web-2', image('2'))] },
      ],
      'more replicas': [
        { workloads: replicaSet('web-1'), pods: [podOf('web-1-a', 'web-1')] },
        { workloads: replicaSet('web-1'), pods: ['a', 'b', 'c'].map((one) => podOf(`web-1-${one}`, 'web-1')) },
      ],
      'a run of a CronJob': [
        { workloads: [workloadView('CronJob', 'backup')] },
        {
          workloads: [
            workloadView('CronJob', 'backup'),
            workloadView('Job', 'backup-1', { ...ownedBy('CronJob', 'backup') }),
          ],
          pods: [podView('backup-1-x', ownedBy('Job', 'backup-1'))],
        },
      ],
      'a workload that is named in another order': [
        { workloads: ['a', 'b'].map((name) => workloadView('StatefulSet', name)) },
        { workloads: ['b', 'a'].map((name) => workloadView('StatefulSet', name)) },
      ],
      'a capability of the default that the manifest adds': [web(), web(adding(['CHOWN']))],
      'a dropped capability that was never held': [web(), web(app(secured({ capabilities: { drop: ['SYS_ADMIN'] } })))],
      'ALL added instead of privileged': [web(PRIVILEGED), web(adding(['ALL']))],
      'a static pod': [{}, { pods: [podView('etcd-node-1', { ...PRIVILEGED, mirror: true })] }],
      'an edit of a policy that stays the same kind of exception': [
        { policies: [baselinePolicy('ping', { usableBy: 'Bindings', reason: 'a' })] },
        { policies: [baselinePolicy('ping', { usableBy: 'Bindings', reason: 'b' })] },
      ],
      'a policy for everybody without an end': [{}, { policies: [baselinePolicy('all', { mode: 'Audit' })] }],
      'a policy that another one replaces in mode Enforce': [
        { policies: [baselinePolicy('old', { mode: 'Enforce' })] },
        { policies: [baselinePolicy('new', { mode: 'Enforce' })] },
      ],
      'a new namespace that is enforced from the beginning': [
        { policies: [baselinePolicy('all', { mode: 'Enforce' })] },
        {
          policies: [baselinePolicy('all', { mode: 'Enforce' })],
          namespaces: ['net', 'web'].map((one) => namespaceView(one)),
        },
      ],
      'an enforced namespace that is being deleted': [
        { policies: [baselinePolicy('all', { mode: 'Enforce' })] },
        {
          policies: [baselinePolicy('all', { mode: 'Enforce' })],
          namespaces: [namespaceView('net', { terminating: true })],
        },
      ],
    };
    for (const [what, [old, now]] of Object.entries(SAME)) {
      it(`for ${what}`, () => {
        assert.deepEqual(changesOf(between(old, now)), NOTHING);
        assert.deepEqual(changesOf(between(now, old)), NOTHING);
      });
    }
  });

  it('the history lists added and deleted workloads, sorted by namespace, kind and name', () => {
    const namespaces = ['net', 'web'].map((name) => namespaceView(name));
    const old = { namespaces, workloads: [workloadView('Deployment', 'a'), workloadView('StatefulSet', 'a')] };
    const pods = [
      podView('one'),
      podView('custom-0', { namespace: 'web', ...ownedBy('Rollout', 'custom', 'argoproj.io/v1alpha1') }),
    ];
    const now = { namespaces, workloads: [workloadView('StatefulSet', 'a'), workloadView('DaemonSet', 'b')], pods };
    assert.deepEqual(between(old, now).workloads, {
      came: [
        { namespace: 'net', kind: 'DaemonSet', name: 'b' },
        { namespace: 'net', kind: 'Pod', name: 'one' },
        { namespace: 'web', kind: 'Rollout', name: 'custom' },
      ],
      gone: [{ namespace: 'net', kind: 'Deployment', name: 'a' }],
    });
  });

  it('a finished Job is not gone, and a deleted finished Job is not listed', () => {
    const job = (finished: boolean) => ({
      workloads: [workloadView('Job', 'backup', { finished, template: DROPPED })],
    });
    const [running, finished, deleted] = [job(false), job(true), {}];
    for (const [old, now] of [
      [running, finished],
      [finished, deleted],
    ] as const) {
      assert.deepEqual(between(old, now).workloads, NOTHING.workloads);
      assert.deepEqual(between(now, old).workloads, NOTHING.workloads);
    }
    assert.equal(between(running, deleted).workloads.gone.length, 1);
    const holding = { workloads: [workloadView('Job', 'backup')] };
    assert.equal(between(holding, finished).capabilities.lost.length, 1);
  });

  describe('lists capabilities that containers gained and lost', () => {
    const WEB = { namespace: 'net', kind: 'Deployment', name: 'web', container: 'app' };
    const without = (names: readonly string[]) => CAPABILITIES.filter((name) => !names.includes(name));
    type Change = Partial<History['capabilities']['gained'][number]>;
    const ROWS: Readonly<Record<string, readonly [World, World, gained: Change[], lost: Change[]]>> = {
      'an added one': [
        web(DROPPED),
        web(droppingAnd(['NET_RAW', 'NET_ADMIN'])),
        [{ how: 'Added', capabilities: ['NET_ADMIN', 'NET_RAW'] }],
        [],
      ],
      'one that the runtime gives by default': [
        web(),
        web(app(secured({ capabilities: { drop: ['NET_RAW'] } }))),
        [],
        [{ how: 'ByDefault', capabilities: ['NET_RAW'] }],
      ],
      'one instead of another': [
        web(droppingAnd(['CHOWN'])),
        web(droppingAnd(['SYS_TIME'])),
        [{ how: 'Added', capabilities: ['SYS_TIME'] }],
        [{ how: 'Added', capabilities: ['CHOWN'] }],
      ],
      'all that privileged adds to the default': [
        web(),
        web(PRIVILEGED),
        [{ how: 'Privileged', capabilities: without(RUNTIME_DEFAULT) }],
        [],
      ],
      'all, without a default': [
        web(DROPPED),
        web(PRIVILEGED),
        [{ how: 'Privileged', capabilities: CAPABILITIES }],
        [],
      ],
      'one that counts on the node instead of in a user namespace': [
        web(droppingAnd(['SYS_ADMIN'], OWN_USERS)),
        web(droppingAnd(['SYS_ADMIN'])),
        [{ how: 'Added', capabilities: ['SYS_ADMIN'] }],
        [{ how: 'Added', inUserNamespace: true, capabilities: ['SYS_ADMIN'] }],
      ],
      'of a new workload': [{}, web(droppingAnd(['SYS_ADMIN'])), [{ how: 'Added', capabilities: ['SYS_ADMIN'] }], []],
      'of another container': [
        web(DROPPED),
        web({ ...DROPPED, spec: { ...DROPPED.spec, initContainers: [{ name: 'init' }] } }),
        [{ container: 'init', how: 'ByDefault', capabilities: RUNTIME_DEFAULT }],
        [],
      ],
      'of a running pod that differs from the template': [
        { ...web(DROPPED), pods: [podView('web-0', { ...DROPPED, ...ownedBy('Deployment', 'web') })] },
        { ...web(DROPPED), pods: [podView('web-0', { ...PRIVILEGED, ...ownedBy('Deployment', 'web') })] },
        [{ how: 'Privileged', capabilities: CAPABILITIES }],
        [],
      ],
      'by the way that asks for more, if the pods differ': [
        web(DROPPED),
        {
          ...web(droppingAnd(['SETPCAP', 'CHOWN'])),
          pods: [
            podView('web-0', {
              ...app(secured({ capabilities: { drop: ['CHOWN'] } })),
              ...ownedBy('Deployment', 'web'),
            }),
          ],
        },
        [
          { how: 'Added', capabilities: ['CHOWN', 'SETPCAP'] },
          { how: 'ByDefault', capabilities: RUNTIME_DEFAULT.filter((name) => !['CHOWN', 'SETPCAP'].includes(name)) },
        ],
        [],
      ],
      'by the way that asks for more, in the other order': [
        web(DROPPED),
        {
          ...web(app(secured({ capabilities: { drop: ['CHOWN'] } }))),
          pods: [podView('web-0', { ...droppingAnd(['SETPCAP', 'CHOWN']), ...ownedBy('Deployment', 'web') })],
        },
        [
          { how: 'Added', capabilities: ['CHOWN', 'SETPCAP'] },
          { how: 'ByDefault', capabilities: RUNTIME_DEFAULT.filter((name) => !['CHOWN', 'SETPCAP'].includes(name)) },
        ],
        [],
      ],
      'while an old pod still holds it': [
        { ...web(PRIVILEGED), pods: [podView('web-0', { ...PRIVILEGED, ...ownedBy('Deployment', 'web') })] },
        { ...web(DROPPED), pods: [podView('web-0', { ...PRIVILEGED, ...ownedBy('Deployment', 'web') })] },
        [],
        [],
      ],
    };
    for (const [what, [old, now, gained, lost]] of Object.entries(ROWS)) {
      it(what, () => {
        const whole = (one: Change) => ({ ...WEB, inUserNamespace: false, ...one });
        assert.deepEqual(between(old, now).capabilities, { gained: gained.map(whole), lost: lost.map(whole) });
      });
    }
  });

  describe('lists namespaces', () => {
    const enforcing = baselinePolicy('all', { mode: 'Enforce' });
    const namespaces = ['net', 'web'].map((name) => namespaceView(name));
    const onlyWeb = baselinePolicy('all', {
      mode: 'Enforce',
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'web' } },
    });
    const ROWS: Readonly<Record<string, readonly [enforced: World, not: World, names: string[]]>> = {
      'whose policy is deleted': [{ policies: [enforcing] }, {}, ['net']],
      'whose policy warns only': [
        { policies: [enforcing] },
        { policies: [baselinePolicy('all', { mode: 'Warn' })] },
        ['net'],
      ],
      'that the selector leaves out': [
        { policies: [enforcing], namespaces },
        { policies: [onlyWeb], namespaces },
        ['net'],
      ],
      'in their order': [{ policies: [enforcing], namespaces }, { namespaces }, ['net', 'web']],
    };
    for (const [what, [enforced, not, names]] of Object.entries(ROWS)) {
      it(`${what}, as no longer and as newly enforced`, () => {
        const listed = names.map((namespace) => ({ namespace, policies: ['all'] }));
        assert.deepEqual(between(enforced, not).namespaces, { enforced: [], notEnforced: listed });
        assert.deepEqual(between(not, enforced).namespaces, { enforced: listed, notEnforced: [] });
      });
    }

    it('whose policy expired', () => {
      const world = { policies: [baselinePolicy('all', { mode: 'Enforce', expires: '2026-11-23T12:00:00Z' })] };
      assert.deepEqual(between(world, world).namespaces.notEnforced, [{ namespace: 'net', policies: ['all'] }]);
    });
  });
});

describe('the history of a pair of snapshots', () => {
  const complete = snapshotAt(MONDAY, web());

  it('a pair has no history if one snapshot lacks pods or workloads', () => {
    const missing = ['you may not list pods: nothing is evaluated, so there are no verdicts'];
    const cluster = wholeCluster(clusterOf([]), [], [namespaceView('net')]);
    const { rights } = readWithout([], cluster);
    const incomplete = takenSnapshot(cluster, { ...TAKING, at: TUESDAY }, { ...rights, missing, canEvaluate: false });
    const because = `the snapshot of 2026-11-24T00:00:00.000Z is incomplete: ${missing[0]}`;
    assert.equal(noHistoryBecause(complete, incomplete), because);
    assert.equal(noHistoryBecause(incomplete, complete), because);
  });

  it('a pair has no history if the snapshots are of two clusters', () => {
    const created = (time: number) =>
      snapshotAt(MONDAY, { namespaces: [namespaceView('kube-system', { created: time })] });
    assert.match(noHistoryBecause(created(1_000), created(2_000)) ?? '', /two different clusters/);
    assert.equal(noHistoryBecause(created(1_000), created(1_000)), undefined);
  });

  it('a pair has a history if one snapshot lacks only the roles', () => {
    const { cluster, rights } = readWithout(['roles'], wholeCluster(clusterOf([]), [], [namespaceView('net')]));
    const missing = ['you may not list roles: everybody is assumed to be a user'];
    assert.equal(noHistoryBecause(complete, takenSnapshot(cluster, TAKING, { ...rights, missing })), undefined);
  });

  it('a pair has no PodTemplates if one cluster had no CRD, because such PodTemplates are not read', () => {
    const template = workloadView('PodTemplate', 'template', { template: PRIVILEGED });
    const deployment = workloadView('Deployment', 'web');
    const installed = snapshotAt(TUESDAY, { workloads: [template, deployment] });
    const { cluster, rights } = readWithout([], wholeCluster(clusterOf([]), [], [namespaceView('net')]));
    const before = takenSnapshot(assessedCluster(cluster), { ...TAKING, at: MONDAY }, { ...rights, installed: false });
    const only = [{ namespace: 'net', kind: 'Deployment', name: 'web' }];
    const [came, gone] = [historyOf(before, installed), historyOf(installed, before)];
    assert.deepEqual(
      [came.workloads, gone.workloads],
      [
        { came: only, gone: [] },
        { came: [], gone: only },
      ],
    );
    assert.deepEqual(
      came.capabilities.gained.map(({ name }) => name),
      ['web'],
    );
  });

  describe('leaves out what depends on the users of policies', () => {
    const loose = (usableBy: 'Bindings' | 'Everyone') => [
      baselinePolicy('base', { mode: 'Enforce' }),
      baselinePolicy('loose', {
        mode: 'Enforce',
        usableBy,
        overrides: { capabilities: { allowedAdd: ['NET_ADMIN', 'SYS_TIME'] } },
      }),
    ];
    const taken = (at: number, unread: readonly 'roles'[], policies: CompletePolicy[], add: string[]) => {
      const { workloads } = web(adding(add));
      const { cluster, rights } = readWithout(
        unread,
        wholeCluster(clusterOf(workloads), policies, [namespaceView('net')]),
      );
      return takenSnapshot(cluster, { ...TAKING, at }, rights);
    };
    const isWhole = ({ path }: History['exceptions']['unused'][number]) => path === 'spec';
    const [usersUnknown, usersKnown] = [
      taken(TUESDAY, ['roles'], loose('Bindings'), ['NET_ADMIN']),
      taken(MONDAY, [], loose('Bindings'), ['NET_ADMIN', 'SYS_TIME']),
    ];

    it('if only one snapshot has the users, and says so', () => {
      for (const [old, now] of [
        [usersKnown, usersUnknown],
        [usersUnknown, usersKnown],
      ] as const) {
        const { unused, neededAgain } = historyOf(old, now).exceptions;
        assert.deepEqual(
          [...unused, ...neededAgain].map(({ entry }) => entry),
          ['SYS_TIME'],
        );
        assert.match(leftOutOfHistory(old, now) ?? '', /^the snapshot of 2026-11-24T00:00:00\.000Z lacks the users/);
      }
    });

    it('but nothing if both snapshots have the users, or if no policy has restricted use', () => {
      const later = taken(TUESDAY, [], loose('Bindings'), ['CHOWN']);
      const pairs = [
        [usersKnown, later],
        [taken(MONDAY, [], loose('Everyone'), ['NET_ADMIN']), taken(TUESDAY, ['roles'], loose('Everyone'), ['CHOWN'])],
      ] as const;
      assert.equal(leftOutOfHistory(...pairs[0]), undefined);
      assert.equal(leftOutOfHistory(...pairs[1]), undefined);
      assert.ok(historyOf(...pairs[1]).exceptions.unused.some(isWhole));
    });
  });
});
