import assert from 'node:assert/strict';
import type { Json } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { cappol } from '../support/cappol.ts';
import { eventually, useCluster } from '../support/harness.ts';
import { Injector } from '../support/injector.ts';
import { entries, eventsAbout, statusOf, timed } from '../support/observed.ts';
import { restrictedPod, workloads } from '../support/pod-manifests.ts';
import { POLICIES } from '../support/rendered.ts';

/** The maximum time in ms until the status is right, after a refusal and after its repair. */
const LIMIT_MS = 60_000;
const BY_PROGRAM =
  /^the API server refuses the pods with container "istio-init" that the template lacks: capabilities: container "istio-init" must not add capability NET_ADMIN/;
const BY_POD_SECURITY =
  /^Pod Security, by the label pod-security.kubernetes.io\/enforce=restricted, refuses the pods with container "istio-init" that the template lacks: violates PodSecurity "restricted:/;

describe('workloads whose pods are refused because a webhook injects a container', function () {
  this.timeout(300_000);
  const cluster = useCluster('refused');
  const node = '/api/v1/nodes/refused';

  before(async () => {
    await cluster.api.apply(node, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'refused' } });
  });

  for (const [plural, kind, podSecurityLabels] of [
    ['deployments', 'Deployment', 'Off'],
    ['replicationcontrollers', 'ReplicationController', 'Managed'],
    ['statefulsets', 'StatefulSet', 'Off'],
    ['daemonsets', 'DaemonSet', 'Off'],
    ['jobs', 'Job', 'Managed'],
  ] as const) {
    it(`a ${kind} violates the policy until an exception admits the container (labels: ${podSecurityLabels})`, async () => {
      const namespace = await cluster.namespace(plural, { team: plural });
      const policy = await cluster.policy(plural, enforced(plural, podSecurityLabels));
      await cluster.programmed(policy);
      await injecting(namespace, async () => {
        const compliant = async () => (await cluster.condition(policy, 'Compliant')) ?? { status: '', message: '' };
        const create = () => createWorkload(plural, namespace);
        const refusedMs = await timed('Compliant=False', create, async () => (await compliant()).status === 'False');
        const { message } = await compliant();
        const status = await statusOf(cluster.api, policy);
        assert.ok(message.includes(`${kind} ${namespace}/workload`) && message.includes('"istio-init"'), message);
        assert.ok(refusedMs < LIMIT_MS, `${refusedMs} ms`);
        assert.equal(status.workloads?.violating, 1);
        const [violation] = entries(status, { namespace, kind, name: 'workload', rule: 'refused' });
        assert.equal(violation?.container, 'istio-init');
        assert.match(violation?.message ?? '', podSecurityLabels === 'Off' ? BY_PROGRAM : BY_POD_SECURITY);

        const except = () => cluster.policy(`${plural}-exception`, exception(plural, podSecurityLabels));
        const repaired = async () => (await compliant()).status === 'True';
        const repairedMs = await timed('Compliant=True', except, repaired);
        assert.ok(repairedMs < LIMIT_MS, `${repairedMs} ms`);
        console.log(`      refused after ${refusedMs} ms, repaired after ${repairedMs} ms: ${message}`);
        const known = async () => (await statusOf(cluster.api, policy)).workloads?.unknown === 0;
        const waitedMs = await timed('the pods', async () => {}, known);
        console.log(`      ${waitedMs} ms later: ${(await compliant()).message}`);
      });
    });
  }

  it('cappol and the Events of the operator tell the refusal, and the refusal blocks a rollout', async () => {
    const namespace = await cluster.namespace('told', { team: 'told' });
    const policy = await cluster.policy('told', enforced('told', 'Off'));
    await cluster.programmed(policy);
    await injecting(namespace, async () => {
      await createWorkload('deployments', namespace);
      await eventually('the violation', async () => (await statusOf(cluster.api, policy)).workloads?.violating === 1);
      const [event] = await eventually('an Event', async () => {
        const events = await eventsAbout(cluster.api, 'Deployment', 'workload', namespace);
        return events.length > 0 && events;
      });
      assert.equal(event?.reason, 'WorkloadViolates');
      assert.match(event?.note, /refused: the API server refuses the pods with container "istio-init"/);

      const run = (...args: string[]) => cappol([...args, '--kubeconfig', cluster.controlPlane.kubeconfig]);
      const checked = await run('check', '--cluster', '--namespace', namespace, '-o', 'json');
      const [item] = JSON.parse(checked.stdout).items;
      assert.deepEqual([item.kind, item.verdict, item.onlyOldPods], ['Deployment', 'Violating', false]);
      assert.deepEqual([item.violations[0].rule, item.violations[0].container], ['refused', 'istio-init']);
      const explained = await run('explain', 'NET_ADMIN', '--cluster', '--namespace', namespace);
      assert.match(explained.stdout, /the API server refuses the pods of Deployment .*workload: .*"istio-init"/s);
      const suggested = await run('suggest', '--cluster', '--namespace', namespace);
      assert.match(suggested.stdout, /^# Nothing to write .* every running pod, but not every workload\.$/m);
      assert.match(suggested.stdout, /^# The API server refuses the pods of Deployment .*"istio-init"/m);
      const { stdout: status } = await run('status', '--namespace', namespace);
      assert.match(status, /Deployment .*workload.*refused/s);

      const pending = await cluster.policy('rolling', { ...enforced('told', 'Off'), rollout: { soak: '0s' } });
      const blocked = await eventually('the rollout to be blocked', async () => {
        const { rollout } = await statusOf(cluster.api, pending);
        return rollout?.blockedNamespaces?.find(({ name }) => name === namespace);
      });
      assert.match(blocked.worst ?? '', /^Deployment workload: refused: .*"istio-init"/);
      await cluster.deletePolicy(pending);
    });
  });

  it('a restarted operator knows the refusal, and a workload that is scaled to zero has none', async () => {
    const namespace = await cluster.namespace('again', { team: 'again' });
    const policy = await cluster.policy('again', enforced('again', 'Off'));
    await cluster.programmed(policy);
    await injecting(namespace, async () => {
      const violating = (count: number) =>
        eventually(`${count} violating workloads`, async () => {
          const { metadata, status } = await cluster.api.get(`${POLICIES}/${policy}`);
          const isCurrent = status.observedGeneration === metadata.generation;
          return isCurrent && status.workloads?.violating === count && status.workloads.evaluated === 1;
        });
      await createWorkload('deployments', namespace);
      await violating(1);
      await cluster.operator.stop();
      // The operator writes a new status only after the edit.
      await cluster.api.patch(`${POLICIES}/${policy}`, { spec: { reason: 'written while no operator runs' } });
      await cluster.operator.startAndWatch();
      await violating(1);
      const deployment = `/apis/apps/v1/namespaces/${namespace}/deployments/workload`;
      await cluster.api.patch(deployment, { spec: { replicas: 0 } });
      await violating(0);
      await cluster.api.patch(deployment, { spec: { replicas: 1 } });
      await violating(1);
      await cluster.api.remove(deployment);
    });
  });

  async function injecting(namespace: string, test: () => Promise<void>): Promise<void> {
    const injector = await Injector.start(cluster.api, { name: namespace, namespaces: [namespace] });
    await test().finally(() => injector.stop());
  }

  async function createWorkload(plural: string, namespace: string): Promise<void> {
    const { path, object } = workloads(restrictedPod()).find((one) => one.path.endsWith(`/${plural}`)) as Json;
    await cluster.api.create(path.replace('*', `namespaces/${namespace}`), object);
  }
});

function enforced(team: string, podSecurityLabels: 'Off' | 'Managed'): CapabilityPolicySpec {
  return { namespaceSelector: { matchLabels: { team } }, level: 'restricted', mode: 'Enforce', podSecurityLabels };
}

function exception(team: string, podSecurityLabels: 'Off' | 'Managed'): CapabilityPolicySpec {
  const overrides = {
    capabilities: { allowedAdd: ['NET_ADMIN', 'NET_BIND_SERVICE', 'NET_RAW'] },
    runAsNonRoot: false,
    runAsUser: { rule: 'RunAsAny' as const },
  };
  return { ...enforced(team, podSecurityLabels), containers: [{ names: ['istio-init'], overrides }] };
}
