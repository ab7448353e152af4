/**
 * Tests a Deployment that runs before its policy exists. The test follows the Deployment's pods and the policy's status
 * until the Deployment is repaired.
 */
import assert from 'node:assert/strict';
import type { Json } from '../../hack/controlplane/api.ts';
import { NODE_NEEDS } from '../../hack/node/needs.ts';
import { conditionOf, eventually } from '../support/harness.ts';
import { describeWith } from '../support/needs.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import { useNode } from './cluster.ts';
import { podSpec, RESTRICTED } from './pods.ts';

const NAME = 'web';
const REPLICAS = 3;
const VIOLATING = { ...RESTRICTED, capabilities: { drop: ['ALL'], add: ['SYS_TIME'] } };

describeWith(NODE_NEEDS, `a Deployment of ${REPLICAS} that violates a policy`, () => {
  const cluster = useNode();
  let namespace: string;

  before(async () => {
    namespace = await cluster.namespace('deployment');
    await apply(VIOLATING);
    await eventually('its pods to run', async () => (await ready()) === REPLICAS);
    await cluster.policy('deployment', namespace, { level: 'restricted', mode: 'Enforce' });
  });

  it('the status names the Deployment and its pods, and the pods continue to run', async () => {
    const { status } = await whenViolating(1);
    const violation = status.violations.find(({ message }: Json) => message.includes('SYS_TIME'));
    const named = [violation.namespace, violation.kind, violation.name, violation.pods];
    assert.deepEqual(named, [namespace, 'Deployment', NAME, REPLICAS]);
    assert.equal(conditionOf(await policy(), 'Compliant')?.status, 'False');
    assert.equal(await ready(), REPLICAS);
  });

  it('the Deployment gets no new pod, and the ReplicaSet says why', async () => {
    const [victim] = await pods();
    await cluster.api.remove(`${NAMESPACES}/${namespace}/pods/${victim.metadata.name}`);
    await eventually('the refusal', async () => {
      const [replicaSet] = await cluster.api.list(`/apis/apps/v1/namespaces/${namespace}/replicasets`);
      const failure = conditionOf(replicaSet, 'ReplicaFailure');
      return failure?.reason === 'FailedCreate' && /forbidden: .*SYS_TIME/.test(failure.message);
    });
    await eventually('one pod less', async () => (await ready()) === REPLICAS - 1);
    const twoPods = async () => (await policy()).status.violations.some(({ pods }: Json) => pods === REPLICAS - 1);
    await eventually('the status to count its pods', twoPods);
  });

  it('the repaired Deployment rolls out, and the status becomes Compliant', async () => {
    await apply(RESTRICTED);
    const seen: number[] = [];
    await eventually('the status to be clean', async () => {
      const { status } = await policy();
      const { violating } = status.workloads;
      if (seen.at(-1) !== violating) seen.push(violating);
      return violating === 0 && conditionOf({ status }, 'Compliant')?.status === 'True';
    });
    // The number of violating workloads may only decrease. When the Deployment complies, the old pods of the Deployment
    // no longer run.
    assert.deepEqual(seen, [1, 0]);
    await cluster.kubectl('rollout', 'status', `deployment/${NAME}`, '--namespace', namespace, '--timeout=120s');
    assert.equal(await ready(), REPLICAS);
    assert.ok((await staying()).every(({ spec }) => !JSON.stringify(spec).includes('SYS_TIME')));
  });

  async function apply(securityContext: object): Promise<void> {
    const labels = { app: NAME };
    await cluster.api.apply(`/apis/apps/v1/namespaces/${namespace}/deployments/${NAME}`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: NAME },
      spec: {
        replicas: REPLICAS,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: podSpec({ securityContext }) },
      },
    });
  }

  async function policy(): Promise<Json> {
    return cluster.api.get(`${POLICIES}/deployment`);
  }

  async function whenViolating(count: number): Promise<Json> {
    return eventually(`${count} violating`, async () => {
      const found = await policy();
      return found.status?.workloads?.violating === count && found;
    });
  }

  async function pods(): Promise<Json[]> {
    return cluster.api.list(`${NAMESPACES}/${namespace}/pods`, `app=${NAME}`);
  }

  /** The pods of the Deployment, without pods that are being deleted. */
  async function staying(): Promise<Json[]> {
    return (await pods()).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  async function ready(): Promise<number> {
    return (await staying()).filter((pod) => conditionOf(pod, 'Ready')?.status === 'True').length;
  }
});
