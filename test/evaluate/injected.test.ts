import assert from 'node:assert/strict';
import { addedContainers, addedText } from '../../operator/evaluate/injected.ts';
import { evaluateNamespace } from '../../operator/evaluate/namespace.ts';
import { createUseIndex } from '../../operator/evaluate/use.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { WorkloadVerdict } from '../../operator/evaluate/workload-verdict.ts';
import type { PodContent, PodView, WorkloadView } from '../../operator/model/objects.ts';
import type { WorkloadKind } from '../../operator/model/workload-kinds.ts';
import { adding, app, ephemeral, init, pod } from '../support/pods.ts';
import { resolvedBaseline } from '../support/policies.ts';
import { clusterOf, ownedBy, podView, workloadView } from '../support/views.ts';

const MESH = { securityContext: { capabilities: { add: ['NET_ADMIN'] } } };
const INJECTED = init(MESH);
const baseline = resolvedBaseline('baseline');
const evaluation = { evaluator: new Evaluator(), use: createUseIndex([], []) };

function verdictOn(workloads: WorkloadView[], pods: PodView[]): WorkloadVerdict {
  const cluster = clusterOf(workloads, pods);
  const { modes } = evaluateNamespace({ name: 'net', labels: {} }, [baseline], cluster, evaluation);
  const [workload, ...others] = modes.Audit?.workloads ?? [];
  assert.ok(workload);
  assert.deepEqual(others, []);
  return workload;
}

/** Evaluates a workload with one pod. Returns `templateComplies` and the names of added containers. */
function origin(workloads: WorkloadView[], content: PodContent, owner: [WorkloadKind, string], revision?: string) {
  const view = podView('one', { ...content, ...ownedBy(...owner), ...(revision && { revision }) });
  const { templateComplies, added = [] } = verdictOn(workloads, [view]);
  return [templateComplies, ...added.map(({ name }) => name)];
}

describe('the containers that a pod has and its template lacks', () => {
  const spec = (content: PodContent) => content.spec;

  it('are found in each list, with the image', () => {
    const image = 'registry.example/proxy';
    assert.deepEqual(addedContainers(spec(init({ image })), spec(pod())), [
      { name: 'init', list: 'initContainers', image },
    ]);
    assert.deepEqual(addedContainers(spec(ephemeral({})), spec(pod())), [
      { name: 'debug', list: 'ephemeralContainers' },
    ]);
    const two = pod({ containers: [{ name: 'proxy' }, { name: 'app' }] });
    assert.deepEqual(addedContainers(spec(two), spec(pod())), [{ name: 'proxy', list: 'containers' }]);
    assert.deepEqual(addedContainers(spec(app({ privileged: true })), spec(pod())), []);
  });

  it('are named together with the workload', () => {
    const workload = { kind: 'Deployment', namespace: 'net', name: 'pinger' };
    const istio = { name: 'istio-init', list: 'initContainers' } as const;
    assert.equal(
      addedText([istio], workload),
      'container "istio-init" is not in the template of Deployment net/pinger: something injects it',
    );
    assert.equal(
      addedText([istio, { name: 'proxy', list: 'containers' }], workload),
      'containers "istio-init", "proxy" are not in the template of Deployment net/pinger: something injects them',
    );
    assert.equal(
      addedText([{ name: 'debug', list: 'ephemeralContainers' }], workload),
      'container "debug" is not in the template of Deployment net/pinger: added to a running pod',
    );
  });
});

describe('a violating pod of a workload whose template complies', () => {
  const deployment = workloadView('Deployment', 'web', { replicas: 1 });
  const replicaSet = (name: string, fields: Partial<WorkloadView> = {}) =>
    workloadView('ReplicaSet', name, { replicas: 1, ...ownedBy('Deployment', 'web'), ...fields });
  const old = { template: adding(['SYS_TIME']) };

  it('Deployment: is changed if the template of its ReplicaSet complies, and older otherwise', () => {
    const workloads = [deployment, replicaSet('new')];
    assert.deepEqual(origin(workloads, INJECTED, ['ReplicaSet', 'new']), ['Changed', 'init']);
    assert.deepEqual(origin(workloads, adding(['SYS_TIME']), ['ReplicaSet', 'new']), ['Changed']);
    const rolling = [deployment, replicaSet('old', old)];
    assert.deepEqual(origin(rolling, adding(['SYS_TIME']), ['ReplicaSet', 'old']), ['Older']);
    const history = [deployment, replicaSet('old', { ...old, replicas: 0 })];
    assert.deepEqual(origin(history, adding(['SYS_TIME']), ['ReplicaSet', 'old']), ['Older']);
  });

  it('Deployment: is unclear while a rollout replaces old pods, and something changes new ones', () => {
    const pods = [
      podView('old', { ...adding(['SYS_TIME']), ...ownedBy('ReplicaSet', 'old') }),
      podView('new', { ...INJECTED, ...ownedBy('ReplicaSet', 'new') }),
    ];
    const { templateComplies, added } = verdictOn([deployment, replicaSet('old', old), replicaSet('new')], pods);
    assert.equal(templateComplies, 'Unclear');
    assert.deepEqual(added, [{ name: 'init', list: 'initContainers' }]);
  });

  for (const kind of ['StatefulSet', 'DaemonSet'] as const) {
    it(`${kind}: is compared by the revision`, () => {
      const workloads = [workloadView(kind, 'db', { revision: '2' })];
      assert.deepEqual(origin(workloads, INJECTED, [kind, 'db'], '2'), ['Changed', 'init']);
      assert.deepEqual(origin(workloads, INJECTED, [kind, 'db'], '1'), ['Older']);
      assert.deepEqual(origin(workloads, INJECTED, [kind, 'db']), ['Unclear']);
      assert.deepEqual(origin([workloadView(kind, 'db')], INJECTED, [kind, 'db'], '2'), ['Unclear']);
    });
  }

  it('Job: is changed, because a Job has one template', () => {
    assert.deepEqual(origin([workloadView('Job', 'once')], INJECTED, ['Job', 'once']), ['Changed', 'init']);
  });

  it('ReplicationController, ReplicaSet without an owner: is unclear, because their template may have changed', () => {
    const controllers = [workloadView('ReplicationController', 'rc')];
    assert.deepEqual(origin(controllers, INJECTED, ['ReplicationController', 'rc']), ['Unclear']);
    assert.deepEqual(origin([workloadView('ReplicaSet', 'rs')], INJECTED, ['ReplicaSet', 'rs']), ['Unclear']);
  });

  it('a template that violates too: only the added container is named', () => {
    const workloads = [workloadView('Deployment', 'web', { ...old, replicas: 1 }), replicaSet('new', old)];
    const both = init(MESH, { securityContext: { capabilities: { add: ['SYS_TIME'] } } });
    assert.deepEqual(origin(workloads, both, ['ReplicaSet', 'new']), [undefined, 'init']);
  });

  it('an added container that complies is not named', () => {
    const changed = init({}, { securityContext: { capabilities: { add: ['SYS_TIME'] } } });
    assert.deepEqual(origin([workloadView('Job', 'once')], changed, ['Job', 'once']), ['Changed']);
  });
});
