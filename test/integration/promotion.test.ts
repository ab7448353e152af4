/** Tests rollouts on a real API server: the order at the start, promotion, the label, and the end of a rollout. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Identity, Json } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { ADMINISTRATOR, ADMITTED, eventually, OPERATOR_NAMESPACE, useCluster } from '../support/harness.ts';
import { allowEditor, change, EDITOR, grant, isChanged, ROUTES, routesOf } from '../support/namespace-changes.ts';
import { baselinePod, privilegedPod, restrictedPod } from '../support/pod-manifests.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import { Traffic } from '../support/traffic.ts';

type Rollout = NonNullable<CapabilityPolicySpec['rollout']>;

describe('a policy with a rollout', function () {
  this.timeout(300_000);
  const cluster = useCluster('promotion');
  const label = (policy: string) => `rollout.capabilitypolicy.dev/${policy}`;

  function spec(team: string, rollout: Rollout | undefined, rest: Partial<CapabilityPolicySpec> = {}) {
    const own = {
      namespaceSelector: { matchLabels: { team } },
      level: 'restricted',
      mode: 'Enforce',
      ...rest,
    } as const;
    return { ...own, ...(rollout && { rollout }) } as CapabilityPolicySpec;
  }

  async function labelOf(policy: string, namespace: string): Promise<string | undefined> {
    const { metadata } = await cluster.api.get(`${NAMESPACES}/${namespace}`);
    return metadata.labels[label(policy)];
  }

  async function isPending(policy: string, namespace: string): Promise<void> {
    await eventually(`${policy} to be pending in ${namespace}`, async () => {
      return (await labelOf(policy, namespace)) === 'pending';
    });
  }

  async function isEnforced(policy: string, namespace: string, timeoutMs?: number): Promise<void> {
    const look = async () =>
      (await labelOf(policy, namespace)) === undefined && (await cluster.admit(baselinePod(), namespace)) !== ADMITTED;
    await eventually(`${policy} to be enforced in ${namespace}`, look, timeoutMs);
  }

  async function run(pod: object, namespace: string, name: string): Promise<void> {
    const { metadata, ...rest } = pod as Json;
    await cluster.api.create(`${NAMESPACES}/${namespace}/pods`, { ...rest, metadata: { ...metadata, name } });
  }

  async function setLabel(policy: string, namespace: string, value: string | null): Promise<void> {
    await cluster.api.patch(`${NAMESPACES}/${namespace}`, { metadata: { labels: { [label(policy)]: value } } });
  }

  it('the policy refuses no pod before the promotion of a namespace, and a policy of lower priority continues to refuse pods', async () => {
    const [clean, dirty] = await Promise.all(
      ['clean', 'dirty'].map((name) => cluster.namespace(name, { team: 'start' })),
    );
    assert.ok(clean && dirty);
    const lower = await cluster.policy('lower', spec('start', undefined, { level: 'baseline' }));
    await cluster.programmed(lower);
    await run(baselinePod(), dirty, 'violates');
    const traffic = new Traffic(cluster, [
      ...[clean, dirty].map((namespace) => ({ pod: baselinePod(), namespace, expected: 'admitted' as const })),
      ...[clean, dirty].map((namespace) => ({ pod: privilegedPod(), namespace, expected: 'refused' as const })),
    ]);
    const policy = await cluster.policy('start', spec('start', { soak: '2s', paused: true }, { priority: 10 }));
    await cluster.programmed(policy);
    await Promise.all([clean, dirty].map((namespace) => isPending(policy, namespace)));
    await sleep(2_500);
    await traffic.stop();
    assert.deepEqual(traffic.surprises, []);

    const created = await cluster.namespace('created', { team: 'start' });
    assert.notEqual(await cluster.admit(baselinePod(), created), ADMITTED);

    await cluster.policy('start', spec('start', { soak: '2s' }, { priority: 10 }));
    await isEnforced(policy, clean);
    assert.equal(await labelOf(policy, dirty), 'pending');
    await cluster.api.remove(`${NAMESPACES}/${dirty}/pods/violates`);
    await isEnforced(policy, dirty);
    assert.equal(await cluster.admit(restrictedPod(), dirty), ADMITTED);
  });

  it('a deleted pod that violated the policy extends the soak', async () => {
    const namespace = await cluster.namespace('brief', { team: 'brief' });
    const policy = await cluster.policy('brief', spec('brief', { soak: '10s' }));
    await isPending(policy, namespace);
    let violatedAt = 0;
    for (let time = 0; time < 3; time++) {
      await sleep(1_800);
      await run(baselinePod(), namespace, `brief-${time}`);
      await cluster.api.ask('DELETE', `${NAMESPACES}/${namespace}/pods/brief-${time}`, {
        body: { gracePeriodSeconds: 0 },
      });
      violatedAt = Date.now();
    }
    await isEnforced(policy, namespace);
    assert.ok(Date.now() - violatedAt >= 9_800, `promoted ${Date.now() - violatedAt} ms after the last violation`);
  });

  it('the operator restores a dropped label and writes an Event, but accepts the value enforced as a promotion', async () => {
    const namespace = await cluster.namespace('dropped', { team: 'dropped' });
    const policy = await cluster.policy('dropped', spec('dropped', { soak: '24h' }));
    await cluster.programmed(policy);
    await isPending(policy, namespace);
    const replaced = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels: { team: 'dropped' } },
    };
    // The request drops the label and the operator's record.
    const { status, body } = await cluster.byHand.ask('PUT', `${NAMESPACES}/${namespace}`, { body: replaced });
    assert.equal(status, 200, JSON.stringify(body));
    await isPending(policy, namespace);
    await eventually('the Event', async () => {
      const { items } = await cluster.api.get('/apis/events.k8s.io/v1/namespaces/default/events');
      return items.some((one: Json) => one.reason === 'RolloutLabelRestored' && one.regarding.name === namespace);
    });
    await setLabel(policy, namespace, 'enforced');
    await isEnforced(policy, namespace);
    await sleep(1_000);
    assert.equal(await labelOf(policy, namespace), undefined);
  });

  it('a rollout keeps its state when the operator is killed, and when its ConfigMap is lost', async () => {
    const [one, two] = await Promise.all(['kept-1', 'kept-2'].map((name) => cluster.namespace(name, { team: 'kept' })));
    assert.ok(one && two);
    const policy = await cluster.policy('kept', spec('kept', { soak: '24h' }));
    await cluster.programmed(policy);
    const path = `${NAMESPACES}/${OPERATOR_NAMESPACE}/configmaps/rollout-0.${policy}`;
    const { data } = await cluster.api.get(path);
    await cluster.operator.stop('SIGKILL');
    await setLabel(policy, two, null);
    await cluster.operator.startAndWatch();
    await isPending(policy, two);
    await eventually('the same entry as before', async () => (await cluster.api.get(path)).data[one] === data[one]);

    await cluster.operator.stop('SIGKILL');
    await cluster.byHand.remove(path);
    await cluster.operator.startAndWatch();
    await eventually('another ConfigMap', async () => {
      const found = await cluster.api.find(path);
      return found !== undefined && one in found.data && two in found.data;
    });
    assert.deepEqual([await labelOf(policy, one), await labelOf(policy, two)], ['pending', 'pending']);
  });

  it('the operator labels the namespaces that an edited selector newly selects, before the new text exists', async () => {
    const [old, added] = [
      await cluster.namespace('old', { team: 'old' }),
      await cluster.namespace('added', { team: 'new' }),
    ];
    const policy = await cluster.policy('edited', spec('old', { soak: '0s' }));
    await isEnforced(policy, old);
    const traffic = new Traffic(cluster, [
      { pod: baselinePod(), namespace: added, expected: 'admitted' },
      { pod: baselinePod(), namespace: old, expected: 'refused' },
    ]);
    const namespaceSelector = { matchExpressions: [{ key: 'team', operator: 'In', values: ['old', 'new'] }] } as const;
    const both = { ...spec('old', { soak: '24h' }), namespaceSelector };
    await cluster.policy('edited', both as unknown as CapabilityPolicySpec);
    await cluster.programmed(policy);
    await isPending(policy, added);
    await sleep(2_000);
    await traffic.stop();
    assert.deepEqual(traffic.surprises, []);
  });

  it('a namespace that leaves the selector loses its label, after a change of the namespace or of the policy', async () => {
    const names = ['leaving-one', 'leaving-two'];
    const [one, two] = await Promise.all(names.map((name) => cluster.namespace(name, { team: 'leaving' })));
    assert.ok(one && two);
    const policy = await cluster.policy('leaving', spec('leaving', { soak: '24h' }));
    await cluster.programmed(policy);
    await Promise.all([one, two].map((namespace) => isPending(policy, namespace)));
    await cluster.api.patch(`${NAMESPACES}/${one}`, { metadata: { labels: { team: 'elsewhere' } } });
    await eventually('the label of the first to be gone', async () => (await labelOf(policy, one)) === undefined);
    assert.equal(await labelOf(policy, two), 'pending');
    await cluster.policy('leaving', spec('nobody', { soak: '24h' }));
    await eventually('the label of the second to be gone', async () => (await labelOf(policy, two)) === undefined);
  });

  describe('a rollout against people who may edit and create namespaces', () => {
    const CREATE_ROUTES = [
      ['creation', 'POST', ''],
      ['server-side apply', 'PATCH', 'application/apply-patch+yaml'],
    ] as const;
    let policy: string;
    let pending: string;
    let enforced: string;

    before(async () => {
      await allowEditor(cluster.api);
      await grant(
        cluster.api,
        EDITOR.user,
        [{ apiGroups: [''], resources: ['namespaces'], verbs: ['create', 'patch'] }],
        {
          name: 'namespace-creator',
        },
      );
      pending = await cluster.namespace('guarded', { team: 'guarded' });
      const lower = await cluster.policy('guarded-lower', spec('guarded', undefined, { level: 'baseline' }));
      policy = await cluster.policy('guarded', spec('guarded', { paused: true }, { priority: 10 }));
      await cluster.programmed(policy, lower);
      enforced = await cluster.namespace('guarded-new', { team: 'guarded' });
    });

    for (const route of ROUTES) {
      it(`nobody makes a namespace pending without exempt: ${route.title}`, async () => {
        const wanted = { labels: { [label(policy)]: 'pending' } };
        const answer = await change(cluster.api, enforced, wanted, EDITOR, route);
        assert.equal(answer.status, 403, JSON.stringify(answer.body));
        assert.match(answer.body.message, /needs the verb exempt on capabilitypolicies/);
        assert.ok(isChanged(await change(cluster.api, enforced, wanted, ADMINISTRATOR, route), wanted));
      });

      it(`everybody may end that a namespace is pending: ${route.title}`, async () => {
        for (const value of ['enforced', null]) {
          const wanted = { labels: { [label(policy)]: value } };
          if (!routesOf(wanted).includes(route)) continue;
          const answer = await change(cluster.api, pending, wanted, EDITOR, route);
          assert.ok(answer.status === 200, JSON.stringify(answer.body));
        }
      });
    }

    for (const [title, method, contentType] of CREATE_ROUTES) {
      it(`nobody creates a pending namespace without exempt: ${title}`, async () => {
        const tryTo = (value: string | undefined, as: Identity) => {
          const name = cluster.named('tried');
          const labels = { team: 'guarded', ...(value !== undefined && { [label(policy)]: value }) };
          const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
          const query = { dryRun: 'All', ...(contentType !== '' && { fieldManager: 'test' }) };
          const path = contentType === '' ? NAMESPACES : `${NAMESPACES}/${name}`;
          return cluster.api.ask(method, path, { body, as, query, ...(contentType !== '' && { contentType }) });
        };
        const { status, body } = await tryTo('pending', EDITOR);
        assert.equal(status, 403, JSON.stringify(body));
        assert.match(body.message, /needs the verb exempt on capabilitypolicies/);
        const others = [
          await tryTo(undefined, EDITOR),
          await tryTo('enforced', EDITOR),
          await tryTo('pending', ADMINISTRATOR),
        ];
        assert.deepEqual(
          others.map((answer) => answer.status),
          [201, 201, 201],
        );
      });
    }
  });

  for (const [what, end] of Object.entries({
    'is deleted': async (policy: string) => cluster.deletePolicy(policy),
    'has no rollout any more': async (policy: string) => {
      await cluster.api.patch(`${POLICIES}/${policy}`, { spec: { rollout: null } });
    },
  })) {
    it(`leaves no label behind when it ${what}, and keeps its state only for a policy that is created again`, async () => {
      const name = what.replaceAll(' ', '-');
      const namespace = await cluster.namespace(name, { team: name });
      const policy = await cluster.policy(name, spec(name, { soak: '24h' }));
      await cluster.programmed(policy);
      await isPending(policy, namespace);
      await end(policy);
      await eventually('the label to be gone', async () => (await labelOf(policy, namespace)) === undefined);
      const path = `${NAMESPACES}/${OPERATOR_NAMESPACE}/configmaps/rollout-0.${policy}`;
      if (what === 'is deleted') assert.match((await cluster.api.get(path)).data['rollout.json'], /"deleted":"2/);
      else await eventually('the ConfigMap to be gone', async () => (await cluster.api.find(path)) === undefined);
    });
  }
});
