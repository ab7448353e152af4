import assert from 'node:assert/strict';
import type { Answer, Json } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { RUNTIME_DEFAULT } from '../../operator/standards/capabilities.ts';
import { ADMITTED, eventually, isProgrammed, useCluster } from '../support/harness.ts';
import { describeIfOffered } from '../support/needs.ts';
import { podManifest } from '../support/pod-manifests.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';

const TOGETHER = 13;
/**
 * The maximum number of policies that a refusal describes. The policies are sorted by name. A refusal only counts the
 * remaining policies.
 */
const DESCRIBED = 3;
const CONTAINERS = 100;
const RBAC = 'rbac.authorization.k8s.io';
/** The API server compiles all policies of this test within this time in ms. */
const ROLLED_OUT_MS = 240_000;

/**
 * The capabilities of the policies. Each policy admits one capability of CAPABILITIES. Only bound subjects may use a
 * policy.
 */
const CAPABILITIES = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_ADMIN',
  'NET_RAW',
  'SETFCAP',
  'SETGID',
  'SETUID',
  'SYS_CHROOT',
  'SYS_TIME',
  'SYS_NICE',
] as const;

describeIfOffered('admissionVariables', `${TOGETHER} policies that meet, each with its own users`, function () {
  this.timeout(ROLLED_OUT_MS + 60_000);
  const cluster = useCluster('ceiling');
  let namespace: string;
  const policies: string[] = [];

  function admitting(index: number): CapabilityPolicySpec {
    return {
      namespaceSelector: { matchLabels: { team: 'ceiling' } },
      level: 'restricted',
      mode: 'Enforce',
      usableBy: 'Bindings',
      podSecurityLabels: 'Off',
      overrides: { capabilities: { allowedAdd: [CAPABILITIES[index] ?? 'BPF'] } },
    };
  }

  before(async () => {
    namespace = await cluster.namespace('team', { team: 'ceiling' });
    await cluster.serviceAccount(namespace, 'bound');
    for (let i = 0; i < TOGETHER; i++) policies.push(await cluster.policy(nameOf(i), admitting(i)));
    await allProgrammed(policies);
  });

  it(`refuse a pod of ${CONTAINERS} containers whose service account may use none: the first ones say so or give their reasons`, async () => {
    const message = await cluster.admit(crowdedPod(['DAC_OVERRIDE'], 'default'), namespace);
    assert.match(message, /CapabilityPolicy ceiling-p01: the pod complies, but neither its service account nor/);
    for (const other of ['p00', 'p02']) {
      const reason = `CapabilityPolicy ceiling-${other}: capabilities: container "c0" must not add capability DAC_OVERRIDE`;
      assert.ok(message.includes(reason), message);
    }
    assert.match(message, counted(policies.length - DESCRIBED));
  });

  it('the policies refuse a pod that violates every policy, describe the first violations briefly, and count the other policies', async () => {
    const message = await cluster.admit(crowdedPod(undefined, 'bound'), namespace);
    for (const policy of policies.slice(0, DESCRIBED)) {
      const reason = `CapabilityPolicy ${policy}: capabilities: container "c0" must not add capability SYS_ADMIN [^|]*; and \\d+ more`;
      assert.match(message, new RegExp(reason));
    }
    assert.match(message, counted(policies.length - DESCRIBED));
    assert.ok(Buffer.byteLength(message) < 6_000, `${Buffer.byteLength(message)} bytes`);
  });

  for (const index of [0, 7, TOGETHER - 1]) {
    it(`admit it by the one that its service account may use: number ${index + 1}`, async () => {
      const capability = CAPABILITIES[index] ?? '';
      await bound(index, async () => {
        const pod = crowdedPod([capability], 'bound');
        await eventually('admission', async () => (await cluster.admit(pod, namespace)) === ADMITTED);
        assert.match(
          await cluster.admit(crowdedPod([CAPABILITIES[index === 0 ? 1 : 0] ?? ''], 'bound'), namespace),
          /may use this policy/,
        );
      });
    });
  }

  it('the policies evaluate the whole pod with its added containers, but only the added containers if the pod satisfies no policy', async () => {
    const older = await cluster.namespace('older');
    const [compliant, violating] = [crowdedPod(['NET_RAW'], 'bound'), crowdedPod(undefined)];
    const metadata = { name: 'debugged' };
    await cluster.api.create(`${NAMESPACES}/${namespace}/pods`, { ...compliant, metadata });
    await cluster.api.create(`${NAMESPACES}/${older}/pods`, { ...violating, metadata });
    await cluster.api.patch(`${NAMESPACES}/${older}`, { metadata: { labels: { team: 'ceiling' } } });
    for (const [where, add, status] of [
      [namespace, ['NET_RAW'], 200],
      [namespace, ['SYS_TIME'], 403],
      [older, ['SYS_TIME'], 200],
      [older, ['BPF'], 403],
    ] as const) {
      const answer = await debug(where, add);
      assert.equal(answer.status, status, answer.body.message);
      for (const [i, policy] of status === 403 ? policies.slice(0, DESCRIBED).entries() : []) {
        // The message about a policy names a violating container. If the policy allows the capability of the added
        // container, the message names one of the pod's own containers.
        const container = CAPABILITIES[i] === add[0] ? 'c0' : 'debug-';
        const reason = `CapabilityPolicy ${policy}: capabilities: container "${container}`;
        assert.ok(answer.body.message.includes(reason), `${reason} is not in: ${answer.body.message}`);
      }
    }
  });

  it('another policy fits into the program, and the other policies stay in force when one policy is deleted', async () => {
    const last = await cluster.policy('last', admitting(TOGETHER));
    await cluster.programmed(last);
    for (const policy of policies) assert.ok(isProgrammed(await cluster.api.get(`${POLICIES}/${policy}`)), policy);
    await bound(3, async () => {
      const pod = crowdedPod([CAPABILITIES[3]], 'bound');
      await eventually('admission', async () => (await cluster.admit(pod, namespace)) === ADMITTED);
    });

    const [gone = '', ...remaining] = policies;
    await cluster.deletePolicy(gone);
    await allProgrammed([...remaining, last]);
    await bound(
      TOGETHER,
      async () => {
        const pod = crowdedPod([CAPABILITIES[TOGETHER] ?? ''], 'bound');
        await eventually('admission', async () => (await cluster.admit(pod, namespace)) === ADMITTED);
      },
      last,
    );
    await cluster.settled();
    assert.deepEqual(await cluster.having(gone), []);
  });

  /** Adds a container to the stored pod. */
  function debug(where: string, add: readonly string[]): Promise<Answer> {
    const { containers } = (crowdedPod(add) as Json).spec;
    const ephemeralContainers = [{ ...containers[0], name: `debug-${add[0]?.toLowerCase().replace('_', '-')}` }];
    return cluster.api.ask('PATCH', `${NAMESPACES}/${where}/pods/debugged/ephemeralcontainers`, {
      body: { spec: { ephemeralContainers } },
      contentType: 'application/strategic-merge-patch+json',
    });
  }

  async function allProgrammed(names: readonly string[]): Promise<void> {
    const look = async () => {
      const objects = await Promise.all(names.map((name) => cluster.api.get(`${POLICIES}/${name}`)));
      return objects.every(isProgrammed);
    };
    await eventually('all policies to be programmed', look, ROLLED_OUT_MS);
  }

  /** Gives the service account `bound` the right to use the policy while `meanwhile` runs. */
  async function bound(index: number, meanwhile: () => Promise<void>, policy = policies[index]): Promise<void> {
    const path = `/apis/${RBAC}/v1/namespaces/${namespace}/rolebindings/bound`;
    await cluster.api.apply(path, {
      apiVersion: `${RBAC}/v1`,
      kind: 'RoleBinding',
      metadata: { name: 'bound' },
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: `capabilitypolicy.dev:use:${policy}` },
      subjects: [{ kind: 'ServiceAccount', name: 'bound', namespace }],
    });
    await meanwhile().finally(() => cluster.api.remove(path));
  }
});

function nameOf(index: number): string {
  return `p${String(index).padStart(2, '0')}`;
}

function counted(others: number): RegExp {
  return new RegExp(`[|] ${others} more CapabilityPolicies that decide in the namespace do not admit it either`);
}

const DEFAULTS = RUNTIME_DEFAULT.filter((name) => name !== 'NET_RAW');

describe(`policies for everyone with one selector: a pod of ${CONTAINERS} containers that the last of them admits, and that the others refuse at its last container`, function () {
  this.timeout(ROLLED_OUT_MS + 60_000);
  const cluster = useCluster('crowd');

  for (const [team, count, spec, others, pod] of [
    [
      'restricted',
      14,
      { level: 'restricted', overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } },
      { level: 'restricted' },
      (last: string[]) => crowdedPod((i) => ({ drop: ['ALL'], add: i === CONTAINERS - 1 ? last : [] })),
    ],
    [
      'bounding',
      12,
      { level: 'privileged', overrides: { privileged: false, capabilities: { allowedBounding: ['NET_RAW'] } } },
      { level: 'privileged', overrides: { privileged: false, capabilities: { allowedBounding: ['AUDIT_READ'] } } },
      (last: string[]) =>
        crowdedPod((i) => ({
          drop: i === CONTAINERS - 1 && last.includes('NET_RAW') ? DEFAULTS : RUNTIME_DEFAULT,
          add: last.filter((name) => i === CONTAINERS - 1 && name !== 'NET_RAW'),
        })),
    ],
  ] as const) {
    it(`is admitted: ${count} of them, ${team}`, async () => {
      const namespace = await cluster.namespace(team, { team });
      const policies: string[] = [];
      for (let i = 0; i < count; i++) {
        const own = {
          namespaceSelector: { matchLabels: { team } },
          mode: 'Enforce',
          podSecurityLabels: 'Off',
          ...(i === count - 1 ? spec : others),
        };
        policies.push(
          await cluster.policy(`${team}-${String(i).padStart(2, '0')}`, own as unknown as CapabilityPolicySpec),
        );
      }
      await cluster.programmed(...policies);
      assert.equal(await cluster.admit(pod(['NET_RAW']), namespace), ADMITTED);
      const message = await cluster.admit(pod(['SYS_TIME']), namespace);
      for (const policy of policies.slice(0, DESCRIBED))
        assert.match(message, new RegExp(`CapabilityPolicy ${policy}: capabilities[^|]* SYS_TIME`));
      assert.match(message, counted(count - DESCRIBED));
    });
  }
});

/**
 * A pod with many containers. The pod complies with the level restricted, apart from its capabilities. If
 * `capabilities` is not set, the pod violates every rule.
 *
 * @param capabilities the capabilities that all containers add. If the value is a function, the function returns the
 * capabilities of each container
 */
function crowdedPod(
  capabilities: readonly string[] | ((index: number) => object) | undefined,
  serviceAccountName = 'default',
): object {
  const restricted = {
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
    allowPrivilegeEscalation: false,
  };
  const own = typeof capabilities === 'function' ? capabilities : () => ({ drop: ['ALL'], add: capabilities });
  const containers = Array.from({ length: CONTAINERS }, (_, i) => ({
    name: `c${i}`,
    image: 'example.org/app',
    securityContext: capabilities ? { ...restricted, capabilities: own(i) } : { capabilities: { add: ['SYS_ADMIN'] } },
  }));
  return podManifest({ name: 'crowded' }, { serviceAccountName, containers });
}
