import assert from 'node:assert/strict';
import fc from 'fast-check';
import { assessedCluster } from '../../../analysis/policies/assessed-cluster.ts';
import { snapshotOf } from '../../../cli/commands/snapshot/run.ts';
import { type StatusView, statusView } from '../../../cli/commands/status/view.ts';
import { acceptedStateOf } from '../../../cli/live.ts';
import type { CapabilityPolicyStatus, CompletePolicy } from '../../../operator/api/capability-policy.ts';
import { Evaluator } from '../../../operator/evaluate/violations.ts';
import type { Cluster } from '../../../operator/model/objects.ts';
import { capabilitiesInUse } from '../../../ui/model/capabilities-in-use.ts';
import { overviewOf } from '../../../ui/model/overview.ts';
import { arbitraryCluster } from '../../snapshot/clusters.ts';
import { adding, pod } from '../../support/pods.ts';
import { baselinePolicy } from '../../support/policies.ts';
import { ALL_RIGHTS, TAKING, takenSnapshot } from '../../support/snapshots.ts';
import { clusterOf, podView, wholeCluster, workloadView } from '../../support/views.ts';

const PROTECTION = { status: 'Unknown', message: '' } as const;
const evaluator = new Evaluator();

function overview(cluster: Cluster) {
  return overviewOf(takenSnapshot(cluster), 'containerd');
}

function status(cluster: Cluster): StatusView {
  const state = acceptedStateOf(cluster, ALL_RIGHTS, TAKING);
  return statusView({ cluster, state, ...ALL_RIGHTS, protection: PROTECTION }, evaluator);
}

/** Groups the violating workloads by a key of each violation. */
function violating(view: StatusView, keyOf: (one: StatusView['policies'][number]['violations'][number]) => string) {
  const all = view.policies.flatMap(({ violations }) => violations).filter(({ verdict }) => verdict === 'Violating');
  const groups = Map.groupBy(all, keyOf);
  return Object.fromEntries(
    [...groups].map(([key, group]) => [
      key,
      new Set(group.map(({ namespace, kind, name }) => `${namespace}/${kind}/${name}`)).size,
    ]),
  );
}

function namespace(name: string, labels: Record<string, string> = {}) {
  return { name, uid: name, terminating: false, labels, labelOwners: {} };
}

function withStatus(policy: CompletePolicy, status: CapabilityPolicyStatus): CompletePolicy {
  return { ...policy, status };
}

function condition(type: string, status: 'True' | 'False' | 'Unknown', reason = 'Because', message = 'a message') {
  const lastTransitionTime = '2026-11-26T00:00:00Z' as never;
  return { type, status, reason, message, lastTransitionTime, observedGeneration: 1 };
}

describe('the overview', () => {
  it('counts violating workloads like cappol status: in total, by rule and by namespace', () => {
    fc.assert(
      fc.property(arbitraryCluster, (cluster) => {
        const { violations } = overview(cluster);
        const view = status(cluster);
        assert.ok(violations);
        assert.equal(violations.all.total, violating(view, () => 'all').all ?? 0);
        const byRule = violations.byRule.map(({ rule, workloads }) => [rule, workloads.total]);
        assert.deepEqual(
          Object.fromEntries(byRule),
          violating(view, ({ rule }) => rule),
        );
        const byNamespace = violations.byNamespace.map(({ namespace, workloads }) => [namespace, workloads.total]);
        assert.deepEqual(
          Object.fromEntries(byNamespace),
          violating(view, (one) => one.namespace),
        );
        assert.equal(violations.namespaces, Object.keys(Object.fromEntries(byNamespace)).length);
      }),
      { numRuns: 200 },
    );
  });

  it('counts each namespace once, and as enforced if an Enforce policy decides in the namespace', () => {
    fc.assert(
      fc.property(arbitraryCluster, (cluster) => {
        const { namespaces } = overview(cluster);
        const enforced = takenSnapshot(cluster).namespaces.filter(({ deciding }) => deciding.Enforce);
        assert.equal(namespaces?.enforced, enforced.length);
        assert.equal(
          Object.values(namespaces ?? {}).reduce((sum, count) => sum + count, 0),
          cluster.namespaces().length,
        );
      }),
      { numRuns: 50 },
    );
  });

  it('tells the states of namespaces apart', () => {
    const policies = [
      baselinePolicy('rolled', {
        mode: 'Enforce',
        namespaceSelector: { matchLabels: { team: 'a' } },
        rollout: { meanwhile: 'Warn' },
      }),
      baselinePolicy('watching', { mode: 'Audit', namespaceSelector: { matchLabels: { team: 'b' } } }),
    ];
    const cluster = wholeCluster(clusterOf([]), policies, [
      namespace('done', { team: 'a' }),
      namespace('not-yet', { team: 'a', 'rollout.capabilitypolicy.dev/rolled': 'pending' }),
      namespace('audited', { team: 'b' }),
      namespace('nothing'),
      { ...namespace('going', { team: 'a' }), terminating: true },
      namespace('kube-system'),
    ]);
    assert.deepEqual(overview(cluster).namespaces, {
      enforced: 1,
      pending: 1,
      watched: 1,
      open: 1,
      leaving: 1,
      excluded: 1,
    });
  });

  it('shows no numbers of namespaces if the pods could not be read', () => {
    const cluster = wholeCluster(clusterOf([]), [baselinePolicy('p')], [namespace('a')]);
    const taken = snapshotOf(cluster, { ...ALL_RIGHTS, canEvaluate: false }, TAKING, evaluator);
    const { namespaces, violations } = overviewOf(taken, 'containerd');
    assert.equal(namespaces, undefined);
    assert.equal(violations, undefined);
  });

  it('counts the namespaces of a cluster in which policies reach no namespace', () => {
    const cluster = wholeCluster(
      clusterOf([]),
      [baselinePolicy('p')],
      [namespace('kube-system'), { ...namespace('going'), terminating: true }],
    );
    const { namespaces, violations } = overview(cluster);
    assert.deepEqual([namespaces?.excluded, namespaces?.leaving, violations?.all.total], [1, 1, 0]);
  });

  it('shows the progress of an incomplete rollout, and does not show a complete rollout', () => {
    const rollout = { meanwhile: 'Warn', soak: '24h' } as const;
    const blockedNamespaces = [{ name: 'b', violating: 2, since: '2026-11-25T00:00:00Z' as never }];
    const policies = [
      withStatus(baselinePolicy('half', { mode: 'Enforce', rollout }), {
        rollout: { enforced: 3, soaking: 1, blocked: 1, progress: '3/5', blockedNamespaces },
      }),
      withStatus(baselinePolicy('whole', { mode: 'Enforce', rollout }), {
        rollout: { enforced: 5, soaking: 0, blocked: 0, progress: '5/5' },
      }),
    ];
    const { rollouts } = overview(wholeCluster(clusterOf([]), policies, [namespace('b')]));
    assert.deepEqual(rollouts, [
      { policy: 'half', enforced: 3, soaking: 1, blocked: 1, total: 5, soak: '24h', paused: false, blockedNamespaces },
    ]);
  });

  it('has remarks on policies that are not ready, expire soon, or report a problem', () => {
    const ready = [condition('Accepted', 'True'), condition('Programmed', 'True'), condition('Ready', 'True')];
    const policies = [
      withStatus(baselinePolicy('fine'), { conditions: ready }),
      withStatus(baselinePolicy('refused'), {
        conditions: [
          condition('Accepted', 'False', 'InvalidSpec', 'no'),
          condition('Programmed', 'False', 'NotAccepted'),
          condition('Ready', 'False'),
        ],
      }),
      baselinePolicy('without-status'),
      withStatus(baselinePolicy('ends', { expires: '1970-01-05T00:00:00Z' }), { conditions: ready }),
      withStatus(baselinePolicy('labelled'), { conditions: [...ready, condition('LabelConflict', 'True')] }),
    ];
    const { remarks, notReady } = overview(wholeCluster(clusterOf([]), policies, [namespace('a')]));
    assert.deepEqual(
      remarks.map(({ policy, about, tone }) => [policy, about, tone]),
      [
        ['refused', 'Accepted', 'critical'],
        ['without-status', 'Ready', 'critical'],
        ['ends', 'Expires', 'warning'],
        ['labelled', 'LabelConflict', 'warning'],
      ],
    );
    assert.deepEqual(notReady, ['refused', 'without-status']);
  });

  it('has no remark on the missing status of policies that represent levels', () => {
    const cluster = assessedCluster(wholeCluster(clusterOf([]), [], [namespace('a')]));
    const snapshot = takenSnapshot(cluster, TAKING, { ...ALL_RIGHTS, installed: false });
    const { policies, remarks, notReady } = overviewOf(snapshot, 'containerd');
    assert.deepEqual([policies, remarks, notReady], [2, [], []]);
  });

  it('counts each workload once for a capability, by the strongest way in which the workload holds the capability', () => {
    const objects = clusterOf(
      [
        workloadView('Deployment', 'adds', { template: adding(['SYS_TIME', 'NET_RAW']) }),
        workloadView('Deployment', 'plain', {}),
      ],
      [podView('bare', { ...pod({ containers: [{ name: 'a', securityContext: { privileged: true } }] }) })],
    );
    const taken = takenSnapshot(wholeCluster(objects, [], [namespace('net')]));
    const inUse = capabilitiesInUse(taken, 'containerd');
    const of = (name: string) => inUse.find(({ capability }) => capability.name === name);
    assert.deepEqual({ ...of('SYS_TIME'), capability: 0 }, { capability: 0, privileged: 1, added: 1, byDefault: 0 });
    assert.deepEqual({ ...of('NET_RAW'), capability: 0 }, { capability: 0, privileged: 1, added: 1, byDefault: 1 });
    // CRI-O does not give NET_RAW by default.
    const onCrio = capabilitiesInUse(taken, 'CRI-O').find(({ capability }) => capability.name === 'NET_RAW');
    assert.equal(onCrio?.byDefault, 0);
  });
});
