/**
 * Tests the condition `Accepted` of policies. Some settings of these policies have no effect because of other settings.
 * The API server refuses the pods that the settings without effect should admit.
 */
import assert from 'node:assert/strict';
import type { Json } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { ADMITTED, useCluster } from '../support/harness.ts';
import { podManifest } from '../support/pod-manifests.ts';

type Overrides = NonNullable<CapabilityPolicySpec['overrides']>;

describe('a policy with settings that contradict each other', () => {
  const cluster = useCluster('contradictions');

  const pod = (container: object, spec: object = {}) =>
    podManifest({ name: 'a' }, { containers: [{ name: 'main', image: 'app', ...container }], ...spec });
  const security = (of: object) => pod({ securityContext: of });
  const volume = (of: object) => pod({}, { volumes: [{ name: 'v', ...of }] });
  const hostProcess = (spec: object) =>
    pod(
      {},
      {
        os: { name: 'windows' },
        securityContext: { windowsOptions: { hostProcess: true, runAsUserName: 'NT AUTHORITY\\SYSTEM' } },
        ...spec,
      },
    );

  /**
   * Settings of a policy. Each row has a part of the expected note. Each row also has the pods that the setting should
   * admit.
   */
  const CASES: readonly (readonly [name: string, overrides: Overrides, note: RegExp, pods: readonly object[]])[] = [
    [
      'privileged',
      { privileged: true, allowPrivilegeEscalation: false },
      /overrides\.privileged: true admits no container: /,
      [true, false, undefined].map((allowPrivilegeEscalation) =>
        security({ privileged: true, allowPrivilegeEscalation }),
      ),
    ],
    [
      'bounding',
      { privileged: true, capabilities: { allowedBounding: ['CHOWN'] } },
      /overrides\.privileged: true admits no container: a privileged container holds every capability/,
      [security({ privileged: true }), security({ privileged: true, capabilities: { drop: ['ALL'] } })],
    ],
    [
      'windows',
      { hostProcess: true },
      /overrides\.hostProcess: true admits no pod: /,
      [hostProcess({ hostNetwork: true }), hostProcess({ hostNetwork: false })],
    ],
    [
      'adds',
      { capabilities: { allowedAdd: ['NET_RAW'], allowedBounding: ['CHOWN'] } },
      /overrides\.capabilities\.allowedAdd admits no container that adds NET_RAW: /,
      [security({ capabilities: { add: ['NET_RAW'], drop: ['ALL'] } })],
    ],
    [
      'paths',
      { hostPaths: [{ pathPrefix: '/var/log' }] },
      /overrides\.hostPaths has no effect: /,
      [volume({ hostPath: { path: '/var/log' } })],
    ],
    [
      'types',
      { volumes: ['hostPath', 'projected'], hostPaths: [] },
      /overrides\.volumes admits no hostPath volume: /,
      [volume({ hostPath: { path: '/var/log' } })],
    ],
    [
      'sysctls',
      { sysctls: { allowed: ['kernel.shm_rmid_forced'], forbidden: ['kernel.*'] } },
      /overrides\.sysctls\.allowed admits no pod that sets kernel\.shm_rmid_forced: /,
      [pod({}, { securityContext: { sysctls: [{ name: 'kernel.shm_rmid_forced', value: '1' }] } })],
    ],
  ];

  it('the policy is accepted with a note, and refuses the pods that the setting should admit', async () => {
    for (const [name, overrides, note, pods] of CASES) {
      const team = { team: cluster.named(name) };
      const namespace = await cluster.namespace(name, team);
      const policy = await cluster.policy(name, {
        namespaceSelector: { matchLabels: team },
        level: 'baseline',
        mode: 'Enforce',
        overrides,
      });
      await cluster.programmed(policy);
      const accepted = await cluster.condition(policy, 'Accepted');
      assert.equal(accepted?.status, 'True');
      assert.match(accepted?.message ?? '', note);
      for (const one of pods) {
        const answer = await cluster.admit(one, namespace);
        assert.notEqual(answer, ADMITTED, `${name}: ${JSON.stringify((one as Json).spec)}`);
      }
    }
  });

  it('the policy has no note if the settings agree, and admits the pods', async () => {
    const team = { team: cluster.named('agreed') };
    const namespace = await cluster.namespace('agreed', team);
    const policy = await cluster.policy('agreed', {
      namespaceSelector: { matchLabels: team },
      level: 'baseline',
      mode: 'Enforce',
      overrides: {
        privileged: true,
        hostProcess: true,
        hostNetwork: true,
        volumes: ['*'],
        hostPaths: [{ pathPrefix: '/var/log' }],
      },
    });
    await cluster.programmed(policy);
    const { message = '' } = (await cluster.condition(policy, 'Accepted')) ?? {};
    assert.match(message, /^compiled: baseline v1\.\d+, mode Enforce$/);
    const pods = [
      security({ privileged: true }),
      hostProcess({ hostNetwork: true }),
      volume({ hostPath: { path: '/var/log' } }),
    ];
    for (const one of pods) assert.equal(await cluster.admit(one, namespace), ADMITTED);
  });
});
