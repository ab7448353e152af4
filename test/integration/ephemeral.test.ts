/**
 * Tests containers that are added to an existing pod. The API server evaluates the whole pod with its added containers.
 * If the pod satisfies no policy, the API server evaluates only the added containers.
 */
import assert from 'node:assert/strict';
import type { Answer, Identity, Json } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { ADMINISTRATOR, eventually, useCluster } from '../support/harness.ts';
import { grant } from '../support/namespace-changes.ts';
import { itIfOffered } from '../support/needs.ts';
import { podManifest, privilegedPod, restrictedPod } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';

const STRATEGIC = 'application/strategic-merge-patch+json';
const MERGE = 'application/merge-patch+json';
const MIRROR = 'kubernetes.io/config.mirror';

/** The securityContext that `kubectl debug --profile=restricted` adds. */
const RESTRICTED = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

const SYS_PTRACE = { capabilities: { allowedAdd: ['SYS_PTRACE'] } };

describe('pods that exist', () => {
  const cluster = useCluster('ephemeral');

  function enforce(team: string, rest: Partial<CapabilityPolicySpec> = {}): CapabilityPolicySpec {
    const namespaceSelector = { matchLabels: { team } };
    return { namespaceSelector, level: 'restricted', mode: 'Enforce', podSecurityLabels: 'Off', ...rest };
  }

  /** Creates a namespace with the pods `violating` and `compliant`. Creates a policy afterwards. */
  async function inhabited(
    team: string,
    rest: Partial<CapabilityPolicySpec> = {},
    beforeIt: (namespace: string) => Promise<unknown> = async () => {},
  ): Promise<[string, string]> {
    const namespace = await cluster.namespace(team, { team });
    await create(namespace, 'violating', privilegedPod());
    await create(namespace, 'compliant', restrictedPod());
    await beforeIt(namespace);
    const policy = await cluster.policy(team, enforce(team, rest));
    await cluster.programmed(policy);
    return [namespace, policy];
  }

  describe('with podSecurityLabels: Off', () => {
    let namespace: string;
    let policy: string;

    before(async () => {
      [namespace, policy] = await inhabited('off');
    });

    it('a violating pod can get an ephemeral container that complies', async () => {
      admitted(await debug(namespace, 'violating', 'good', RESTRICTED));
    });

    it('a violating pod can get a second ephemeral container, and each added container is evaluated when it is added', async () => {
      admitted(await debug(namespace, 'violating', 'better', RESTRICTED));
      refused(
        await debug(namespace, 'violating', 'bad', {
          ...RESTRICTED,
          capabilities: { drop: ['ALL'], add: ['SYS_PTRACE'] },
        }),
        policy,
        'bad',
      );
    });

    for (const [what, securityContext] of Object.entries({
      'adds a capability': { ...RESTRICTED, capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } },
      'is privileged': { privileged: true, runAsNonRoot: true },
      'sets nothing': undefined,
    })) {
      it(`get none that ${what}, whether they comply or not; and only the container is named`, async () => {
        for (const pod of ['violating', 'compliant']) {
          const answer = await debug(namespace, pod, 'debugger', securityContext);
          refused(answer, policy, 'debugger');
          assert.doesNotMatch(answer.body.message, /container "main"/);
        }
      });
    }

    it('an update of /ephemeralcontainers also cannot add a violating container', async () => {
      const path = `${podPath(namespace, 'violating')}/ephemeralcontainers`;
      const pod = await cluster.api.get(podPath(namespace, 'violating'));
      const bad = { name: 'put', image: 'example.org/debug', securityContext: { privileged: true } };
      const ephemeralContainers = [...(pod.spec.ephemeralContainers ?? []), bad];
      refused(
        await cluster.api.ask('PUT', path, { body: { ...pod, spec: { ...pod.spec, ephemeralContainers } } }),
        policy,
        'put',
      );
    });

    it('the policy refuses a change of the image of a violating pod, as Pod Security Admission would', async () => {
      const body = { spec: { containers: [{ name: 'main', image: 'example.org/app:2' }] } };
      refused(await patch(namespace, 'violating', body, ''), policy, 'main');
    });

    it('the labels, annotations and status of a violating pod can be changed', async () => {
      for (const [change, path, body] of [
        ['labels', '', { metadata: { labels: { colour: 'blue' } } }],
        ['annotations', '', { metadata: { annotations: { colour: 'blue' } } }],
        ['status', '/status', { status: { message: 'seen' } }],
      ] as const) {
        const answer = await patch(namespace, 'violating', body, path);
        assert.equal(answer.status, 200, `${change}: ${answer.body.message}`);
      }
    });

    itIfOffered('podResize', 'may be resized where the API server lets them', async () => {
      const resources = { requests: { cpu: '10m' }, limits: { cpu: '20m' } };
      const other = await cluster.namespace('resized');
      const pod = privilegedPod() as Json;
      pod.spec.containers[0].resources = resources;
      await create(other, 'violating', pod);
      await cluster.api.patch(`${NAMESPACES}/${other}`, { metadata: { labels: { team: 'off' } } });
      const body = { spec: { containers: [{ name: 'main', resources: { requests: { cpu: '11m' } } }] } };
      const answer = await patch(other, 'violating', body, '/resize');
      assert.equal(answer.status, 200, answer.body.message);
    });

    it('a violating pod can lose finalizers and can be deleted', async () => {
      const path = podPath(namespace, 'violating');
      const finalizers = (list: readonly string[]) =>
        cluster.api.ask('PATCH', path, { body: { metadata: { finalizers: list } }, contentType: MERGE });
      assert.equal((await finalizers(['example.org/held'])).status, 200);
      const answer = await cluster.api.ask('DELETE', path, { body: { gracePeriodSeconds: 0 } });
      assert.equal(answer.status, 200, answer.body.message);
      assert.equal((await finalizers([])).status, 200);
      await eventually('the pod to be gone', async () => (await cluster.api.find(path)) === undefined);
    });
  });

  describe('with podSecurityLabels: Managed', () => {
    let namespace: string;
    let policy: string;

    before(async () => {
      [namespace, policy] = await inhabited('managed', { podSecurityLabels: 'Managed' });
      await eventually('the label', async () => {
        const { metadata } = await cluster.api.get(`${NAMESPACES}/${namespace}`);
        return metadata.labels['pod-security.kubernetes.io/enforce'] === 'restricted';
      });
    });

    it('a violating pod can get no ephemeral container, because Pod Security Admission evaluates the whole pod', async () => {
      const { status, body } = await debug(namespace, 'violating', 'good', RESTRICTED);
      assert.equal(status, 403);
      assert.match(body.message, /violates PodSecurity "restricted:v1\.\d+"/);
      assert.doesNotMatch(body.message, /CapabilityPolicy/);
    });

    it('get one that complies, when they do', async () => {
      admitted(await debug(namespace, 'compliant', 'good', RESTRICTED));
    });

    it('Pod Security Admission refuses a violating ephemeral container before the policy does', async () => {
      const { status, body } = await debug(namespace, 'compliant', 'bad', { privileged: true });
      assert.equal(status, 403);
      assert.match(body.message, /violates PodSecurity|CapabilityPolicy/);
      assert.ok(policy);
    });
  });

  describe('pods that violate the policy by a field of the pod', () => {
    let policy: string;
    const namespace = () => cluster.named('inherited');
    const added = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };

    /**
     * A pod that complies with the level restricted, apart from the given fields. The container `main` sets the fields
     * of a compliant securityContext itself.
     */
    const host = (securityContext: object, spec: object = {}, annotations: Record<string, string> = {}) =>
      podManifest(
        { annotations },
        {
          ...spec,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' }, ...securityContext },
          containers: [{ name: 'main', image: 'example.org/app', securityContext: RESTRICTED }],
        },
      );

    const LOGS = { volumes: [{ name: 'logs', hostPath: { path: '/var/log' } }] };

    /**
     * Maps the field of a pod to a case. A case has the pod, the fields that an added container may override, and the
     * message of the refusal. If an added container may override no field, the second value of the case is undefined.
     */
    const INHERITED: Readonly<Record<string, readonly [pod: object, own: object | undefined, message: RegExp]>> = {
      seccompProfile: [
        host({ seccompProfile: { type: 'Unconfined' } }),
        { seccompProfile: { type: 'RuntimeDefault' } },
        /seccomp: pod must not set securityContext.seccompProfile.type to Unconfined/,
      ],
      appArmorProfile: [
        host({ appArmorProfile: { type: 'Unconfined' } }),
        { appArmorProfile: { type: 'RuntimeDefault' } },
        /appArmor: pod must not set securityContext.appArmorProfile.type to Unconfined/,
      ],
      seLinuxOptions: [
        host({ seLinuxOptions: { type: 'spc_t' } }),
        { seLinuxOptions: { level: 's0:c1' } },
        /seLinux: pod must not set securityContext.seLinuxOptions/,
      ],
      runAsUser: [
        host({ runAsUser: 0 }),
        { runAsUser: 1000 },
        /runAsUser: pod must not set securityContext.runAsUser=0/,
      ],
      runAsNonRoot: [
        host({ runAsNonRoot: false }),
        { runAsNonRoot: true },
        /runAsNonRoot: pod must not set securityContext.runAsNonRoot=false/,
      ],
      hostPID: [host({}, { hostPID: true }), undefined, /hostPID: pod must not set hostPID=true/],
      sysctls: [
        host({ sysctls: [{ name: 'kernel.msgmax', value: '1' }] }),
        undefined,
        /sysctls: pod must not set sysctl kernel.msgmax/,
      ],
      hostProcess: [
        {
          ...host({}),
          spec: {
            os: { name: 'windows' },
            hostNetwork: true,
            securityContext: {
              runAsNonRoot: true,
              windowsOptions: { hostProcess: true, runAsUserName: 'NT AUTHORITY\\SYSTEM' },
            },
            containers: [{ name: 'main', image: 'example.org/app' }],
          },
        },
        undefined,
        /hostProcess: pod must not set securityContext.windowsOptions.hostProcess=true/,
      ],
    };

    const names = Object.keys(INHERITED).map((what) => what.toLowerCase().replace(/[^a-z]+/g, '-'));

    before(async () => {
      const bare = async (name: string) => {
        for (const [i, [pod]] of Object.values(INHERITED).entries()) await create(name, names[i] ?? '', pod);
        await create(name, 'logs', host({}, LOGS));
      };
      [, policy] = await inhabited('inherited', {}, bare);
    });

    for (const [i, [what, [, own, message]]] of Object.entries(INHERITED).entries()) {
      const isForWindows = what === 'hostProcess';
      it(`get no container that inherits ${what}`, async () => {
        const answer = await debug(namespace(), names[i] ?? '', 'takes', isForWindows ? undefined : added);
        assert.equal(answer.status, 403, answer.body.message);
        assert.match(answer.body.message, new RegExp(`CapabilityPolicy ${policy}: .*${message.source}`));
      });
      if (own) {
        it(`get one that overrides ${what}`, async () => {
          admitted(await debug(namespace(), names[i] ?? '', 'own', { ...added, ...own }));
        });
      } else if (!isForWindows) {
        it(`get no container at all with ${what}, which it cannot override`, async () => {
          assert.equal((await debug(namespace(), names[i] ?? '', 'own', RESTRICTED)).status, 403);
        });
      }
    }

    it('an added container that mounts a violating volume is refused, even if the mount is read-only, but is admitted without the mount', async () => {
      admitted(await debug(namespace(), 'logs', 'without', RESTRICTED));
      for (const readOnly of [true, false]) {
        const volumeMounts = [{ name: 'logs', mountPath: '/logs', readOnly }];
        const answer = await debug(namespace(), 'logs', 'mounts', RESTRICTED, { volumeMounts });
        assert.equal(answer.status, 403, answer.body.message);
        assert.match(answer.body.message, /volumes: volume "logs" must not be of type hostPath/);
      }
    });
  });

  describe('pods that an exception admits, beside another policy for everyone', () => {
    const logs = { volumeMounts: [{ name: 'logs', mountPath: '/logs', readOnly: true }] };
    const traced = { ...RESTRICTED, capabilities: { drop: ['ALL'], add: ['SYS_PTRACE'] } };
    let [base, exception] = ['', ''];
    const namespace = () => cluster.named('combined');

    const agent = (name: string) => ({
      ...privilegedPod(),
      metadata: { name },
      spec: {
        serviceAccountName: 'agent',
        hostPID: true,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        volumes: [{ name: 'logs', hostPath: { path: '/var/log' } }],
        containers: [
          {
            name: 'main',
            image: 'example.org/app',
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
            ...logs,
          },
        ],
      },
    });

    before(async () => {
      await cluster.serviceAccount(await cluster.namespace('combined', { team: 'combined' }), 'agent');
      base = await cluster.policy('everyone', enforce('combined', { overrides: SYS_PTRACE }));
      exception = await cluster.policy('agent', {
        ...enforce('combined'),
        usableBy: 'Subjects',
        subjects: [{ kind: 'ServiceAccount', namespace: namespace(), name: 'agent' }],
        overrides: {
          hostPID: true,
          volumes: ['configMap', 'emptyDir', 'hostPath', 'projected', 'secret'],
          hostPaths: [{ pathPrefix: '/var/log', readOnly: true }],
        },
      });
      await cluster.programmed(base, exception);
      await create(namespace(), 'agent', agent('agent'));
    });

    it('a pod with two fields is refused if each of two policies admits only one of the fields', async () => {
      const pod = agent('both') as Json;
      pod.spec.containers[0].securityContext.capabilities.add = ['SYS_PTRACE'];
      const message = await cluster.admit(pod, namespace());
      assert.match(message, new RegExp(`CapabilityPolicy ${base}: hostPID`));
      assert.match(message, new RegExp(`CapabilityPolicy ${exception}: capabilities`));
    });

    for (const [what, securityContext, readOnly, message] of [
      [
        'a field that only the policy for everyone admits',
        traced,
        true,
        /container "debugger" must not add capability SYS_PTRACE/,
      ],
      ['a mount that only it does not check', RESTRICTED, false, /container "debugger" must mount with readOnly: true/],
      ['both', traced, false, /container "debugger" must not add capability SYS_PTRACE/],
    ] as const) {
      it(`get no ephemeral container with ${what}: the pod with it would satisfy neither`, async () => {
        const volumeMounts = [{ name: 'logs', mountPath: '/logs', readOnly }];
        const answer = await debug(namespace(), 'agent', 'debugger', securityContext, { volumeMounts });
        assert.equal(answer.status, 403, answer.body.message);
        assert.match(answer.body.message, message);
        assert.match(
          answer.body.message,
          new RegExp(`CapabilityPolicy ${base}: .*hostPID: pod must not set hostPID=true`),
        );
      });
    }

    it('get one that the exception admits', async () => {
      admitted(await debug(namespace(), 'agent', 'good', RESTRICTED, logs));
    });

    it('the policy for everyone admits an added container if the policy also admits the pod', async () => {
      await create(namespace(), 'plain', restrictedPod());
      admitted(await debug(namespace(), 'plain', 'traces', traced));
    });
  });

  describe('with defaulting', () => {
    let namespace: string;
    let policy: string;

    before(async () => {
      [namespace, policy] = await inhabited('filled', { defaulting: 'Enabled' }, async (name) =>
        admitted(await debug(name, 'violating', 'old', undefined)),
      );
    });

    itIfOffered(
      'mutatingAdmissionPolicies',
      'get unset fields filled in on the added container and nowhere else',
      async () => {
        const before = await cluster.api.get(podPath(namespace, 'violating'));
        admitted(await debug(namespace, 'violating', 'added', undefined));
        const { spec, metadata } = await cluster.api.get(podPath(namespace, 'violating'));
        assert.deepEqual(spec.containers, before.spec.containers);
        assert.deepEqual(spec.securityContext, before.spec.securityContext);
        assert.deepEqual(metadata.annotations, before.metadata.annotations);
        const named = (name: string) => spec.ephemeralContainers.find((one: Json) => one.name === name);
        assert.deepEqual(named('old'), before.spec.ephemeralContainers[0]);
        assert.deepEqual(named('added').securityContext, {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          runAsNonRoot: true,
          seccompProfile: { type: 'RuntimeDefault' },
        });
      },
    );

    it('are refused one whose set values violate', async () => {
      const answer = await debug(namespace, 'violating', 'bad', { privileged: true });
      refused(answer, policy, 'bad');
    });
  });

  describe('that are images of static pods', () => {
    const node: Identity = { user: 'system:node:worker', groups: ['system:nodes', 'system:authenticated'] };

    it('are never refused to their node', async () => {
      const [namespace] = await inhabited('static');
      await grant(cluster.api, node.user, [{ apiGroups: [''], resources: ['pods'], verbs: ['create'] }], {
        name: 'ephemeral-node',
      });
      const pod = privilegedPod() as Json;
      pod.metadata = { name: 'static-worker', annotations: { [MIRROR]: 'hash' } };
      pod.spec.nodeName = 'worker';
      const look = async () => {
        const { status, body } = await cluster.tryCreate(`${NAMESPACES}/${namespace}/pods`, pod, node);
        assert.doesNotMatch(String(body.message ?? ''), /CapabilityPolicy/);
        return status === 201;
      };
      await eventually('the mirror pod', look);
    });
  });

  async function create(namespace: string, name: string, pod: object): Promise<void> {
    await cluster.api.create(`${NAMESPACES}/${namespace}/pods`, { ...pod, metadata: { name } });
  }

  /** Adds a container as `kubectl debug` does, with a strategic merge patch. */
  async function debug(
    namespace: string,
    pod: string,
    name: string,
    securityContext: object | undefined,
    rest: object = {},
  ): Promise<Answer> {
    const container = { name, image: 'example.org/debug', ...(securityContext && { securityContext }), ...rest };
    return patch(namespace, pod, { spec: { ephemeralContainers: [container] } }, '/ephemeralcontainers');
  }

  function patch(namespace: string, pod: string, body: object, subresource = ''): Promise<Answer> {
    const path = podPath(namespace, pod) + subresource;
    return cluster.api.ask('PATCH', path, { body, contentType: STRATEGIC, as: ADMINISTRATOR });
  }
});

function podPath(namespace: string, pod: string): string {
  return `${NAMESPACES}/${namespace}/pods/${pod}`;
}

function admitted({ status, body }: Answer): void {
  assert.equal(status, 200, body.message);
}

function refused({ status, body }: Answer, policy: string, container: string): void {
  assert.equal(status, 403, body.message);
  assert.match(body.message, new RegExp(`CapabilityPolicy ${policy}: .*container "${container}" `));
}
