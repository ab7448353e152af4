/**
 * Tests attempts to bypass a policy. These attempts are too complex for a row of test/attacks. The API server refuses
 * the attempt, the operator repairs the effect of the attempt, or the attempt has no effect.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Api, type Identity, type Json } from '../../hack/controlplane/api.ts';
import { COLLECTIONS } from '../../hack/controlplane/rendered.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { ADMINISTRATOR, ADMITTED, CREATOR, eventually, useCluster } from '../support/harness.ts';
import { grant } from '../support/namespace-changes.ts';
import { itIfOffered } from '../support/needs.ts';
import { podSecurityOf } from '../support/observed.ts';
import { baselinePod, privilegedPod, restrictedPod } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { OPERATOR_USER } from '../support/rights.ts';

const MERGE = 'application/merge-patch+json';
const MIRROR = 'kubernetes.io/config.mirror';
const POLICY = 'capabilitypolicy.dev/policy';
const PROBE = 'capabilitypolicy.dev/probe';
const RECORD = 'capabilitypolicy.dev/labels';
const LABELS = 'pod-security.kubernetes.io';
const REPAIRED_MS = 60_000;

describe('attempts to get around a policy', () => {
  const cluster = useCluster('bypass');
  let namespace: string;
  let policy: string;
  let filling: string;
  let filled: string;

  /** A policy without a Pod Security label. Only its admission policy can refuse a pod. */
  function enforce(team: string, rest: Partial<CapabilityPolicySpec> = {}): CapabilityPolicySpec {
    const namespaceSelector = { matchLabels: { team } };
    return { namespaceSelector, level: 'restricted', mode: 'Enforce', podSecurityLabels: 'Off', ...rest };
  }

  before(async () => {
    namespace = await cluster.namespace('team', { team: 'bypass' });
    filled = await cluster.namespace('filled', { team: 'filled' });
    policy = await cluster.policy(
      'it',
      enforce('bypass', { overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } }),
    );
    filling = await cluster.policy('filling', enforce('filled', { defaulting: 'Enabled' }));
    await cluster.programmed(policy, filling);
  });

  describe('by the annotation of a mirror pod', () => {
    it('a mirror pod is refused for every creator except a node', async () => {
      const pod = privilegedPod() as Json;
      const owner = { apiVersion: 'v1', kind: 'Node', name: 'node', uid: 'uid', controller: true };
      pod.metadata = { name: 'mirror', annotations: { [MIRROR]: 'hash' }, ownerReferences: [owner] };
      pod.spec.nodeName = 'node';
      assert.match(await cluster.admit(pod, namespace), byUs(policy));
      assert.match(await cluster.admit(pod, namespace, ADMINISTRATOR), byUs(policy));
      const node: Identity = { user: 'system:node:node', groups: ['system:nodes'] };
      await grant(cluster.api, node.user, [{ apiGroups: [''], resources: ['pods'], verbs: ['create'] }], {
        name: 'bypass-node',
      });
      await eventually('the right', async () => (await cluster.admit(pod, namespace, node)) === ADMITTED);
    });

    itIfOffered('mutatingAdmissionPolicies', 'is filled in like any other pod', async () => {
      const pod = baselinePod() as Json;
      pod.metadata = { name: 'mirror', annotations: { [MIRROR]: 'hash' } };
      pod.spec.nodeName = 'node';
      const { status, body } = await cluster.tryCreate(`${NAMESPACES}/${filled}/pods`, pod);
      assert.equal(status, 201, body.message);
      assert.equal(body.spec.containers[0].securityContext.allowPrivilegeEscalation, false);
    });

    it('can never be taken off the pod', async () => {
      const pod = restrictedPod() as Json;
      pod.metadata = { name: 'mirror', annotations: { [MIRROR]: 'hash' } };
      assert.match(await cluster.admit(pod, namespace), /is invalid: .*nodeName/);
      pod.spec.nodeName = 'node';
      const mirror = `${NAMESPACES}/${namespace}/pods/mirror`;
      await cluster.api.create(`${NAMESPACES}/${namespace}/pods`, pod);
      const body = { metadata: { annotations: { [MIRROR]: null } } };
      for (const subresource of ['', '/status']) {
        const answer = await cluster.api.ask('PATCH', mirror + subresource, { body, contentType: MERGE });
        assert.equal(answer.status, 422, `${subresource}: ${answer.body.message}`);
      }
      const answers = await Promise.all(
        ['/ephemeralcontainers', '/resize'].map((subresource) =>
          cluster.api.ask('PATCH', mirror + subresource, { body, contentType: MERGE }),
        ),
      );
      for (const { status } of answers) assert.ok(status === 200 || status >= 400);
      assert.equal((await cluster.api.get(mirror)).metadata.annotations[MIRROR], 'hash');
      await cluster.api.remove(mirror);
    });
  });

  describe('by the verbs of constrained impersonation', () => {
    itIfOffered('constrainedImpersonation', 'a user acts as the operator, and as a node without a policy', async () => {
      const [user, node] = ['bypass-impersonator', 'system:node:impersonated'];
      await grant(cluster.api, user, [
        identity('serviceaccount', 'serviceaccounts'),
        request('serviceaccount', 'delete', 'admissionregistration.k8s.io', 'validatingadmissionpolicies'),
        identity('arbitrary-node', 'nodes'),
        request('arbitrary-node', 'create', '', 'pods'),
      ]);
      await grant(cluster.api, node, [{ apiGroups: [''], resources: ['pods'], verbs: ['create'] }], {
        name: 'bypass-impersonated-node',
      });
      const api = new Api(cluster.controlPlane.kubeconfigFor(user));
      const deletes = (as?: Identity) =>
        api.ask('DELETE', `${COLLECTIONS.ValidatingAdmissionPolicy}/capabilitypolicy.enforce`, {
          query: { dryRun: 'All' },
          ...(as && { as }),
        });
      const pod = privilegedPod() as Json;
      const owner = { apiVersion: 'v1', kind: 'Node', name: 'impersonated', uid: 'uid', controller: true };
      pod.metadata = { name: 'mirror', annotations: { [MIRROR]: 'hash' }, ownerReferences: [owner] };
      pod.spec.nodeName = 'impersonated';
      const creates = (as: Identity) =>
        api.ask('POST', `${NAMESPACES}/${namespace}/pods`, { query: { dryRun: 'All' }, body: pod, as });
      await eventually('the rights', async () => (await deletes({ user: OPERATOR_USER })).status === 200);
      assert.equal((await deletes()).status, 403);
      await eventually('the right of the node', async () => (await creates({ user: node })).status === 201);
      assert.equal((await creates(CREATOR)).status, 403);
      await api.close();
    });
  });

  describe('by forging what we write', () => {
    itIfOffered(
      'mutatingAdmissionPolicies',
      'corrects the name of the policy that admitted a pod, where pods are filled in',
      async () => {
        const pod = restrictedPod() as Json;
        pod.metadata.annotations = { [POLICY]: 'system-approved' };
        const { body } = await cluster.tryCreate(`${NAMESPACES}/${filled}/pods`, pod);
        assert.equal(body.metadata.annotations[POLICY], filling);
      },
    );

    itIfOffered('mutatingAdmissionPolicies', "fills in a pod whatever labels it bears, a probe's too", async () => {
      const pod = baselinePod() as Json;
      pod.metadata.labels = { 'capabilitypolicy.dev/probe': 'x', 'capabilitypolicy.dev/probe-kind': 'mutation' };
      const { status, body } = await cluster.tryCreate(`${NAMESPACES}/${filled}/pods`, pod);
      assert.equal(status, 201, body.message);
      assert.equal(body.spec.containers[0].securityContext.allowPrivilegeEscalation, false);
    });

    it('the operator replaces a forged record and forged labels that a namespace has from its creation', async () => {
      const managed = await cluster.policy('managed', enforce('managed', { podSecurityLabels: 'Managed' }));
      await cluster.programmed(managed);
      const name = cluster.named('forged');
      const labels = { team: 'managed', [`${LABELS}/enforce`]: 'privileged' };
      const annotations = { [RECORD]: JSON.stringify({ [`${LABELS}/enforce`]: 'privileged' }) };
      await cluster.api.create(NAMESPACES, {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name, labels, annotations },
      });
      await eventually('our labels', async () => {
        const { labels, record } = await podSecurityOf(cluster.api, name);
        return labels.enforce === 'restricted' && record.enforce === 'restricted';
      });
    });

    it('without a policy, a copied record only takes back labels that have its values', async () => {
      const labelled = (enforce: string) => ({ [`${LABELS}/enforce`]: enforce });
      const annotations = { [RECORD]: JSON.stringify(labelled('baseline')) };
      const [copied, edited] = [cluster.named('copied'), cluster.named('edited')];
      for (const [name, labels] of [
        [copied, labelled('baseline')],
        [edited, labelled('restricted')],
      ] as const) {
        const metadata = { name, labels, annotations };
        await cluster.api.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata });
      }
      await eventually(
        'the label to go',
        async () => (await podSecurityOf(cluster.api, copied)).labels.enforce === undefined,
      );
      await cluster.programmed(await cluster.policy('touching', enforce('touching')));
      assert.equal((await podSecurityOf(cluster.api, edited)).labels.enforce, 'restricted');
      for (const name of [copied, edited]) await cluster.api.remove(`${NAMESPACES}/${name}`);
    });

    it('a policy that cannot be compiled keeps its rendered text, even if a forged object claims another text', async () => {
      const name = cluster.named('claimed');
      const team = await cluster.namespace('claimed', { team: 'claimed' });
      await cluster.programmed(await cluster.policy('claimed', enforce('claimed')));
      // The test reads only the newest Event. The times of Events have a resolution of seconds.
      await sleep(1_100);
      const path = `${COLLECTIONS.ClusterRole}/bypass-claim`;
      await cluster.byHand.apply(path, {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: {
          name: 'bypass-claim',
          labels: { 'app.kubernetes.io/managed-by': 'capabilitypolicy.dev', [POLICY]: name },
          annotations: { 'capabilitypolicy.dev/spec': JSON.stringify(enforce('claimed', { level: 'privileged' })) },
        },
        rules: [],
      });
      try {
        await cluster.policy('claimed', enforce('claimed', { levelVersion: 'v1.99' }));
        await eventually('the refusal', async () => (await cluster.condition(name, 'Accepted'))?.status === 'False');
        await cluster.programmed(await cluster.policy('touching', enforce('touching', { priority: 1 })));
        await sleep(1_000);
        assert.match(await cluster.admit(privilegedPod(), team), byUs(name));
      } finally {
        await cluster.byHand.remove(path);
      }
    });
  });

  describe('by names', () => {
    it('a policy is in force in a namespace whose name resembles the name of an excluded namespace', async () => {
      await inNamespace('kube-system-bypass', async (name) => {
        await eventually('refusal', async () => byUs(policy).test(await cluster.admit(privilegedPod(), name)));
      });
    });

    it('a policy is in force in openshift-* and gke-* if the cluster is neither OpenShift nor GKE', async () => {
      for (const name of ['openshift-bypass', 'gke-bypass']) {
        await inNamespace(name, async () => {
          await eventually('refusal', async () => byUs(policy).test(await cluster.admit(privilegedPod(), name)));
        });
      }
    });

    it('reaches no namespace of OpenShift on OpenShift', async () => {
      const name = 'clusterversions.config.openshift.io';
      const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
      await cluster.api.create(crds, clusterVersions(name));
      try {
        await eventually('OpenShift to be served', async () => {
          const { groups } = await cluster.api.get('/apis');
          return groups.some((group: Json) => group.name === 'config.openshift.io');
        });
        await cluster.operator.stop();
        await cluster.operator.startAndWatch();
        await inNamespace('openshift-of-platform', async (openshift) => {
          await eventually('freedom', async () => (await cluster.admit(privilegedPod(), openshift)) === ADMITTED);
        });
        await inNamespace('gke-of-nobody', async (gke) => {
          await eventually('refusal', async () => byUs(policy).test(await cluster.admit(privilegedPod(), gke)));
        });
      } finally {
        await cluster.api.remove(`${crds}/${name}`);
        await eventually('OpenShift to be gone', async () => {
          const { groups } = await cluster.api.get('/apis');
          return !groups.some((group: Json) => group.name === 'config.openshift.io');
        });
        await cluster.operator.stop();
        await cluster.operator.startAndWatch();
        await cluster.programmed(policy, filling);
      }
    });

    it('a namespace is not mistaken for another namespace if its name label states the name of the other namespace', async () => {
      const label = 'kubernetes.io/metadata.name';
      const dryRun = { query: { dryRun: 'All' } };
      const claiming = {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'alias', labels: { [label]: namespace } },
      };
      const made = await cluster.api.ask('POST', NAMESPACES, { body: claiming, ...dryRun });
      assert.equal(made.body.metadata.labels[label], 'alias');
      const body = { metadata: { labels: { [label]: namespace } } };
      const changed = await cluster.api.ask('PATCH', `${NAMESPACES}/${filled}`, {
        body,
        contentType: MERGE,
        ...dryRun,
      });
      assert.equal(changed.body.metadata.labels[label], filled);
    });

    itIfOffered(
      'mutatingAdmissionPolicies',
      'fills in nothing by a policy that is named to come first and that nobody here may use',
      async () => {
        const overrides = { capabilities: { defaultAdd: ['SYS_ADMIN' as const] } };
        const first = await cluster.policy(
          'aaa',
          enforce('filled', { level: 'privileged', usableBy: 'Bindings', defaulting: 'Enabled', overrides }),
        );
        await cluster.programmed(first, filling);
        const { status, body } = await cluster.tryCreate(`${NAMESPACES}/${filled}/pods`, baselinePod());
        assert.equal(status, 201, body.message);
        assert.equal(body.metadata.annotations[POLICY], filling);
        assert.deepEqual(body.spec.containers[0].securityContext.capabilities, { drop: ['ALL'] });
        assert.match(await cluster.admit(privilegedPod(), filled), byUs(filling));
        await cluster.deletePolicy(first);
      },
    );
  });

  it('if RBAC grants a user every verb in a namespace, the user may use all policies in this namespace, and nowhere else', async () => {
    const user = { user: 'bypass-owner', groups: CREATOR.groups ?? [] };
    const other = await cluster.namespace('owned', { team: 'owned' });
    const elsewhere = await cluster.namespace('not-owned', { team: 'owned' });
    const owned = await cluster.policy('owned', enforce('owned', { usableBy: 'Bindings' }));
    await cluster.programmed(owned);
    const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
    const binding = await grant(cluster.api, user.user, rules, { name: 'bypass-owner', namespace: other });
    await eventually('the right', async () => (await cluster.admit(restrictedPod(), other, user)) === ADMITTED);
    assert.match(await cluster.admit(restrictedPod(), other), byUs(owned));
    assert.match(await cluster.admit(restrictedPod(), elsewhere, user), byUs(owned));
    assert.match(await cluster.admit(privilegedPod(), other, user), byUs(owned));
    await cluster.api.remove(binding);
  });

  describe("by a probe's labels", () => {
    const template = (labels: object) => ({
      apiVersion: 'v1',
      kind: 'PodTemplate',
      metadata: { generateName: 'template-', labels },
      template: { metadata: {}, spec: (privilegedPod() as Json).spec },
    });
    let labels: Record<string, string>;

    before(async () => {
      const programs = await cluster.programs();
      const binding = programs.find(({ metadata }) => metadata.name === 'capabilitypolicy.enforce-probe');
      labels = binding?.spec.matchResources.objectSelector.matchLabels;
      assert.ok(PROBE in labels);
    });

    it('a PodTemplate with or without the labels gets a warning and is admitted', async () => {
      const path = `${NAMESPACES}/${namespace}/podtemplates`;
      for (const marks of [labels, {}]) {
        const { status, warnings } = await cluster.tryCreate(path, template(marks), ADMINISTRATOR);
        assert.equal(status, 201);
        assert.ok(
          warnings.some((text) => text.includes(`CapabilityPolicy ${policy}: `)),
          warnings.join('\n'),
        );
      }
    });

    it('a ClusterRole is refused only with these labels', async () => {
      const path = COLLECTIONS.ClusterRole ?? '';
      const created = (marks: object) => {
        const metadata = { generateName: 'marked-', labels: marks };
        const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata, rules: [] };
        return cluster.tryCreate(path, role, ADMINISTRATOR);
      };
      assert.match((await created(labels)).body.message, /program in force/);
      assert.equal((await created({ ...labels, [PROBE]: 'none' })).status, 201);
      assert.equal((await created({})).status, 201);
    });
  });

  describe('by hand', () => {
    before(() => cluster.settled());

    for (const [kind, of, suffix, patch] of [
      ['MutatingAdmissionPolicy', 'defaulting', '', { spec: { failurePolicy: 'Fail' } }],
      [
        'MutatingAdmissionPolicy',
        'defaulting',
        '',
        [{ op: 'add', path: '/spec/matchConditions/-', value: { name: 'never', expression: 'false' } }],
      ],
      [
        'MutatingAdmissionPolicyBinding',
        'defaulting',
        '-pods',
        { spec: { matchResources: { namespaceSelector: { matchLabels: { team: 'nobody' } } } } },
      ],
      ['ValidatingAdmissionPolicy', 'guard', '', [{ op: 'remove', path: '/spec/validations/2' }]],
      ['ValidatingAdmissionPolicyBinding', 'guard', '-namespaces', { spec: { validationActions: ['Audit'] } }],
      ['ClusterRole', 'filling', '', { rules: null }],
    ] as const) {
      const need = kind.startsWith('Mutating') ? 'mutatingAdmissionPolicies' : undefined;
      const title = `is repaired, and comes back when deleted: ${kind} of ${of}, ${JSON.stringify(patch).slice(0, 60)}`;
      itIfOffered(need, title, async () => {
        const objects = [...(await cluster.programs()), ...(await cluster.rendered(cluster.named('filling')))];
        const end = of === 'filling' ? '' : `capabilitypolicy.${of}${suffix}`;
        const before = objects.find((one) => one.kind === kind && one.metadata.name.endsWith(end));
        assert.ok(before, `no ${kind} of ${of}`);
        const path = `${COLLECTIONS[kind]}/${before.metadata.name}`;
        const repaired = async () => {
          const now = await cluster.api.find(path);
          const said = ({ spec, rules }: Json) => JSON.stringify([spec, rules]);
          return now !== undefined && said(now) === said(before);
        };
        await cluster.byHand.patch(path, patch);
        await eventually('the repair', repaired, REPAIRED_MS);
        await cluster.byHand.remove(path);
        await eventually('its return', repaired, REPAIRED_MS);
      });
    }

    it('the operator deletes only rendered objects, even if other objects have the same labels and names', async () => {
      const labels = { 'app.kubernetes.io/managed-by': 'capabilitypolicy.dev', [POLICY]: 'bypass-gone' };
      const collection = COLLECTIONS.ValidatingAdmissionPolicy ?? '';
      const spec = {
        matchConstraints: {
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        },
        validations: [{ expression: 'true' }],
      };
      const [ours, theirs] = ['capabilitypolicy-bypass-gone-0', 'bypass-theirs'];
      for (const name of [ours, theirs]) {
        const metadata = { name, labels };
        const kind = 'ValidatingAdmissionPolicy';
        await cluster.byHand.apply(`${collection}/${name}`, {
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind,
          metadata,
          spec,
        });
      }
      await eventually('ours to go', async () => (await cluster.api.find(`${collection}/${ours}`)) === undefined);
      assert.ok(await cluster.api.find(`${collection}/${theirs}`));
      await cluster.byHand.remove(`${collection}/${theirs}`);
    });

    it('is enforced again', async () => {
      await cluster.programmed(policy, filling);
      await eventually('refusal', async () => byUs(policy).test(await cluster.admit(privilegedPod(), namespace)));
    });
  });

  /** Creates a namespace that the policy selects, runs `meanwhile`, and removes the namespace. */
  async function inNamespace(name: string, meanwhile: (name: string) => Promise<void>): Promise<void> {
    const metadata = { name, labels: { team: 'bypass' } };
    await cluster.api.apply(`${NAMESPACES}/${name}`, { apiVersion: 'v1', kind: 'Namespace', metadata });
    await cluster.serviceAccount(name, 'default');
    await meanwhile(name).finally(() => cluster.api.remove(`${NAMESPACES}/${name}`));
  }
});

/** The right to be somebody (KEP-5284). */
function identity(mode: string, resource: string): object {
  return { verbs: [`impersonate:${mode}`], apiGroups: ['authentication.k8s.io'], resources: [resource] };
}

/** The right to send one kind of request as somebody (KEP-5284). */
function request(mode: string, verb: string, apiGroup: string, resource: string): object {
  return { verbs: [`impersonate-on:${mode}:${verb}`], apiGroups: [apiGroup], resources: [resource] };
}

/** cappol recognizes a cluster as OpenShift by this API. In this test, the API serves no objects. */
function clusterVersions(name: string): object {
  const schema = { openAPIV3Schema: { type: 'object' } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name },
    spec: {
      group: 'config.openshift.io',
      scope: 'Cluster',
      names: {
        plural: 'clusterversions',
        singular: 'clusterversion',
        kind: 'ClusterVersion',
        listKind: 'ClusterVersionList',
      },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}

function byUs(policy: string): RegExp {
  return new RegExp(`CapabilityPolicy ${policy}: `);
}
