import assert from 'node:assert/strict';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { ADMINISTRATOR, ADMITTED, CREATOR, eventually, serviceAccount, useCluster } from '../support/harness.ts';
import { itIfLacking, itIfOffered } from '../support/needs.ts';
import { baselinePod, privilegedPod, restrictedPod, workloads } from '../support/pod-manifests.ts';

type Rules = Omit<CapabilityPolicySpec, 'namespaceSelector'>;

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

describe('the deciding policies of a namespace', () => {
  const cluster = useCluster('decisions');

  /** A policy for the namespaces with the label `team: <team>`. */
  function enforce(team: string, spec: Rules): CapabilityPolicySpec {
    return { namespaceSelector: { matchLabels: { team } }, mode: 'Enforce', ...spec };
  }

  describe('two Enforce policies of equal priority', () => {
    const [plain, ping] = [restrictedPod(), restrictedPod({ add: ['NET_RAW'] })];
    const pinger = () => restrictedPod({ add: ['NET_RAW'], serviceAccountName: 'pinger' });
    const grant: Rules = { level: 'restricted', overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } };
    let namespace: string;
    let strict: string;
    let exception: string;

    before(async () => {
      namespace = await cluster.namespace('equal', { team: 'equal' });
      await cluster.serviceAccount(namespace, 'pinger');
      strict = await cluster.policy('strict', enforce('equal', { level: 'restricted' }));
      exception = await cluster.policy('exception', enforce('equal', grant));
      await cluster.programmed(strict, exception);
    });

    it('admit what one of them admits', async () => {
      assert.equal(await cluster.admit(plain, namespace), ADMITTED);
      assert.equal(await cluster.admit(ping, namespace), ADMITTED);
    });

    it('a pod that both policies refuse is refused, and each policy gives its reason', async () => {
      const message = await cluster.admit(restrictedPod({ add: ['SYS_TIME'] }), namespace);
      assert.match(message, new RegExp(`CapabilityPolicy ${strict}: [^|]* SYS_TIME`));
      assert.match(message, new RegExp(`CapabilityPolicy ${exception}: [^|]* SYS_TIME`));
    });

    describe('a policy that only one service account may use, beside another policy', () => {
      before(async () => {
        const subjects = [{ kind: 'ServiceAccount', name: 'pinger', namespace }] as const;
        await cluster.policy(
          'exception',
          enforce('equal', { ...grant, usableBy: 'Subjects', subjects: [...subjects] }),
        );
        await cluster.programmed(strict, exception);
      });

      it('refuses others, and says so', async () => {
        const message = await cluster.admit(ping, namespace);
        assert.match(message, /neither its service account nor its creator may use this policy/);
        assert.equal(await cluster.admit(plain, namespace), ADMITTED);
      });

      it("a cluster administrator's pod is admitted, and the condition Accepted says why and how to test as another user", async () => {
        assert.equal(await cluster.admit(ping, namespace, ADMINISTRATOR), ADMITTED);
        const { message = '' } = (await cluster.condition(exception, 'Accepted')) ?? {};
        assert.match(message, /holders of wildcard verbs \(cluster administrators[,)]/);
        const [, controller = ''] = /--as=([^\s;]+)/.exec(message) ?? [];
        const refusal = await cluster.admit(ping, namespace, { user: controller, groups: ['system:authenticated'] });
        assert.match(
          refusal,
          /use on capabilitypolicies\/\S+, which cluster administrators have by their wildcard verbs/,
        );
        assert.equal(await cluster.admit(plain, namespace, { user: controller }), ADMITTED);
      });

      it('the pods of the service account are admitted for every creator', async () => {
        assert.equal(await cluster.admit(pinger(), namespace), ADMITTED);
      });

      it('the pods that the service account creates are admitted', async () => {
        assert.equal(await cluster.admit(ping, namespace, serviceAccount(namespace, 'pinger')), ADMITTED);
      });

      it('a service account of the same name in another namespace may not use the policy', async () => {
        const elsewhere = await cluster.namespace('elsewhere', { team: 'equal' });
        await cluster.serviceAccount(elsewhere, 'pinger');
        assert.match(await cluster.admit(pinger(), elsewhere), /may use this policy/);
        assert.match(await cluster.admit(ping, elsewhere, serviceAccount(elsewhere, 'pinger')), /may use this policy/);
      });

      for (const [whose, subject, pod] of [
        ["the pod's service account", { kind: 'ServiceAccount', name: 'default' }, ping],
        ['its creator', { kind: 'User', name: CREATOR.user, apiGroup: 'rbac.authorization.k8s.io' }, ping],
      ] as const) {
        it(`admits again by a RoleBinding for ${whose}, in its namespace only`, async () => {
          const other = await cluster.namespace('unbound', { team: 'equal' });
          const path = `${RBAC}/namespaces/${namespace}/rolebindings/exception`;
          await cluster.api.apply(path, {
            apiVersion: 'rbac.authorization.k8s.io/v1',
            kind: 'RoleBinding',
            metadata: { name: 'exception' },
            roleRef: {
              apiGroup: 'rbac.authorization.k8s.io',
              kind: 'ClusterRole',
              name: `capabilitypolicy.dev:use:${exception}`,
            },
            subjects: [subject.kind === 'ServiceAccount' ? { ...subject, namespace } : subject],
          });
          await eventually('the pod to be admitted', async () => (await cluster.admit(pod, namespace)) === ADMITTED);
          assert.match(await cluster.admit(pod, other), /may use this policy/);
          await cluster.api.remove(path);
          await eventually('the pod to be refused', async () => (await cluster.admit(pod, namespace)) !== ADMITTED);
        });
      }
    });
  });

  describe('a higher priority', () => {
    before(async () => {
      const policies = await Promise.all([
        cluster.policy('base', {
          namespaceSelector: {
            matchExpressions: [{ key: 'team', operator: 'In', values: ['low', 'tight', 'loose', 'below'] }],
          },
          level: 'baseline',
          mode: 'Enforce',
        }),
        cluster.policy('tight', enforce('tight', { level: 'restricted', priority: 10 })),
        cluster.policy('loose', enforce('loose', { level: 'privileged', priority: 10 })),
        cluster.policy('below', enforce('below', { level: 'privileged', priority: -1 })),
      ]);
      await cluster.programmed(...policies);
    });

    for (const { team, admits, refuses } of [
      { team: 'low', admits: [restrictedPod(), baselinePod()], refuses: [privilegedPod()] },
      { team: 'tight', admits: [restrictedPod()], refuses: [baselinePod(), privilegedPod()] },
      { team: 'loose', admits: [restrictedPod(), baselinePod(), privilegedPod()], refuses: [] },
      { team: 'below', admits: [restrictedPod(), baselinePod()], refuses: [privilegedPod()] },
    ]) {
      it(`decides alone: ${team}`, async () => {
        const namespace = await cluster.namespace(team, { team });
        for (const pod of admits) {
          await eventually('admission', async () => (await cluster.admit(pod, namespace)) === ADMITTED, 5_000);
        }
        for (const pod of refuses) assert.notEqual(await cluster.admit(pod, namespace), ADMITTED);
      });
    }
  });

  for (const mode of ['Warn', 'Audit'] as const) {
    it(`${mode} never refuses, whatever its priority, and lets Enforce decide`, async () => {
      const team = mode.toLowerCase();
      const namespace = await cluster.namespace(team, { team });
      const rules = { level: 'baseline', podSecurityLabels: 'Off' } as const;
      const enforcing = await cluster.policy(`${team}-enforce`, enforce(team, rules));
      const other = await cluster.policy(team, enforce(team, { level: 'restricted', mode, priority: 10 }));
      await cluster.programmed(enforcing, other);

      const { status, warnings } = await cluster.tryCreate(`/api/v1/namespaces/${namespace}/pods`, baselinePod());
      assert.equal(status, 201);
      const ours = warnings.filter((text) => text.includes(`CapabilityPolicy ${other}: `));
      assert.equal(ours.length, mode === 'Warn' ? 1 : 0, warnings.join('\n'));
      assert.match(await cluster.admit(privilegedPod(), namespace), new RegExp(enforcing));
    });
  }

  describe('a template', () => {
    const template = restrictedPod({ add: ['SYS_TIME'] });
    let namespace: string;
    let enforcing: string;

    before(async () => {
      namespace = await cluster.namespace('templates', { team: 'templates' });
      const rules = { level: 'restricted', podSecurityLabels: 'Off' } as const;
      enforcing = await cluster.policy('templates', enforce('templates', rules));
      await cluster.programmed(enforcing);
    });

    for (const { path, object } of workloads(template)) {
      const kind = path.split('/').at(-1);
      it(`of ${kind} is warned about and never refused`, async () => {
        const { status, body, warnings } = await cluster.tryCreate(inNamespace(path), object, ADMINISTRATOR);
        assert.equal(status, 201, body.message);
        assert.ok(
          warnings.some((text) => text.includes(`CapabilityPolicy ${enforcing}: `) && text.includes('SYS_TIME')),
          `no warning of ours among ${JSON.stringify(warnings)}`,
        );
      });
    }

    it('a template that complies gets no warning, for any kind of workload', async () => {
      for (const { path, object } of workloads(restrictedPod())) {
        const { status, warnings } = await cluster.tryCreate(inNamespace(path), object, ADMINISTRATOR);
        assert.deepEqual({ path, status, warnings }, { path, status: 201, warnings: [] });
      }
    });

    function inNamespace(path: string): string {
      return path.replace('*', `namespaces/${namespace}`);
    }
  });

  describe('an empty value that a pod states, under a policy with defaulting', () => {
    let namespace: string;

    before(async () => {
      namespace = await cluster.namespace('empty', { team: 'empty' });
      const overrides: Rules['overrides'] = {
        supplementalGroups: { rule: 'MustRunAs', ranges: [{ min: 7, max: 9 }] },
        seLinux: { rule: 'MustRunAs', options: { type: 'a_t' } },
      };
      const spec: Rules = { level: 'privileged', defaulting: 'Enabled', overrides };
      await cluster.programmed(await cluster.policy('empty', enforce('empty', spec)));
    });

    async function created(securityContext: object): Promise<object> {
      const pod = {
        ...privilegedPod(),
        spec: { securityContext, containers: [{ name: 'main', image: 'example.org/app' }] },
      };
      const { status, body } = await cluster.tryCreate(`/api/v1/namespaces/${namespace}/pods`, pod);
      return status === 201 ? body.spec.securityContext : { refused: body.message };
    }

    const filled = { supplementalGroups: [7], seLinuxOptions: { type: 'a_t' } };

    itIfOffered(
      'mutatingAdmissionPolicies',
      'is filled in like an unset list, since the API server does not show an empty list to policies',
      async () => {
        assert.deepEqual(await created({}), filled);
        assert.deepEqual(await created({ supplementalGroups: [] }), filled);
      },
    );

    it('an empty object is not filled in', async () => {
      assert.match(JSON.stringify(await created({ seLinuxOptions: {} })), /refused.*seLinuxOptions/);
    });
  });

  describe("a policy that refuses additional groups from a container's image", () => {
    const withPolicy = (supplementalGroupsPolicy?: string) => ({
      ...privilegedPod(),
      spec: {
        ...(supplementalGroupsPolicy && { securityContext: { supplementalGroupsPolicy } }),
        containers: [{ name: 'main', image: 'example.org/app' }],
      },
    });
    const strict = (defaulting: 'Disabled' | 'Enabled'): Rules => ({
      level: 'privileged',
      defaulting,
      overrides: { supplementalGroups: { policy: 'Strict' } },
    });

    itIfOffered('supplementalGroupsPolicy', 'admits pods that set the field, and no others', async () => {
      const namespace = await cluster.namespace('strict', { team: 'strict' });
      await cluster.programmed(await cluster.policy('strict-groups', enforce('strict', strict('Disabled'))));
      assert.equal(await cluster.admit(withPolicy('Strict'), namespace), ADMITTED);
      for (const pod of [withPolicy('Merge'), withPolicy()]) {
        assert.match(
          await cluster.admit(pod, namespace),
          /supplementalGroups\.policy: pod must set securityContext\.supplementalGroupsPolicy=Strict/,
        );
      }
    });

    itIfOffered('mutatingAdmissionPolicies', 'fills the field in, and replaces no other value', async () => {
      const namespace = await cluster.namespace('filled', { team: 'filled' });
      await cluster.programmed(await cluster.policy('filled-groups', enforce('filled', strict('Enabled'))));
      const path = `/api/v1/namespaces/${namespace}/pods`;
      const { status, body } = await cluster.tryCreate(path, withPolicy());
      assert.deepEqual([status, body.spec?.securityContext], [201, { supplementalGroupsPolicy: 'Strict' }]);
      assert.equal((await cluster.tryCreate(path, withPolicy('Merge'))).status, 403);
    });

    itIfLacking(
      'supplementalGroupsPolicy',
      'is not accepted, and the message names the version that has it',
      async () => {
        const name = await cluster.policy('early', enforce('early', strict('Disabled')));
        const accepted = await eventually('the refusal', async () => {
          const condition = await cluster.condition(name, 'Accepted');
          return condition?.status === 'False' ? condition : undefined;
        });
        assert.equal(accepted.reason, 'ServerTooOld');
        assert.match(
          accepted.message,
          /^spec\.overrides\.supplementalGroups\.policy: needs Kubernetes v1\.33 on every API server/,
        );
      },
    );
  });

  it('while the operator is stopped, a policy refuses even the first violating pod of a new namespace', async () => {
    const later = await cluster.policy('later', enforce('later', { level: 'restricted' }));
    await cluster.programmed(later);
    await cluster.operator.stop();
    try {
      for (let i = 0; i < 10; i++) {
        const namespace = await cluster.namespace(`later-${i}`, { team: 'later' });
        assert.match(await cluster.admit(baselinePod(), namespace), new RegExp(later));
        assert.equal(await cluster.admit(restrictedPod(), namespace), ADMITTED);
      }
    } finally {
      await cluster.operator.startAndWatch();
    }
  });

  it('no policy reaches an excluded namespace', async () => {
    const everywhere = await cluster.policy('everywhere', {
      namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] },
      level: 'restricted',
      mode: 'Enforce',
    });
    await cluster.programmed(everywhere);
    const { body } = await cluster.api.ask('GET', '/api/v1/namespaces/kube-public');
    assert.equal(body.metadata.labels['pod-security.kubernetes.io/enforce'], undefined);
    await cluster.serviceAccount('kube-public', 'default');
    assert.equal(await cluster.admit(privilegedPod(), 'kube-public'), ADMITTED);
    await cluster.deletePolicy(everywhere);
  });
});
