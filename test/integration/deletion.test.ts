import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicyOverrides, CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { ADMITTED, eventually, useCluster } from '../support/harness.ts';
import { LATEST } from '../support/latest.ts';
import { baselinePod, restrictedPod } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';

const LABEL = 'pod-security.kubernetes.io/enforce';
/**
 * The maximum time in ms to wait for the garbage collector. The garbage collector learns of a new CRD within half a
 * minute.
 */
const COLLECTION_MS = 60_000;
/**
 * The time in ms for which the test waits to see whether an object is wrongly deleted. A garbage collector that knows
 * the CRD needs less than a second to delete the objects of a deleted owner.
 */
const NOT_COLLECTED_MS = 3_000;

describe('deleting and changing policies', function () {
  this.timeout(300_000);
  const cluster = useCluster('deletion');

  const plain = restrictedPod();
  const ping = restrictedPod({ add: ['NET_RAW'] });

  function restricted(team: string, rest: object = {}): CapabilityPolicySpec {
    return { namespaceSelector: { matchLabels: { team } }, level: 'restricted', mode: 'Enforce', ...rest };
  }

  function withNetRaw(team: string, rest: object = {}): CapabilityPolicySpec {
    const overrides = { capabilities: { allowedAdd: ['NET_RAW'] } } as CapabilityPolicyOverrides;
    return restricted(team, { overrides, ...rest });
  }

  async function labelsOf(namespace: string): Promise<Json> {
    const { metadata } = await cluster.api.get(`${NAMESPACES}/${namespace}`);
    return metadata.labels;
  }

  async function withoutOperator(work: () => Promise<void>): Promise<void> {
    await cluster.operator.stop();
    try {
      await work();
    } finally {
      await cluster.operator.startAndWatch();
    }
  }

  it('a deleted policy stays in force while the operator is stopped, and is removed completely when the operator runs again', async () => {
    const namespace = await cluster.namespace('gone', { team: 'gone' });
    const subjects = [{ kind: 'ServiceAccount', name: 'default', namespace }];
    const policy = await cluster.policy('gone', restricted('gone', { usableBy: 'Subjects', subjects }));
    await cluster.programmed(policy);
    await cluster.settled();
    const before = await everything(policy);
    const kinds = new Set(before.map(({ kind }) => kind));
    for (const kind of [
      'ValidatingAdmissionPolicy',
      'ValidatingAdmissionPolicyBinding',
      'ClusterRole',
      'ClusterRoleBinding',
    ]) {
      assert.ok(kinds.has(kind), kind);
    }
    await withoutOperator(async () => {
      await cluster.deletePolicy(policy);
      await eventually('the policy to be gone', async () => !(await cluster.policies()).includes(policy));
      await sleep(NOT_COLLECTED_MS);
      assert.deepEqual(versionsOf(await everything(policy)), versionsOf(before));
      assert.equal((await labelsOf(namespace))[LABEL], 'restricted');
      assert.match(await cluster.admit(baselinePod(), namespace), /forbidden/);
    });
    await eventually('the rendered objects to be gone', async () => (await everything(policy)).length === 0);
    await eventually('the labels to be gone', async () => (await labelsOf(namespace))[LABEL] === undefined);
    await eventually(
      'the pod to be admitted',
      async () => (await cluster.admit(baselinePod(), namespace)) === ADMITTED,
    );
    await cluster.settled();
  });

  it('the status names the bindings to an earlier policy of the same name', async () => {
    const namespace = await cluster.namespace('bound', { team: 'bound' });
    const spec = withNetRaw('bound', { usableBy: 'Bindings' });
    const policy = await cluster.policy('bound', spec);
    await cluster.programmed(policy);
    const rbac = 'rbac.authorization.k8s.io';
    await cluster.api.apply(`/apis/${rbac}/v1/namespaces/${namespace}/rolebindings/pinger`, {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata: { name: 'pinger' },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: `capabilitypolicy.dev:use:${policy}` },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace }],
    });
    await eventually('the right', async () => (await cluster.admit(ping, namespace)) === ADMITTED);
    const accepted = async () => (await cluster.condition(policy, 'Accepted'))?.message ?? '';
    assert.doesNotMatch(await accepted(), /older than/);
    await cluster.deletePolicy(policy);
    await cluster.settled();
    // Creation times have a resolution of seconds.
    await sleep(1_100);
    await cluster.policy('bound', spec);
    await cluster.programmed(policy);
    assert.equal(await cluster.admit(ping, namespace), ADMITTED);
    const named = `; these bindings are older than this policy and grant its use by name: RoleBinding ${namespace}/pinger;`;
    await eventually('the binding to be named', async () => (await accepted()).includes(named));
  });

  for (const stopped of [false, true]) {
    it(`takes everything along in spite of --cascade=orphan${stopped ? ', once the operator runs again' : ''}`, async () => {
      const team = `orphan-${stopped}`;
      const namespace = await cluster.namespace(team, { team });
      const policy = await cluster.policy(team, restricted(team));
      await cluster.programmed(policy);
      const orphan = async () => {
        await cluster.deletePolicy(policy, 'Orphan');
        await eventually(
          'the policy to be gone',
          async () => !(await cluster.policies()).includes(policy),
          COLLECTION_MS,
        );
      };
      if (stopped) {
        await withoutOperator(async () => {
          await orphan();
          assert.notEqual((await everything(policy)).length, 0);
          assert.match(await cluster.admit(baselinePod(), namespace), /forbidden/);
        });
      } else await orphan();
      await eventually('the rendered objects to be gone', async () => (await everything(policy)).length === 0);
      await eventually('the labels to be gone', async () => (await labelsOf(namespace))[LABEL] === undefined);
      await eventually(
        'the pod to be admitted',
        async () => (await cluster.admit(baselinePod(), namespace)) === ADMITTED,
      );
    });
  }

  it('if a policy is deleted while no operator runs, its grants stay in force beside the other policies', async () => {
    const namespace = await cluster.namespace('sibling', { team: 'sibling' });
    const staying = await cluster.policy('staying', restricted('sibling'));
    const leaving = await cluster.policy('leaving', withNetRaw('sibling'));
    await cluster.programmed(staying, leaving);
    await withoutOperator(async () => {
      await cluster.deletePolicy(leaving);
      await eventually('the policy to be gone', async () => !(await cluster.policies()).includes(leaving));
      for (let i = 0; i < 10; i++) {
        assert.equal(await cluster.admit(ping, namespace), ADMITTED);
        assert.equal(await cluster.admit(plain, namespace), ADMITTED);
        assert.match(await cluster.admit(baselinePod(), namespace), /forbidden/);
      }
    });
    await eventually('the pod to be refused', async () => (await cluster.admit(ping, namespace)) !== ADMITTED);
    assert.equal(await cluster.admit(plain, namespace), ADMITTED);
    await cluster.settled();
    assert.deepEqual(await cluster.rendered(leaving), []);
  });

  it('if a policy with restricted use is deleted while no operator runs, the users may still use the policy', async () => {
    const namespace = await cluster.namespace('user', { team: 'user' });
    await cluster.serviceAccount(namespace, 'one');
    const pod = restrictedPod({ serviceAccountName: 'one', add: ['NET_RAW'] });
    const subjects = [{ kind: 'ServiceAccount', name: 'one', namespace }];
    const staying = await cluster.policy('below', restricted('user'));
    const leaving = await cluster.policy('above', withNetRaw('user', { priority: 10, usableBy: 'Subjects', subjects }));
    await cluster.programmed(staying, leaving);
    await withoutOperator(async () => {
      await cluster.deletePolicy(leaving);
      await eventually('the policy to be gone', async () => !(await cluster.policies()).includes(leaving));
      // The garbage collector must not delete the policy's row or the rights of its users.
      for (let i = 0; i < 20; i++) {
        await sleep(NOT_COLLECTED_MS / 20);
        assert.equal(await cluster.admit(pod, namespace), ADMITTED);
      }
    });
    await eventually('the pod to be refused', async () => (await cluster.admit(pod, namespace)) !== ADMITTED);
    await cluster.settled();
  });

  it('replacing a policy by a policy with another name leaves nothing of the old policy behind', async () => {
    const namespace = await cluster.namespace('rename', { team: 'rename' });
    const old = await cluster.policy('old-name', withNetRaw('rename'));
    await cluster.programmed(old);
    await cluster.deletePolicy(old);
    const renamed = await cluster.policy('new-name', withNetRaw('rename'));
    await cluster.programmed(renamed);
    await cluster.settled();
    assert.equal(await cluster.admit(ping, namespace), ADMITTED);
    assert.match(await cluster.admit(restrictedPod({ add: ['SYS_TIME'] }), namespace), /forbidden/);
  });

  it('a policy that is deleted and created again under the same name is in force again', async () => {
    const namespace = await cluster.namespace('again', { team: 'again' });
    const policy = await cluster.policy('again', withNetRaw('again', { podSecurityLabels: 'Off' }));
    await cluster.programmed(policy);
    await cluster.deletePolicy(policy);
    await cluster.policy('again', withNetRaw('again', { podSecurityLabels: 'Off' }));
    await cluster.programmed(policy);
    await cluster.settled();
    for (let i = 0; i < 10; i++) assert.match(await cluster.admit(baselinePod(), namespace), new RegExp(policy));
    assert.equal(await cluster.admit(ping, namespace), ADMITTED);
  });

  it('a mode change moves the labels, and a policy of mode Warn or Audit refuses no pods', async () => {
    const namespace = await cluster.namespace('mode', { team: 'mode' });
    for (const [mode, label, admitted] of [
      ['Enforce', 'enforce', false],
      ['Warn', 'warn', true],
      ['Audit', 'audit', true],
      ['Enforce', 'enforce', false],
    ] as const) {
      const policy = await cluster.policy('mode', restricted('mode', { mode }));
      await cluster.programmed(policy);
      await cluster.settled();
      const labels = Object.entries(await labelsOf(namespace)).filter(([key]) => key.startsWith('pod-security'));
      assert.deepEqual(Object.fromEntries(labels), {
        [`pod-security.kubernetes.io/${label}`]: 'restricted',
        [`pod-security.kubernetes.io/${label}-version`]: LATEST,
      });
      const answer = await cluster.admit(baselinePod(), namespace);
      assert.equal(answer === ADMITTED, admitted, `${mode}: ${answer}`);
    }
  });

  it('a selector change moves enforcement and labels', async () => {
    const namespaces = await Promise.all(['from', 'to'].map((team) => cluster.namespace(team, { team })));
    for (const [i, team] of ['from', 'to', 'from'].entries()) {
      await cluster.programmed(await cluster.policy('moving', restricted(team)));
      await cluster.settled();
      for (const [j, namespace] of namespaces.entries()) {
        const selected = i % 2 === j;
        assert.equal((await labelsOf(namespace))[LABEL], selected ? 'restricted' : undefined);
        const answer = await cluster.admit(baselinePod(), namespace);
        assert.equal(answer === ADMITTED, !selected, `${team}, ${namespace}: ${answer}`);
      }
    }
  });

  describe('a policy that cannot be compiled', () => {
    it('the policy keeps its last text in force, and other policies are not disturbed', async () => {
      const good = await cluster.namespace('good', { team: 'good' });
      const bad = await cluster.namespace('bad', { team: 'bad' });
      const compiled = await cluster.policy('good', restricted('good'));
      const broken = await cluster.policy('bad', withNetRaw('bad', { podSecurityLabels: 'Off' }));
      await cluster.programmed(compiled, broken);
      const before = await uids(compiled);
      const kept = await uids(broken);
      const row = await rowOf(broken);

      await cluster.policy('bad', withNetRaw('bad', { podSecurityLabels: 'Off', levelVersion: 'v1.99' }));
      await cluster.policy('other-bad', restricted('good', { levelVersion: 'v1.99', priority: 100 }));
      await eventually('Accepted=False', async () => (await cluster.condition(broken, 'Accepted'))?.status === 'False');
      assert.match(
        (await cluster.condition(broken, 'Accepted'))?.message ?? '',
        new RegExp(`v1\\.99.*write ${LATEST} or older`),
      );

      const later = await cluster.policy('later', restricted('later'));
      await cluster.programmed(later);
      assert.deepEqual(await uids(compiled), before);
      assert.deepEqual(await uids(broken), kept);
      assert.equal(await rowOf(broken), row);
      assert.match(await cluster.admit(ping, good), /forbidden/);
      assert.equal(await cluster.admit(plain, good), ADMITTED);
      assert.equal(await cluster.admit(ping, bad), ADMITTED);
      assert.match(await cluster.admit(baselinePod(), bad), new RegExp(broken));
      await cluster.deletePolicy(broken);
      await cluster.deletePolicy(cluster.named('other-bad'));
    });
  });

  describe('a policy whose objects the API server refuses', () => {
    const admission = '/apis/admissionregistration.k8s.io/v1';
    const obstacle = 'deletion-obstacle';

    after(async () => {
      await cluster.api.remove(`${admission}/validatingadmissionpolicybindings/${obstacle}`);
      await cluster.api.remove(`${admission}/validatingadmissionpolicies/${obstacle}`);
    });

    it('the policy keeps its last text in force, reports the reason, and does not disturb other policies', async () => {
      const namespace = await cluster.namespace('obstacle', { team: 'obstacle' });
      const account = [{ kind: 'ServiceAccount', name: 'default', namespace }];
      const refused = await cluster.policy('obstacle', withNetRaw('obstacle', { podSecurityLabels: 'Off' }));
      await cluster.programmed(refused);
      await obstruct(`capabilitypolicy.dev:use:${refused}`);
      const spec = restricted('obstacle', { podSecurityLabels: 'Off', usableBy: 'Subjects', subjects: account });
      await cluster.policy('obstacle', spec);
      await eventually('Programmed to say why', async () =>
        (await cluster.condition(refused, 'Programmed'))?.message?.includes('not while this test runs'),
      );

      const other = await cluster.namespace('unobstructed', { team: 'unobstructed' });
      const policy = await cluster.policy('unobstructed', restricted('unobstructed', { podSecurityLabels: 'Off' }));
      await cluster.programmed(policy);
      await cluster.policy('unobstructed', withNetRaw('unobstructed', { podSecurityLabels: 'Off' }));
      await cluster.programmed(policy);
      assert.equal(await cluster.admit(ping, other), ADMITTED);
      assert.match(await cluster.admit(baselinePod(), other), new RegExp(policy));
      // At every moment, either the old policy or the new policy decides.
      assert.match(await cluster.admit(baselinePod(), namespace), new RegExp(refused));
    });

    /** Makes the API server refuse writes to the ClusterRoleBinding with the given name. */
    async function obstruct(name: string): Promise<void> {
      await cluster.api.apply(`${admission}/validatingadmissionpolicies/${obstacle}`, {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name: obstacle },
        spec: {
          matchConstraints: {
            resourceRules: [
              {
                apiGroups: ['rbac.authorization.k8s.io'],
                apiVersions: ['v1'],
                operations: ['CREATE'],
                resources: ['clusterrolebindings'],
              },
            ],
          },
          validations: [{ expression: `object.metadata.name != '${name}'`, message: 'not while this test runs' }],
        },
      });
      await cluster.api.apply(`${admission}/validatingadmissionpolicybindings/${obstacle}`, {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicyBinding',
        metadata: { name: obstacle },
        spec: { policyName: obstacle, validationActions: ['Deny'] },
      });
      const bindings = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
      const binding = {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      };
      const look = async () => {
        const { status } = await cluster.byHand.ask('POST', bindings, { body: binding, query: { dryRun: 'All' } });
        return status === 422;
      };
      await eventually('the obstacle to be in force', look);
    }
  });

  /** The uids of the policy's role and binding, and of the programs that contain the policy. */
  async function uids(policy: string): Promise<string[]> {
    return (await everything(policy)).map(({ metadata }) => metadata.uid).sort();
  }

  /**
   * The objects of the policy. The objects are the policy's role and binding, the programs that contain the policy, and
   * the bindings of the programs.
   */
  async function everything(policy: string): Promise<Json[]> {
    const programs = await cluster.programs();
    const having = new Set(await cluster.having(policy));
    const isPart = ({ metadata, spec }: Json) => having.has(metadata.name) || having.has(spec.policyName);
    return [...(await cluster.rendered(policy)), ...programs.filter(isPart)];
  }

  /** The row of a policy in the Enforce program. */
  async function rowOf(policy: string): Promise<string> {
    const program = (await cluster.programs()).find(({ metadata }) => metadata.name === 'capabilitypolicy.enforce');
    const lines = JSON.stringify(program?.spec).replaceAll('\\"', '"').split('\\n');
    const row = lines.find((line) => line.includes(`"name":["${policy}"]`));
    assert.ok(row, policy);
    return row.replace(/,$/, '');
  }
});

function versionsOf(objects: readonly Json[]): string[] {
  return objects.map(({ kind, metadata }) => `${kind}/${metadata.name} ${metadata.resourceVersion}`).sort();
}
