/**
 * Tests many policies that decide about one pod. There are 14 policies, and ten of these policies have restricted use.
 * Each pod has 100 containers.
 */
import assert from 'node:assert/strict';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import { ADMITTED, eventually, serviceAccount, useCluster } from '../support/harness.ts';
import { podManifest } from '../support/pod-manifests.ts';
import { POLICIES } from '../support/rendered.ts';

const CANDIDATES = 14;
const RESTRICTED = 10;
const CONTAINERS = 100;
/**
 * The maximum size of a message, in bytes. The API server drops a longer message, and shows the CEL expression to the
 * user instead.
 */
const MOST_BYTES = 5 * 1024;

describe('14 policies that decide together, including ten policies with restricted use', function () {
  this.timeout(300_000);
  const cluster = useCluster('candidates');
  const namespaces: Record<string, string> = {};

  before(async () => {
    for (const [team, last] of [
      ['everyone', 'Everyone'],
      ['bindings', 'Bindings'],
    ] as const) {
      const namespace = await cluster.namespace(team, { candidates: team });
      namespaces[team] = namespace;
      await cluster.serviceAccount(namespace, 'pinger');
      const names = await Promise.all(
        Array.from({ length: CANDIDATES }, (_, index) =>
          cluster.policy(`${team}-${letter(index)}`, specOf(team, index, last)),
        ),
      );
      await bindUse(namespace, names.at(-1) ?? '');
      await cluster.programmed(...names);
    }
  });

  it('the policies admit a pod of 100 containers that complies only with the last policy, which everyone may use', async () => {
    assert.equal(await cluster.admit(podOf(['SYS_TIME']), namespaces.everyone ?? ''), ADMITTED);
  });

  it('the policies admit a pod of 100 containers that complies only with the last policy, which its service account may use', async () => {
    const pod = podOf(['SYS_TIME'], { serviceAccountName: 'pinger' });
    assert.equal(await cluster.admit(pod, namespaces.bindings ?? ''), ADMITTED);
  });

  it('the policies admit a pod of 100 containers that complies only with the last policy, which its creator may use', async () => {
    const namespace = namespaces.bindings ?? '';
    assert.equal(await cluster.admit(podOf(['SYS_TIME']), namespace, serviceAccount(namespace, 'pinger')), ADMITTED);
  });

  it('the policies admit a pod of 100 containers with all fields that the rules read', async () => {
    const fields = { volumes: Array.from({ length: 20 }, (_, i) => ({ name: `v-${i}`, emptyDir: {} })) };
    assert.equal(await cluster.admit(podOf(['SYS_TIME'], fields), namespaces.everyone ?? ''), ADMITTED);
  });

  it('the policies refuse a pod that complies with no policy, and name a policy and its allowed values, in at most 5 KiB', async () => {
    for (const team of ['everyone', 'bindings']) {
      const refusals = await Promise.all(
        [['SYS_ADMIN'], [...CAPABILITIES]].map((add) => cluster.admit(podOf(add), namespaces[team] ?? '')),
      );
      for (const text of refusals) {
        assert.match(text, new RegExp(`CapabilityPolicy candidates-${team}-[a-n]: `));
        assert.match(text, /must not add capabilit.*\(allowed: [^)]*(NET_|SYS_)/);
        assert.ok(Buffer.byteLength(text) <= MOST_BYTES, `${Buffer.byteLength(text)} bytes: ${text}`);
      }
    }
  });

  it('the policies refuse a pod if its user lacks only the right to use the last policy', async () => {
    const text = await cluster.admit(podOf(['SYS_TIME']), namespaces.bindings ?? '');
    assert.match(text, /CapabilityPolicy candidates-bindings-[a-n]: /);
    assert.ok(Buffer.byteLength(text) <= MOST_BYTES, text);
  });

  it('the policies have no condition about restricted use if at most ten policies have restricted use', async () => {
    assert.deepEqual(await complaints(namespaces.bindings ?? ''), []);
  });

  it('the policies have a condition about restricted use if more than ten policies of the namespace have restricted use', async () => {
    const namespace = await cluster.namespace('crowd', { candidates: 'crowd' });
    const spec = (index: number) => ({ ...specOf('crowd', index, 'Bindings'), usableBy: 'Bindings' as const });
    for (let index = 0; index < RESTRICTED; index++) await cluster.policy(`crowd-${letter(index)}`, spec(index));
    await cluster.programmed(...(await cluster.policies()));
    assert.deepEqual(await complaints(namespace), []);
    const last = await cluster.policy(`crowd-${letter(RESTRICTED)}`, spec(RESTRICTED));
    const found = await eventually(
      'a condition about the namespace',
      async () => {
        const all = await complaints(namespace);
        return all.length > 0 && all;
      },
      30_000,
    );
    assert.match(found.join('\n'), new RegExp(`^candidates-crowd-[a-k] .*more than ${RESTRICTED}`, 'm'));
    await cluster.deletePolicy(last);
    await eventually(
      'no condition about the namespace',
      async () => (await complaints(namespace)).length === 0,
      30_000,
    );
  });

  /**
   * Returns the conditions that report too many policies with restricted use in the namespace. A condition is written
   * as `policy type=status: message`.
   */
  async function complaints(namespace: string): Promise<string[]> {
    const policies = await cluster.api.list(POLICIES);
    return policies.flatMap(({ metadata, status }) =>
      ((status?.conditions ?? []) as readonly { type: string; status: string; message: string }[])
        .filter(({ message }) => message.includes(namespace) && /more than 10\b/i.test(message))
        .map(({ type, status: state, message }) => `${metadata.name} ${type}=${state}: ${message}`),
    );
  }

  async function bindUse(namespace: string, policy: string): Promise<void> {
    const group = 'rbac.authorization.k8s.io';
    await cluster.api.apply(`/apis/${group}/v1/namespaces/${namespace}/rolebindings/pinger`, {
      apiVersion: `${group}/v1`,
      kind: 'RoleBinding',
      metadata: { name: 'pinger' },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: `capabilitypolicy.dev:use:${policy}` },
      subjects: [{ kind: 'ServiceAccount', name: 'pinger', namespace }],
    });
  }
});

/**
 * Returns a letter for the name of the policy with the given index. The names sort by index. The API server therefore
 * evaluates the policy with the highest index last.
 */
function letter(index: number): string {
  return String.fromCharCode('a'.charCodeAt(0) + index);
}

/**
 * Returns the spec of the policy with the given index. Only the last policy allows SYS_TIME. If everyone may use the
 * last policy, the names of the ten policies with restricted use sort before the names of the other policies.
 */
function specOf(team: string, index: number, last: 'Everyone' | 'Bindings'): CapabilityPolicySpec {
  const restricted = last === 'Everyone' ? index < RESTRICTED : index >= CANDIDATES - RESTRICTED;
  const allowedAdd = index === CANDIDATES - 1 ? (['SYS_TIME'] as const) : (['NET_RAW', 'NET_BIND_SERVICE'] as const);
  return {
    namespaceSelector: { matchLabels: { candidates: team } },
    level: 'restricted',
    mode: 'Enforce',
    ...(restricted && { usableBy: 'Bindings' as const }),
    overrides: {
      capabilities: { allowedAdd: [...allowedAdd] },
      runAsUser: { rule: 'MustRunAs', ranges: [{ min: 1, max: 60_000 + index }] },
    },
  };
}

/** A pod with hardened containers. Each container sets all fields that the level restricted reads. */
function podOf(add: readonly string[], spec: object = {}): object {
  const securityContext = {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'], add },
    runAsNonRoot: true,
    runAsUser: 1000,
    seccompProfile: { type: 'RuntimeDefault' },
  };
  const containers = Array.from({ length: CONTAINERS }, (_, i) => ({
    name: `c-${i}`,
    image: 'example.org/app',
    securityContext,
  }));
  return podManifest({ name: 'pod' }, { ...spec, containers });
}
