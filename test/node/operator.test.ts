/**
 * Tests the operator on a node that loses the operator's pods. Helm installs the operator, and the node runs the
 * operator's own image.
 */
import assert from 'node:assert/strict';
import type { Json } from '../../hack/controlplane/api.ts';
import { NODE_NEEDS } from '../../hack/node/needs.ts';
import { NODE_NAME } from '../../hack/node/node.ts';
import { statusIn } from '../kernel/containers.ts';
import { conditionOf, eventually } from '../support/harness.ts';
import { describeWith, itIfOffered } from '../support/needs.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import { OPERATOR_ACCOUNT, OPERATOR_NAMESPACE } from '../support/rights.ts';
import { useNode } from './cluster.ts';
import { pod, RESTRICTED } from './pods.ts';

const LEASES = `/apis/coordination.k8s.io/v1/namespaces/${OPERATOR_NAMESPACE}/leases`;
const SELECTOR = 'app.kubernetes.io/name=capabilitypolicy';
const REPLICAS = 2;
const DRAIN = ['drain', NODE_NAME, '--force', '--ignore-daemonsets', '--delete-emptydir-data'];

describeWith(NODE_NEEDS, 'the operator on a node', () => {
  const cluster = useNode();
  let namespace: string;

  before(async () => {
    namespace = await cluster.namespace('operator');
    await enforces('baseline');
  });
  after(async () => {
    await cluster.kubectl('uncordon', NODE_NAME);
  });

  it(`runs ${REPLICAS} times as an unprivileged user, and holds no capability`, async () => {
    for (const { metadata } of await allRunning()) {
      const read = `process.stdout.write(require('fs').readFileSync('/proc/1/status'))`;
      const where = [metadata.name, '--namespace', OPERATOR_NAMESPACE, '--'];
      const { stdout } = await cluster.kubectl('exec', ...where, '/nodejs/bin/node', '-e', read);
      const nothing = { bounding: 0n, permitted: 0n, effective: 0n, inheritable: 0n, ambient: 0n };
      assert.deepEqual(statusIn(stdout), { uid: 65532, noNewPrivileges: true, ...nothing });
    }
  });

  describe('under the protection, an admission policy in a file of the API server', () => {
    itIfOffered('staticAdmissionPolicies', 'has a token from its node, and nobody else gets one', async () => {
      await eventually('the condition', async () => {
        const policy = await cluster.api.get(`${POLICIES}/operator`);
        return conditionOf(policy, 'Protected')?.reason === 'FileInForce';
      });
      const token = cluster.kubectl('create', 'token', OPERATOR_ACCOUNT, '--namespace', OPERATOR_NAMESPACE);
      await assert.rejects(token, /only nodes may get tokens of the operator/);
    });

    itIfOffered('staticAdmissionPolicies', 'gives no pod a token of the garbage collector', async () => {
      const thief = pod('thief', { spec: { serviceAccountName: 'generic-garbage-collector' } });
      await cluster.api.create(`${NAMESPACES}/kube-system/pods`, thief);
      await eventually('the refusal', async () => {
        const events = await cluster.api.list('/apis/events.k8s.io/v1/namespaces/kube-system/events');
        const about = events.filter(({ regarding }) => regarding.name === 'thief');
        return about.some(({ note }) => /only kube-controller-manager may get tokens of its controllers/.test(note));
      });
      const { status } = await cluster.api.get(`${NAMESPACES}/kube-system/pods/thief`);
      assert.equal(status.phase, 'Pending');
      await cluster.api.remove(`${NAMESPACES}/kube-system/pods/thief`);
    });
  });

  it('when the leader crashes, another operator leads, and the container is restarted', async () => {
    const before = await lease();
    const path = `${NAMESPACES}/${OPERATOR_NAMESPACE}/pods/${before.replace(/_.*/, '')}`;
    const container = async () => (await cluster.api.get(path)).status.containerStatuses[0];
    const { containerID, restartCount } = await container();
    await cluster.node.killContainer(containerID.replace('containerd://', ''));
    await refuses();
    await enforces('restricted');
    assert.notEqual(await lease(), before);
    await eventually('the restart', async () => (await container()).restartCount > restartCount);
    await allRunning();
  });

  it('the PodDisruptionBudget keeps one replica while the only node is drained', async () => {
    await assert.rejects(cluster.kubectl(...DRAIN, '--timeout=15s'), /disruption budget/);
    await eventually('one operator', async () => (await running()).length === 1);
    await refuses();
    await enforces('baseline');
  });

  it('enforcement continues when a drain without eviction ends all operator pods', async () => {
    await cluster.kubectl(...DRAIN, '--disable-eviction', '--timeout=120s');
    assert.deepEqual(await running(), []);
    await refuses();
  });

  it('when the node is uncordoned, the operator comes back and brings changes into force', async () => {
    await cluster.kubectl('uncordon', NODE_NAME);
    await allRunning();
    await enforces('restricted');
    await refuses();
    await cluster.running(namespace, pod('admitted', { securityContext: RESTRICTED }));
  });

  /**
   * Changes the policy, and waits until the status says that the change is in force. A change that comes into force
   * proves that an operator is the leader.
   */
  async function enforces(level: 'baseline' | 'restricted'): Promise<void> {
    await cluster.policy('operator', namespace, { level, mode: 'Enforce' });
  }

  async function refuses(): Promise<void> {
    const privileged = pod('refused', { securityContext: { privileged: true } });
    await assert.rejects(cluster.api.create(`${NAMESPACES}/${namespace}/pods`, privileged), /forbidden: .*privileged/);
  }

  /**
   * The holder of the Lease. The text consists of the name of a pod, an underscore, and a suffix that differs at each
   * start of the operator.
   */
  async function lease(): Promise<string> {
    const leases = await cluster.api.list(LEASES);
    return leases.find(({ metadata }) => metadata.name.includes('capabilitypolicy')).spec.holderIdentity;
  }

  /** Waits until all operators run. A readiness probe may fail for a moment on a busy machine. */
  async function allRunning(): Promise<Json[]> {
    return eventually(`${REPLICAS} operators`, async () => {
      const operators = await running();
      return operators.length === REPLICAS && operators;
    });
  }

  /** The operators that are ready and not being deleted. */
  async function running(): Promise<Json[]> {
    const pods = await cluster.api.list(`${NAMESPACES}/${OPERATOR_NAMESPACE}/pods`, SELECTOR);
    return pods.filter((pod) => {
      return pod.metadata.deletionTimestamp === undefined && conditionOf(pod, 'Ready')?.status === 'True';
    });
  }
});
