/** Tests the laws of a rollout (docs/decisions/0051) on a real API server while other users disturb the rollout. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { ADMITTED, conditionOf, eventually, OPERATOR_NAMESPACE, useCluster } from '../support/harness.ts';
import { OperatorProcess } from '../support/operator-process.ts';
import { baselinePod, privilegedPod } from '../support/pod-manifests.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import { Traffic } from '../support/traffic.ts';

const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
const OPERATOR_ROLE = `/apis/rbac.authorization.k8s.io/v1/namespaces/${OPERATOR_NAMESPACE}/roles/capabilitypolicy-operator`;
const SOON = 30_000;
const formatTime = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

describe('the laws of a rollout', function () {
  this.timeout(300_000);
  const cluster = useCluster('laws');
  const label = (policy: string) => `rollout.capabilitypolicy.dev/${policy}`;

  function spec(team: string, rollout: object, rest: Partial<CapabilityPolicySpec> = {}): CapabilityPolicySpec {
    return { namespaceSelector: { matchLabels: { team } }, level: 'restricted', mode: 'Enforce', rollout, ...rest };
  }

  async function labelOf(policy: string, namespace: string): Promise<string | undefined> {
    return (await cluster.api.get(`${NAMESPACES}/${namespace}`)).metadata.labels[label(policy)];
  }

  const read = (policy: string): Promise<Json> => cluster.api.get(`${POLICIES}/${policy}`);
  const patch = (policy: string, fields: object) => cluster.api.patch(`${POLICIES}/${policy}`, { spec: fields });
  const isAdmitted = async (namespace: string) => (await cluster.admit(baselinePod(), namespace)) === ADMITTED;

  async function enforcedIn(policy: string, namespace: string): Promise<void> {
    await eventually(
      `${policy} to be enforced in ${namespace}`,
      async () => (await labelOf(policy, namespace)) === undefined && !(await isAdmitted(namespace)),
      SOON,
    );
  }

  async function progresses(policy: string, wanted: string): Promise<Json> {
    return eventually(`progress ${wanted}`, async () => {
      const one = await read(policy);
      return one.status?.rollout?.progress === wanted && one;
    });
  }

  async function enforcedEvents(namespace: string): Promise<number> {
    const { items } = await cluster.api.get('/apis/events.k8s.io/v1/namespaces/default/events');
    return items.filter((one: Json) => one.reason === 'NamespaceEnforced' && one.regarding.name === namespace).length;
  }

  /**
   * Makes the API server refuse every request that satisfies the given match condition. Admission policies of other
   * tools can refuse requests in the same way.
   */
  async function refuse(name: string, expression: string): Promise<() => Promise<void>> {
    const metadata = { name: cluster.named(name) };
    const resourceRules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['namespaces'] }];
    await cluster.api.create(`${ADMISSION}/validatingadmissionpolicies`, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata,
      spec: { matchConstraints: { resourceRules }, validations: [{ expression, message: 'labels are frozen' }] },
    });
    await cluster.api.create(`${ADMISSION}/validatingadmissionpolicybindings`, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: metadata.name, validationActions: ['Deny'] },
    });
    return async () => {
      await cluster.api.remove(`${ADMISSION}/validatingadmissionpolicybindings/${metadata.name}`);
      await cluster.api.remove(`${ADMISSION}/validatingadmissionpolicies/${metadata.name}`);
    };
  }

  for (const [title, held] of Object.entries({ paused: { paused: true }, pace: { namespacesPerHour: 1 } })) {
    it(`soak 0s does not enforce everywhere at once against ${title}`, async () => {
      const names = await Promise.all(
        ['one', 'two'].map((one) => cluster.namespace(`${title}-${one}`, { team: title })),
      );
      const policy = await cluster.policy(title, spec(title, { soak: '0s', ...held }));
      await cluster.programmed(policy);
      await sleep(2_000);
      const admitted = await Promise.all(names.map(isAdmitted));
      const most = 'paused' in held ? 0 : 1;
      assert.ok(admitted.filter((one) => !one).length <= most, `${admitted}`);
      await patch(policy, { rollout: { soak: '0s', paused: false, namespacesPerHour: null } });
      await Promise.all(names.map((name) => enforcedIn(policy, name)));
    });
  }

  it('the status counts a namespace as enforced only after its label is gone, and names the policy that refuses the removal', async () => {
    const namespace = await cluster.namespace('frozen', { team: 'frozen' });
    const policy = await cluster.policy('frozen', spec('frozen', { soak: '1s', paused: true }));
    await cluster.programmed(policy);
    const key = label(policy);
    const has = (object: string) => `(has(${object}.metadata.labels) && '${key}' in ${object}.metadata.labels)`;
    const allow = await refuse('frozen', `!${has('oldObject')} || ${has('object')}`);
    await eventually('the other tool to refuse', async () => {
      const query = { dryRun: 'All' };
      const body = { metadata: { labels: { [key]: null } } };
      const contentType = 'application/merge-patch+json';
      return (
        (await cluster.api.ask('PATCH', `${NAMESPACES}/${namespace}`, { body, query, contentType })).status !== 200
      );
    });
    await patch(policy, { rollout: { paused: false } });
    const refused = await eventually('the condition', async () => {
      const one = await read(policy);
      return conditionOf(one, 'LabelRefused') && one;
    });
    const text = conditionOf(refused, 'LabelRefused')?.message ?? '';
    for (const part of [`namespace ${namespace}: `, `label ${key} cannot be removed`, 'labels are frozen']) {
      assert.ok(text.includes(part), text);
    }
    assert.equal(conditionOf(refused, 'Ready')?.status, 'False');
    assert.equal(refused.status.rollout.progress, '0/1');
    assert.equal(refused.status.namespaces.refused, 1);
    assert.equal(await enforcedEvents(namespace), 0);
    assert.ok(await isAdmitted(namespace));
    await allow();
    // Any change of the namespace makes the operator retry at once.
    await cluster.api.patch(`${NAMESPACES}/${namespace}`, { metadata: { labels: { touched: 'yes' } } });
    await enforcedIn(policy, namespace);
    const done = await progresses(policy, '1/1');
    assert.deepEqual([conditionOf(done, 'LabelRefused'), conditionOf(done, 'Ready')?.status], [undefined, 'True']);
    await eventually('the Event', async () => (await enforcedEvents(namespace)) === 1);
  });

  it('if the label of a namespace cannot be set, the rollout continues without the namespace, and the status names the namespace', async () => {
    const [open, stuck, late] = await Promise.all(
      ['open', 'stuck', 'late'].map((name) => cluster.namespace(name, { team: name === 'late' ? 'late' : 'stuck' })),
    );
    assert.ok(open && stuck && late);
    const has = (object: string) =>
      `(has(${object}.metadata.labels) && '${label(cluster.named('stuck'))}' in ${object}.metadata.labels)`;
    const allow = await refuse('stuck', `object.metadata.name != '${stuck}' || !${has('object')}`);
    await sleep(1_000);
    const policy = await cluster.policy('stuck', spec('stuck', { soak: '2s', paused: true }));
    await cluster.programmed(policy);
    // The operator sets the labels of Pod Security together with the label of the rollout, or later.
    const refused = new RegExp(`namespace ${stuck}: label ${label(policy)} cannot be set, .*labels are frozen`);
    await eventually('the condition about all labels', async () =>
      refused.test(conditionOf(await read(policy), 'LabelRefused')?.message ?? ''),
    );
    assert.deepEqual([await labelOf(policy, open), await isAdmitted(stuck)], ['pending', true]);
    const ready = conditionOf(await read(policy), 'Ready');
    assert.deepEqual([ready?.status, ready?.reason], ['False', 'ApplyFailed']);
    const created = await cluster.namespace('stuck-new', { team: 'stuck' });
    assert.ok(!(await isAdmitted(created)));

    // An edit of the selector must come into force even if the label of a namespace cannot be set.
    const both = { matchExpressions: [{ key: 'team', operator: 'In', values: ['stuck', 'late'] }] };
    await patch(policy, { namespaceSelector: { ...both, matchLabels: null } });
    await cluster.programmed(policy);
    assert.equal(await labelOf(policy, late), 'pending');

    // A restart of the operator does not enforce the policy in a pending namespace.
    await cluster.operator.stop('SIGKILL');
    await cluster.operator.startAndWatch();
    await sleep(3_000);
    assert.ok(await isAdmitted(stuck));

    // The namespace stays left out if the operator cannot read the state of the rollout.
    const { rules } = await cluster.api.get(OPERATOR_ROLE);
    const withoutConfigMaps = rules.filter(({ resources }: Json) => !resources.includes('configmaps'));
    await cluster.operator.stop('SIGKILL');
    await cluster.api.patch(OPERATOR_ROLE, { rules: withoutConfigMaps });
    await cluster.operator.startAndWatch();
    await sleep(14_000);
    assert.ok(await isAdmitted(stuck));
    assert.ok(!(await isAdmitted(created)));
    await cluster.api.patch(OPERATOR_ROLE, { rules });

    await allow();
    await cluster.api.patch(`${NAMESPACES}/${stuck}`, { metadata: { labels: { touched: 'yes' } } });
    await eventually('the label', async () => (await labelOf(policy, stuck)) === 'pending');
    await patch(policy, { rollout: { paused: false } });
    await Promise.all([open, stuck, late].map((name) => enforcedIn(policy, name)));
  });

  it('if the state of a rollout is lost, the policy is enforced in the namespaces without the label', async () => {
    const namespace = await cluster.namespace('lost', { team: 'lost' });
    const isLabelled = `'${label(cluster.named('lost'))}' in object.metadata.?labels.orValue({})`;
    const allow = await refuse('lost', `object.metadata.name != '${namespace}' || !(${isLabelled})`);
    await sleep(1_000);
    const policy = await cluster.policy('lost', spec('lost', { paused: true }));
    await cluster.programmed(policy);
    assert.ok(await isAdmitted(namespace));
    await cluster.operator.stop('SIGKILL');
    await cluster.api.remove(`${NAMESPACES}/${OPERATOR_NAMESPACE}/configmaps/rollout-0.${policy}`);
    await cluster.operator.startAndWatch();
    await eventually('the policy to be enforced', async () => !(await isAdmitted(namespace)), SOON);
    await allow();
  });

  it('if the label does not fit into a namespace, the rollout still begins, and later enforces the policy in the namespace by name', async () => {
    const [open, full] = await Promise.all(['room', 'full'].map((name) => cluster.namespace(name, { team: 'full' })));
    assert.ok(open && full);
    await fill(full);
    const policy = await cluster.policy('full', spec('full', { soak: '4s' }));
    await cluster.programmed(policy);
    assert.match(conditionOf(await read(policy), 'LabelRefused')?.message ?? '', new RegExp(`namespace ${full}: `));
    assert.ok(await isAdmitted(full));
    for (const name of [open, full]) await enforcedIn(policy, name);
    await progresses(policy, '2/2');
    const replaced = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: full, labels: { team: 'full' } } };
    await cluster.byHand.ask('PUT', `${NAMESPACES}/${full}`, { body: replaced });
  });

  /** Adds labels to a namespace until etcd refuses more labels. */
  async function fill(namespace: string): Promise<void> {
    let count = 0;
    for (let chunk = 1_024; chunk >= 1; ) {
      const labels = Object.fromEntries(
        Array.from({ length: chunk }, (_, i) => [
          `${'x'.repeat(60)}.example/${'k'.repeat(50)}-${count + i}`,
          'v'.repeat(63),
        ]),
      );
      const contentType = 'application/merge-patch+json';
      const answer = await cluster.api.ask('PATCH', `${NAMESPACES}/${namespace}`, {
        body: { metadata: { labels } },
        contentType,
      });
      if (answer.status === 200) count += chunk;
      else chunk = Math.floor(chunk / 2);
    }
    for (let length = 63; length > 0; length = Math.floor(length / 2)) {
      const labels = { [`z${length}`]: 'v'.repeat(length) };
      const contentType = 'application/merge-patch+json';
      await cluster.api.ask('PATCH', `${NAMESPACES}/${namespace}`, { body: { metadata: { labels } }, contentType });
    }
  }

  const RESTS: Readonly<Record<string, readonly [away: object, back: object]>> = {
    expiry: [{ expires: formatTime(Date.now() - 60_000) }, { expires: null }],
    'expiry and a later end': [
      { expires: formatTime(Date.now() - 60_000) },
      { expires: formatTime(Date.now() + 86_400_000) },
    ],
    'mode Audit': [{ mode: 'Audit' }, { mode: 'Enforce' }],
    'mode Audit without a rollout': [
      { mode: 'Audit', rollout: null },
      { mode: 'Enforce', rollout: { soak: '24h' } },
    ],
  };
  for (const [title, [away, back]] of Object.entries(RESTS)) {
    it(`makes no namespace pending again by ${title} and the way back`, async () => {
      const team = title.replaceAll(' ', '-').toLowerCase();
      const [done, dirty] = await Promise.all(
        ['done', 'dirty'].map((name) => cluster.namespace(`${team}-${name}`, { team })),
      );
      assert.ok(done && dirty);
      await cluster.api.create(`${NAMESPACES}/${dirty}/pods`, { ...baselinePod(), metadata: { name: 'bad' } });
      const policy = await cluster.policy(team, spec(team, { soak: '0s' }));
      await progresses(policy, '1/2');
      await patch(policy, { rollout: { soak: '24h' } });
      await cluster.programmed(policy);
      await patch(policy, away);
      await eventually('the policy to rest', () => isAdmitted(done));
      await sleep(5_000);
      // The label of a resting policy is not guarded.
      await cluster.api.patch(`${NAMESPACES}/${done}`, { metadata: { labels: { [label(policy)]: 'pending' } } });
      await patch(policy, back);
      await enforcedIn(policy, done);
      await progresses(policy, '1/2');
      assert.deepEqual([await labelOf(policy, dirty), await isAdmitted(dirty)], ['pending', true]);
    });
  }

  it('a rollout begins although 15 namespaces a second are created, and enforces the policy in the new namespaces', async () => {
    const old = await cluster.namespace('busy-old', { team: 'busy' });
    let isEnding = false;
    const creating = (async () => {
      for (let i = 0; !isEnding; i++) {
        const metadata = { name: cluster.named(`busy-${i}`), labels: { team: 'busy' } };
        await cluster.api.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata });
        await sleep(60);
      }
    })();
    await sleep(1_000);
    const policy = await cluster.policy('busy', spec('busy', { soak: '24h' }));
    await cluster.programmed(policy).finally(() => {
      isEnding = true;
    });
    await creating;
    assert.equal(await labelOf(policy, old), 'pending');
    const created = await cluster.namespace('busy-new', { team: 'busy' });
    assert.ok(!(await isAdmitted(created)));
  });

  it('the operator writes the first state before the text, so that no enforced namespace gets pending after a crash', async () => {
    const namespace = await cluster.namespace('first', { team: 'first' });
    const { rollout: _, ...plain } = spec('first', {});
    const policy = await cluster.policy('first', plain as CapabilityPolicySpec);
    await cluster.programmed(policy);
    // The label of a policy without a rollout is not guarded.
    await cluster.api.patch(`${NAMESPACES}/${namespace}`, { metadata: { labels: { [label(policy)]: 'pending' } } });
    await patch(policy, { rollout: { soak: '24h' } });
    const path = `${NAMESPACES}/${OPERATOR_NAMESPACE}/configmaps/rollout-0.${policy}`;
    await eventually('the ConfigMap', async () => (await cluster.api.find(path)) !== undefined);
    await cluster.operator.stop('SIGKILL');
    await cluster.operator.startAndWatch();
    await enforcedIn(policy, namespace);
  });

  describe('by another leader', () => {
    /** Starts another operator. This operator leads instead of the operator of `cluster`. */
    async function lead(args: readonly string[], nodeFlags: readonly string[] = []): Promise<OperatorProcess> {
      await cluster.operator.stop('SIGKILL');
      const own = ['--kubeconfig', cluster.operatorKubeconfig, '--operator-namespace', OPERATOR_NAMESPACE];
      const other = new OperatorProcess([...own, ...args], nodeFlags);
      await other.startAndWatch();
      return other;
    }

    async function leadAgain(other: OperatorProcess): Promise<void> {
      await other.stop('SIGKILL');
      await cluster.operator.startAndWatch();
    }

    it('a leader with a clock that is an hour ahead ends neither a soak nor a policy', async () => {
      const namespace = await cluster.namespace('clock', { team: 'clock' });
      const policy = await cluster.policy('clock', spec('clock', { soak: '30m' }));
      const expires = formatTime(Date.now() + 1_800_000) as never;
      const { rollout: _, ...plain } = spec('clock', {}, { level: 'baseline', expires, priority: -1 });
      await cluster.programmed(policy, await cluster.policy('clock-ends', plain as CapabilityPolicySpec));
      await eventually('the soak', async () => (await read(policy)).status?.rollout?.next !== undefined);
      const ahead = 'data:text/javascript,const now=Date.now;Date.now=()=>now()+3600000';
      const other = await lead([], ['--import', ahead]);
      await sleep(15_000);
      assert.deepEqual([await labelOf(policy, namespace), await isAdmitted(namespace)], ['pending', true]);
      assert.notEqual(await cluster.admit(privilegedPod(), namespace), ADMITTED);
      await leadAgain(other);
    });

    it('a leader that excludes fewer namespaces makes these namespaces pending before it enforces policies in them', async () => {
      const [left, enforced] = await Promise.all(
        ['left', 'kept'].map((name) => cluster.namespace(`excluded-${name}`, { team: 'excluded' })),
      );
      assert.ok(left && enforced);
      const other = await lead(['--excluded-namespaces', `kube-system,${left}`]);
      const policy = await cluster.policy('excluded', spec('excluded', { soak: '0s' }));
      await enforcedIn(policy, enforced);
      await cluster.api.create(`${NAMESPACES}/${left}/pods`, { ...baselinePod(), metadata: { name: 'bad' } });
      await patch(policy, { rollout: { soak: '24h' } });
      await cluster.programmed(policy);
      const traffic = new Traffic(cluster, [
        { pod: baselinePod(), namespace: left, expected: 'admitted' },
        { pod: baselinePod(), namespace: enforced, expected: 'refused' },
      ]);
      await leadAgain(other);
      await eventually('the label', async () => (await labelOf(policy, left)) === 'pending');
      await progresses(policy, '1/2');
      await sleep(3_000);
      await traffic.stop();
      assert.deepEqual(traffic.surprises, []);
    });
  });
});
