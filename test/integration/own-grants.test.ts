/**
 * Tests that the operator evaluates workloads with the grants that the operator will write next. In this test, the
 * operator evaluates workloads before it writes the grants.
 */
import assert from 'node:assert/strict';
import type { Json } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicySpec, Subject } from '../../operator/api/capability-policy.ts';
import { APPLY_FAILED } from '../../operator/report/reasons.ts';
import { eventually, useCluster } from '../support/harness.ts';
import { eventsAbout, Observation, statusOf } from '../support/observed.ts';
import { baselinePod } from '../support/pod-manifests.ts';

describe('the status of a policy with its own subjects', function () {
  this.timeout(180_000);
  const cluster = useCluster('grants', { args: ['--kube-api-qps', '1', '--kube-api-burst', '1'] });

  function select(team: string, rest: Partial<CapabilityPolicySpec>): CapabilityPolicySpec {
    return { namespaceSelector: { matchLabels: { team } }, level: 'privileged', mode: 'Enforce', ...rest };
  }

  function granting(team: string, namespace: string, ...names: string[]): CapabilityPolicySpec {
    const subjects = names.map((name): Subject => ({ kind: 'ServiceAccount', namespace, name }));
    return select(team, { usableBy: 'Subjects', subjects });
  }

  async function deploy(namespace: string, serviceAccountName: string): Promise<void> {
    const labels = { app: serviceAccountName };
    const { spec } = baselinePod({ add: ['NET_ADMIN'] }) as Json;
    await cluster.api.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: serviceAccountName },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { ...spec, serviceAccountName } },
      },
    });
  }

  async function workloads(policy: string, wanted: { violating: number; evaluated: number }): Promise<void> {
    await eventually(`${wanted.violating} of ${wanted.evaluated} workloads to violate`, async () => {
      const { violating, evaluated } = (await statusOf(cluster.api, policy)).workloads ?? {};
      return violating === wanted.violating && evaluated === wanted.evaluated;
    });
  }

  /**
   * Checks that no status ever counts a violation, even for a moment. A status with a violation would make a Warning
   * Event.
   */
  async function neverViolates(policy: string, evaluated: number, act: () => Promise<unknown>): Promise<void> {
    const observation = await Observation.begin(cluster);
    await act();
    await cluster.programmed(policy);
    await workloads(policy, { violating: 0, evaluated });
    const states = await observation.end(cluster, policy);
    const texts = states
      .flatMap(({ status }) => status?.violations ?? [])
      .map(({ name, message }) => `${name}: ${message}`);
    assert.deepEqual([...new Set(texts)], []);
    const events = await eventsAbout(cluster.api, 'CapabilityPolicy', policy);
    // A busy API server may compile the program so late that an Event says so.
    assert.deepEqual(
      events
        .filter(({ type, reason }) => type === 'Warning' && reason !== APPLY_FAILED)
        .map(({ reason, note }) => `${reason}: ${note}`),
      [],
    );
  }

  it('the status lists no violation of the subjects of the policy before the binding exists', async () => {
    const namespace = await cluster.namespace('new', { team: 'new' });
    for (const name of ['a', 'b', 'c']) await deploy(namespace, name);
    await neverViolates(cluster.named('new'), 3, () =>
      cluster.policy('new', granting('new', namespace, 'a', 'b', 'c')),
    );
  });

  it('the status lists no violation of a new subject before the binding names the subject', async () => {
    const namespace = await cluster.namespace('named', { team: 'named' });
    await deploy(namespace, 'first');
    const policy = await cluster.policy('named', granting('named', namespace, 'first'));
    await cluster.programmed(policy);
    await workloads(policy, { violating: 0, evaluated: 1 });
    await neverViolates(policy, 2, async () => {
      await cluster.policy('named', granting('named', namespace, 'first', 'second'));
      await deploy(namespace, 'second');
    });
  });

  it('the status lists no violation of workloads that an earlier binding allows to use the policy', async () => {
    const namespace = await cluster.namespace('bound', { team: 'bound' });
    await deploy(namespace, 'pinger');
    const policy = cluster.named('bound');
    const apiGroup = 'rbac.authorization.k8s.io';
    await cluster.api.create(`/apis/${apiGroup}/v1/namespaces/${namespace}/rolebindings`, {
      apiVersion: `${apiGroup}/v1`,
      kind: 'RoleBinding',
      metadata: { name: 'pinger' },
      roleRef: { apiGroup, kind: 'ClusterRole', name: `capabilitypolicy.dev:use:${policy}` },
      subjects: [{ kind: 'ServiceAccount', namespace, name: 'pinger' }],
    });
    await neverViolates(policy, 1, () => cluster.policy('bound', select('bound', { usableBy: 'Bindings' })));
  });

  it('the status lists violations of other workloads, and of subjects that the policy no longer names', async () => {
    const namespace = await cluster.namespace('others', { team: 'others' });
    for (const name of ['other', 'former']) await deploy(namespace, name);
    const policy = await cluster.policy('others', granting('others', namespace, 'former'));
    await workloads(policy, { violating: 1, evaluated: 2 });
    await cluster.policy('others', granting('others', namespace, 'nobody'));
    await workloads(policy, { violating: 2, evaluated: 2 });
  });
});
