/** Tests writes of the operator that the API server refuses because of another tool's admission policy. */
import assert from 'node:assert/strict';
import type { Json } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicySpec, Condition } from '../../operator/api/capability-policy.ts';
import { PROBE_LABEL } from '../../operator/compile/match.ts';
import { cappol } from '../support/cappol.ts';
import { refuseWrites } from '../support/foreign-policy.ts';
import { ADMITTED, conditionOf, eventually, useCluster } from '../support/harness.ts';
import { eventsAbout } from '../support/observed.ts';
import { baselinePod, privilegedPod, restrictedPod } from '../support/pod-manifests.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';

const RBAC = 'rbac.authorization.k8s.io';

describe('writes that another admission policy refuses', function () {
  this.timeout(300_000);
  const cluster = useCluster('refused');
  let allow: (() => Promise<void>)[] = [];

  // A test that fails must not leave its admission policy to the next test.
  afterEach(async () => {
    for (const one of allow) await one();
    allow = [];
  });

  async function refuse(
    name: string,
    rule: { apiGroups: string[]; resources: string[]; operations: string[] },
    expression?: string,
  ) {
    const stop = await refuseWrites(cluster.api, {
      name: `aaa-${cluster.named(name)}`,
      rule,
      ...(expression && { expression }),
    });
    allow.push(stop);
    return async () => {
      allow = allow.filter((one) => one !== stop);
      await stop();
    };
  }

  const refuseLabels = (name: string, ...namespaces: string[]) =>
    refuse(
      name,
      { apiGroups: [''], resources: ['namespaces'], operations: ['UPDATE'] },
      `!(object.metadata.name in ${JSON.stringify(namespaces)})`,
    );

  const select = (team: string, rest: Partial<CapabilityPolicySpec> = {}): CapabilityPolicySpec => ({
    namespaceSelector: { matchLabels: { team } },
    level: 'restricted',
    mode: 'Enforce',
    ...rest,
  });

  /** Waits for a condition with this reason, of the current generation, and returns it. */
  function reports(policy: string, type: string, reason: string): Promise<Condition> {
    let last: Json;
    return eventually(
      `${type} ${reason} of ${policy}`,
      async () => {
        last = await cluster.api.get(`${POLICIES}/${policy}`);
        const found = conditionOf(last, type);
        const isCurrent = found?.observedGeneration === last.metadata.generation;
        return isCurrent && found?.reason === reason ? found : undefined;
      },
      60_000,
    ).catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(last.status)}`);
    });
  }

  async function restart(): Promise<void> {
    await cluster.operator.stop();
    await cluster.operator.startAndWatch();
  }

  /** A change of the namespace makes the operator try again at once. */
  async function touch(namespace: string): Promise<void> {
    await cluster.api.patch(`${NAMESPACES}/${namespace}`, { metadata: { annotations: { touched: `${Date.now()}` } } });
  }

  const isReported = (kind: string, name: string, reason: string, note: RegExp) =>
    eventually(`the Event ${reason} on ${name}`, async () =>
      (await eventsAbout(cluster.api, kind, name)).some((one) => one.reason === reason && note.test(one.note)),
    );

  describe('labels', () => {
    it('a label that cannot be set makes the policy unready, and names the refusal; other policies are ready', async () => {
      const namespace = await cluster.namespace('labels', { team: 'labels' });
      await cluster.namespace('beside', { team: 'beside' });
      const stop = await refuseLabels('labels', namespace);
      const policy = await cluster.policy('labels', select('labels'));
      const { status, message } = await reports(policy, 'Ready', 'ApplyFailed');
      assert.equal(status, 'False');
      assert.match(message, new RegExp(`^namespace ${namespace}: label pod-security.*frozen by aaa-refused-labels`));
      await reports(policy, 'LabelRefused', 'WriteRefused');
      await isReported('CapabilityPolicy', policy, 'WriteRefused', /frozen by aaa-refused-labels/);
      await isReported('Namespace', namespace, 'WriteRefused', /cannot be set: .*frozen by aaa-refused-labels/);
      const beside = await cluster.policy('beside', select('beside'));
      assert.equal((await reports(beside, 'Ready', 'InForce')).status, 'True');
      await restart();
      await reports(policy, 'Ready', 'ApplyFailed');
      await stop();
      await touch(namespace);
      await reports(policy, 'Ready', 'InForce');
      assert.equal(await cluster.condition(policy, 'LabelRefused'), undefined);
    });

    it('a label that cannot be removed is said, also after break glass and after the deletion of the policy', async () => {
      const namespace = await cluster.namespace('glass', { team: 'glass' });
      const policy = await cluster.policy('glass', select('glass'));
      await cluster.programmed(policy);
      await eventually('the label', async () => {
        const { metadata } = await cluster.api.get(`${NAMESPACES}/${namespace}`);
        return metadata.labels['pod-security.kubernetes.io/enforce'] === 'restricted';
      });
      const stop = await refuseLabels('glass', namespace);
      await cluster.policy('glass', select('glass', { mode: 'Audit' }));
      assert.match((await reports(policy, 'Ready', 'ApplyFailed')).message, /enforce cannot be removed/);
      await cluster.deletePolicy(policy);
      await isReported(
        'Namespace',
        namespace,
        'WriteRefused',
        /^label [^,]*enforce cannot be removed, [^,]*: .*frozen/,
      );
      await stop();
      await touch(namespace);
      await eventually('the label to be gone', async () => {
        const { metadata } = await cluster.api.get(`${NAMESPACES}/${namespace}`);
        return metadata.labels['pod-security.kubernetes.io/enforce'] === undefined;
      });
    });

    it("refusals in a platform's namespaces are counted and named apart, and the policy is ready", async () => {
      const labels = { team: 'platform', 'kubernetes.azure.com/managedby': 'aks' };
      const managed = await cluster.namespace('managed', labels);
      await refuseLabels('platform', managed);
      const policy = await cluster.policy('platform', select('platform'));
      await cluster.programmed(policy);
      const { message } = await reports(policy, 'LabelRefused', 'WriteRefused');
      assert.match(message, new RegExp(`^1 namespace of the platform \\(${managed}\\) may refuse labels forever`));
      assert.match(message, /--excluded-namespaces/);
      assert.equal((await reports(policy, 'Ready', 'InForce')).status, 'True');
      assert.match(
        (await cluster.condition(policy, 'Accepted'))?.message ?? '',
        new RegExp(
          `carries the cluster's platform \\(${managed}: label kubernetes.azure.com/managedby=aks \\(AKS\\)\\)`,
        ),
      );
    });
  });

  it('namespaces that carry the platform are named with the flag to set, and are not excluded', async () => {
    const namespace = await cluster.namespace('cni', { team: 'cni' });
    const labels = { app: 'cni' };
    const containers = [{ name: 'a', image: 'a', securityContext: { privileged: true } }];
    await cluster.api.create(`/apis/apps/v1/namespaces/${namespace}/daemonsets`, {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'agent' },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers, tolerations: [{ operator: 'Exists' }] } },
      },
    });
    const policy = await cluster.policy('cni', select('cni'));
    await cluster.programmed(policy);
    const evidence = `${namespace}: privileged DaemonSet agent tolerates every taint`;
    await eventually('the message', async () =>
      (await cluster.condition(policy, 'Accepted'))?.message.includes(evidence),
    );
    assert.notEqual(await cluster.admit(privilegedPod(), namespace), ADMITTED);
    const { stderr } = await cappol(['check', '--cluster', '-A', '--kubeconfig', cluster.controlPlane.kubeconfig]);
    assert.ok(stderr.includes(`  ${evidence}\n`), stderr);
    assert.match(stderr, new RegExp(`--excluded-namespaces=kube-system,kube-public,kube-node-lease,.*${namespace}`));
  });

  /**
   * Registers a webhook that does not answer. Mutating webhooks run before all validating admission policies, so the
   * answer to a probe is always the webhook's. The order among validating admission policies may change.
   */
  async function failingWebhook(name: string): Promise<() => Promise<void>> {
    const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
    await cluster.api.create(path, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: cluster.named(name) },
      webhooks: [
        {
          name,
          clientConfig: { url: 'https://127.0.0.1:1/' },
          rules: [{ apiGroups: [RBAC], apiVersions: ['*'], resources: ['clusterroles'], operations: ['CREATE'] }],
          objectSelector: { matchExpressions: [{ key: PROBE_LABEL, operator: 'Exists' }] },
          failurePolicy: 'Fail',
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    });
    const stop = () => cluster.api.remove(`${path}/${cluster.named(name)}`);
    allow.push(stop);
    const body = {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRole',
      metadata: { name: cluster.named(name), labels: { [PROBE_LABEL]: '' } },
    };
    await eventually('the webhook to fail', async () => {
      const { status } = await cluster.api.ask('POST', `/apis/${RBAC}/v1/clusterroles`, {
        body,
        query: { dryRun: 'All' },
      });
      return status === 500;
    });
    return async () => {
      allow = allow.filter((one) => one !== stop);
      await stop();
    };
  }

  it('a refused probe: the policy may be enforced, and the status names the webhook that refuses the probe', async () => {
    const off = { podSecurityLabels: 'Off' } as const;
    await cluster.programmed(await cluster.policy('probed', select('probed', off)));
    const namespace = await cluster.namespace('probe', { team: 'probe' });
    const stop = await failingWebhook('down.example.org');
    // A policy like the first one changes only the table of the program, and so needs no canary.
    const policy = await cluster.policy('probe', select('probe', off));
    const text =
      /^row \w+ is written and may be enforced, but this cannot be proved: webhook down\.example\.org refuses the probe: .*failed calling webhook/;
    for (const type of ['Programmed', 'Ready']) {
      const { status, message } = await reports(policy, type, 'ProbeRefused');
      assert.equal(status, 'False');
      assert.match(message, text);
    }
    await isReported('CapabilityPolicy', policy, 'ProbeRefused', text);
    assert.equal(await cluster.admit(restrictedPod(), namespace), ADMITTED);
    // An API server may still compile the program, which no probe can show.
    await eventually('the refusal', async () => /privileged/.test(await cluster.admit(privilegedPod(), namespace)));
    assert.ok(cluster.operator.log.some(({ message }) => message === 'a probe was refused'));
    await restart();
    await reports(policy, 'Programmed', 'ProbeRefused');
    // Other rules need a canary, and a canary needs a probe. So this change is not enforced.
    await cluster.policy('probe', select('probe', { ...off, level: 'baseline' }));
    const { message } = await reports(policy, 'Programmed', 'ApplyFailed');
    assert.match(message, /the program is written only after a probe has tested its rules, but webhook down/);
    await stop();
    await reports(policy, 'Ready', 'InForce');
  });

  it('a refused status: an Event says that the status is outdated', async () => {
    await cluster.namespace('status', { team: 'status' });
    const policy = await cluster.policy('status', select('status'));
    await cluster.programmed(policy);
    const group = 'capabilitypolicy.dev';
    const rule = { apiGroups: [group], resources: ['capabilitypolicies/status'], operations: ['UPDATE'] };
    const stop = await refuse('status', rule);
    await cluster.policy('status', select('status', { mode: 'Audit' }));
    await isReported(
      'CapabilityPolicy',
      policy,
      'ApplyFailed',
      /the status is outdated: .*frozen by aaa-refused-status$/,
    );
    await stop();
    await cluster.programmed(policy);
  });

  it('a role of a deleted policy that cannot be removed: an Event on the role names the refusal', async () => {
    await cluster.namespace('role', { team: 'role' });
    const policy = await cluster.policy('role', select('role'));
    await cluster.programmed(policy);
    const role = `capabilitypolicy.dev:use:${policy}`;
    const rule = { apiGroups: [RBAC], resources: ['clusterroles'], operations: ['DELETE'] };
    const stop = await refuse('role', rule, `oldObject.metadata.name != '${role}'`);
    await cluster.deletePolicy(policy);
    await isReported(
      'ClusterRole',
      role,
      'ApplyFailed',
      /refuses to remove what .* left: .*frozen by aaa-refused-role$/,
    );
    await stop();
    await eventually('the role to be gone', async () => {
      const { status } = await cluster.api.ask('GET', `/apis/${RBAC}/v1/clusterroles/${role}`);
      return status === 404;
    });
  });

  it('a refused binding: the status has the message of the policy that refuses the binding', async () => {
    const namespace = await cluster.namespace('users', { team: 'users' });
    const using = (name: string, rest: Partial<CapabilityPolicySpec>) =>
      select('users', { usableBy: 'Subjects', subjects: [{ kind: 'ServiceAccount', name, namespace }], ...rest });
    const policy = await cluster.policy('users', using('one', { level: 'privileged' }));
    await cluster.programmed(policy);
    const rule = { apiGroups: [RBAC], resources: ['clusterrolebindings'], operations: ['CREATE', 'UPDATE'] };
    const stop = await refuse('users', rule, "!object.metadata.name.startsWith('capabilitypolicy.dev:')");
    await cluster.policy('users', using('two', { level: 'baseline' }));
    const { message } = await reports(policy, 'Programmed', 'ApplyFailed');
    assert.match(message, /frozen by aaa-refused-users$/);
    await isReported('CapabilityPolicy', policy, 'ApplyFailed', /frozen by aaa-refused-users$/);
    await stop();
    await reports(policy, 'Ready', 'InForce');
  });

  describe('users that cannot be removed', () => {
    const off = { podSecurityLabels: 'Off' } as const;
    const ours = "!object.metadata.name.startsWith('capabilitypolicy.dev:')";
    const bindings = { apiGroups: [RBAC], resources: ['clusterrolebindings'] };
    /** Which message each of the policy's conditions may have while its users cannot be removed. */
    const WAITS = /^this version of the policy waits until its former users are removed: .*frozen by aaa-refused-/;

    /** Waits until the condition says that former users keep the policy from coming into force. */
    async function waits(policy: string, type = 'Ready'): Promise<void> {
      await eventually(`${type} of ${policy}`, async () => {
        const { status, message } = await reports(policy, type, 'ApplyFailed');
        return status === 'False' && WAITS.test(message);
      });
    }

    /** Sets up policy X with user `one`, and policy Y, in namespaces of their own. */
    async function two(team: string) {
      const namespaces = await Promise.all(
        ['x', 'y'].map((one) => cluster.namespace(`${team}-${one}`, { team: `${team}-${one}` })),
      );
      const [x = '', y = ''] = namespaces;
      for (const name of ['one', 'two', 'three']) await cluster.serviceAccount(x, name);
      const using = (names: readonly string[], rest: Partial<CapabilityPolicySpec>) =>
        select(`${team}-x`, {
          ...off,
          usableBy: 'Subjects',
          subjects: names.map((name) => ({ kind: 'ServiceAccount', name, namespace: x })),
          ...rest,
        });
      const putX = (names: readonly string[], rest: Partial<CapabilityPolicySpec>) =>
        cluster.policy(`${team}-x`, using(names, rest));
      const putY = (level: CapabilityPolicySpec['level']) =>
        cluster.policy(`${team}-y`, select(`${team}-y`, { ...off, level }));
      const policies = { x: await putX(['one', 'two'], { level: 'baseline' }), y: await putY('baseline') };
      await cluster.programmed(policies.x);
      await cluster.programmed(policies.y);
      const admits = async ({ spec, ...pod }: Json, serviceAccountName: string) =>
        (await cluster.admit({ ...pod, spec: { ...spec, serviceAccountName } }, x)) === ADMITTED;
      return { x, y, policies, putX, putY, admits };
    }

    async function isInForceFor(policy: string): Promise<void> {
      assert.equal((await reports(policy, 'Ready', 'InForce')).status, 'True');
    }

    it('other policies come into force meanwhile, and nobody gets a looser row', async () => {
      const { y, policies, putX, putY, admits } = await two('hold');
      const stop = await refuse('hold', { ...bindings, operations: ['CREATE', 'UPDATE'] }, ours);
      // User one would get more by the new row, and cannot be removed.
      await putX(['two', 'three'], { level: 'privileged' });
      for (const type of ['Programmed', 'Ready']) await waits(policies.x, type);
      await isReported('CapabilityPolicy', policies.x, 'ApplyFailed', WAITS);
      const refuses = async () => {
        assert.equal(await admits(privilegedPod(), 'one'), false);
        assert.equal(await admits(privilegedPod(), 'two'), false);
      };
      await refuses();
      assert.ok(await admits(baselinePod(), 'two'), 'the earlier version stays in force');
      await putY('restricted');
      await isInForceFor(policies.y);
      assert.notEqual(await cluster.admit(baselinePod(), y), ADMITTED);
      // A new policy, too.
      const z = await cluster.namespace('hold-z', { team: 'hold-z' });
      await isInForceFor(await cluster.policy('hold-z', select('hold-z', off)));
      assert.notEqual(await cluster.admit(baselinePod(), z), ADMITTED);
      await restart();
      await putY('baseline');
      await isInForceFor(policies.y);
      assert.equal(await cluster.admit(baselinePod(), y), ADMITTED);
      await waits(policies.x);
      await refuses();
      // Another edit that still removes user one.
      await putX(['two'], { level: 'privileged' });
      await waits(policies.x);
      await putY('restricted');
      await isInForceFor(policies.y);
      await refuses();
      await stop();
      await isInForceFor(policies.x);
      assert.deepEqual(
        [
          await admits(privilegedPod(), 'one'),
          await admits(privilegedPod(), 'two'),
          await admits(baselinePod(), 'one'),
        ],
        [false, true, false],
      );
    });

    it('an edit that removes nobody comes into force at once', async () => {
      const { policies, putX, admits } = await two('undo');
      await refuse('undo', { ...bindings, operations: ['CREATE', 'UPDATE'] }, ours);
      await putX(['two'], { level: 'privileged' });
      await waits(policies.x);
      await putX(['one', 'two'], { level: 'privileged' });
      await isInForceFor(policies.x);
      assert.ok(await admits(privilegedPod(), 'one'));
    });

    it('a policy that is deleted meanwhile leaves the program, also while its binding cannot be deleted', async () => {
      const { policies, putX, putY } = await two('gone');
      const any = "(object == null ? oldObject : object).metadata.name.startsWith('capabilitypolicy.dev:') == false";
      const stop = await refuse('gone', { ...bindings, operations: ['CREATE', 'UPDATE', 'DELETE'] }, any);
      await putX(['two'], { level: 'privileged' });
      await reports(policies.x, 'Ready', 'ApplyFailed');
      await cluster.deletePolicy(policies.x);
      await eventually('the row to be gone', async () => (await cluster.having(policies.x)).length === 0);
      await putY('restricted');
      await isInForceFor(policies.y);
      const binding = `capabilitypolicy.dev:use:${policies.x}`;
      await isReported('ClusterRoleBinding', binding, 'ApplyFailed', /frozen by aaa-refused-gone/);
      // A policy that comes back with other users must not give its row to the users of the binding that is left.
      await putX(['two'], { level: 'privileged' });
      await waits(policies.x);
      await putY('baseline');
      await isInForceFor(policies.y);
      await stop();
      await isInForceFor(policies.x);
    });

    it('a policy that everybody may use becomes restricted when the users of a left binding are removed', async () => {
      const { policies, putY } = await two('open');
      const any = "(object == null ? oldObject : object).metadata.name.startsWith('capabilitypolicy.dev:') == false";
      const stop = await refuse('open', { ...bindings, operations: ['CREATE', 'UPDATE', 'DELETE'] }, any);
      await cluster.policy('open-x', select('open-x', { ...off, level: 'baseline' }));
      await isInForceFor(policies.x);
      await cluster.policy('open-x', select('open-x', { ...off, level: 'privileged', usableBy: 'Bindings' }));
      await waits(policies.x);
      await putY('restricted');
      await isInForceFor(policies.y);
      await stop();
      await isInForceFor(policies.x);
    });
  });
});
