/**
 * Tests policies of every level and version of the Pod Security Standards. All of these policies are rows of one
 * program.
 */
import assert from 'node:assert/strict';
import { SERVER_MINOR } from '../../hack/controlplane/version.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { formatVersion } from '../../operator/standards/level-version.ts';
import { inBatches } from '../support/batches.ts';
import { ADMITTED, useCluster } from '../support/harness.ts';
import { describeIfOffered } from '../support/needs.ts';
import { podManifest, privilegedPod, restrictedPod } from '../support/pod-manifests.ts';

type Level = 'baseline' | 'restricted';

const CASES = (['baseline', 'restricted'] as const).flatMap((level) =>
  Array.from({ length: SERVER_MINOR + 1 }, (_, minor) => ({ level, minor })),
);
const AT_ONCE = 8;

function hardened(securityContext: object, pod: object = {}): object {
  return podManifest(
    { name: 'pod' },
    {
      securityContext: { runAsNonRoot: true, ...pod },
      containers: [
        {
          name: 'main',
          image: 'example.org/app',
          securityContext: { allowPrivilegeEscalation: false, ...securityContext },
        },
      ],
    },
  );
}

const SECCOMP = { seccompProfile: { type: 'RuntimeDefault' } };
const DROP = { capabilities: { drop: ['ALL'] } };

/** Pods, with the policies that admit each pod, by the level and the version of the Pod Security Standards. */
const PODS: readonly (readonly [title: string, pod: object, admits: (level: Level, minor: number) => boolean])[] = [
  ['restricted', restrictedPod(), () => true],
  ['privileged', privilegedPod(), () => false],
  ['without a seccomp profile', hardened(DROP), (level, minor) => level === 'baseline' || minor < 19],
  ['without drop', hardened({}, SECCOMP), (level, minor) => level === 'baseline' || minor < 22],
  [
    'with a sysctl of v1.29',
    hardened(DROP, { ...SECCOMP, sysctls: [{ name: 'net.ipv4.tcp_keepalive_time', value: '1' }] }),
    (_, minor) => minor >= 29,
  ],
  [
    'with a sysctl of v1.32',
    hardened(DROP, { ...SECCOMP, sysctls: [{ name: 'net.ipv4.tcp_rmem', value: '1 2 3' }] }),
    (_, minor) => minor >= 32,
  ],
];

describeIfOffered('admissionVariables', 'policies of every level and version', function () {
  this.timeout(300_000);
  const cluster = useCluster('every-level');

  it('all come into force with their own verdicts, and so do the policies before and after them', async () => {
    const selecting = (
      name: string,
    ): Pick<CapabilityPolicySpec, 'mode' | 'namespaceSelector' | 'podSecurityLabels'> => ({
      mode: 'Enforce',
      namespaceSelector: { matchLabels: { 'every-level': name } },
      podSecurityLabels: 'Off',
    });
    const plain = async (name: string, overrides = {}) => {
      await cluster.policy(name, { ...selecting(name), level: 'restricted', overrides });
      return { name, namespace: await cluster.namespace(name, { 'every-level': name }) };
    };
    const before = await plain('before');
    await cluster.programmed(cluster.named('before'));
    const versions = await inBatches(CASES, AT_ONCE, async ({ level, minor }) => {
      const name = `${level}-${minor}`;
      const policy = await cluster.policy(name, { ...selecting(name), level, levelVersion: formatVersion(minor) });
      return { policy, level, minor, namespace: await cluster.namespace(name, { 'every-level': name }) };
    });
    assert.equal(versions.length, 2 * (SERVER_MINOR + 1));
    const after = await plain('after');
    await cluster.programmed(...versions.map(({ policy }) => policy), cluster.named('after'));

    await inBatches(versions, AT_ONCE, async ({ policy, level, minor, namespace }) => {
      for (const [title, pod, admits] of PODS) {
        const answer = await cluster.admit(pod, namespace);
        const about = `a pod ${title} in the namespace of ${policy}: ${answer}`;
        assert.equal(answer === ADMITTED, admits(level, minor), about);
        if (answer !== ADMITTED) assert.match(answer, new RegExp(`CapabilityPolicy ${policy}:`), about);
      }
    });
    for (const { namespace } of [before, after]) {
      assert.equal(await cluster.admit(restrictedPod(), namespace), ADMITTED);
      assert.notEqual(await cluster.admit(hardened(DROP), namespace), ADMITTED);
    }
    await plain('before', { seccomp: { unset: 'Allowed' } });
    await cluster.programmed(cluster.named('before'));
    assert.equal(await cluster.admit(hardened(DROP), before.namespace), ADMITTED);
  });
});
