/** Tests which pods break each control of the hardening guides. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CONTROLS } from '../../analysis/controls/controls.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { RULES } from '../../operator/rules/index.ts';
import { app, OWN_USERS, pod, secured, WINDOWS } from '../support/pods.ts';
import { resolved } from '../support/policies.ts';
import { contentOf, randomPods } from '../support/random-pods.ts';

const EVALUATOR = new Evaluator();
/** A container that breaks no control. */
const HARDENED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
  capabilities: { drop: ['ALL'] },
};
const TOKEN = { projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } };
const HOST_PATH = [{ name: 'one', hostPath: { path: '/var/log' } }];

function hardened(securityContext: object = {}, spec: object = {}, container: object = {}): PodContent {
  return app({ ...secured({ ...HARDENED, ...securityContext }), ...container }, { ...spec });
}

function brokenBy(content: PodContent): string[] {
  return CONTROLS.filter((control) => EVALUATOR.violations(content, control).length > 0).map(({ id }) => id);
}

/** A change of the hardened pod, and the controls that the changed pod breaks. */
const ROWS: readonly [what: string, changed: PodContent, controls: readonly string[]][] = [
  ['nothing', hardened(), []],
  ['a token', hardened({}, { volumes: [{ name: 'one', ...TOKEN }] }), ['5.1.6', 'ServiceAccountTokens']],
  [
    'privileged',
    hardened({ privileged: true, allowPrivilegeEscalation: true }),
    ['5.2.2', '5.2.6', '5.2.8', '5.2.9', 'Privileged', 'Root'],
  ],
  ['hostPID', hardened({}, { hostPID: true }), ['5.2.3', 'Breakout']],
  ['hostIPC', hardened({}, { hostIPC: true }), ['5.2.4', 'Breakout']],
  ['hostNetwork', hardened({}, { hostNetwork: true }), ['5.2.5', 'Breakout']],
  ['allowPrivilegeEscalation: true', hardened({ allowPrivilegeEscalation: true }), ['5.2.6', 'Root']],
  ['allowPrivilegeEscalation unset', hardened({ allowPrivilegeEscalation: undefined }), ['5.2.6', 'Root']],
  ['user 0', hardened({ runAsUser: 0 }), ['5.2.7', 'NonRoot', 'Root']],
  ['the user of the image', hardened({ runAsNonRoot: undefined }), ['5.2.7', 'NonRoot', 'Root']],
  ['user 1000, without runAsNonRoot', hardened({ runAsNonRoot: undefined, runAsUser: 1000 }), []],
  ['root in a user namespace', hardened({ runAsNonRoot: false }, OWN_USERS), ['5.2.7', 'NonRoot', 'Root']],
  ['NET_RAW', hardened({ capabilities: { drop: ['ALL'], add: ['NET_RAW'] } }), ['5.2.8', '5.2.9']],
  ['CHOWN', hardened({ capabilities: { drop: ['ALL'], add: ['CHOWN'] } }), ['5.2.9']],
  ['the capabilities of the runtime', hardened({ capabilities: undefined }), ['5.2.8', '5.2.9']],
  ['those without NET_RAW', hardened({ capabilities: { drop: ['NET_RAW'] } }), ['5.2.9']],
  [
    'a HostProcess container',
    app(secured({ windowsOptions: { hostProcess: true }, runAsNonRoot: true, readOnlyRootFilesystem: true }), WINDOWS),
    ['5.2.10'],
  ],
  ['a hostPath volume', hardened({}, { volumes: HOST_PATH }), ['5.2.11', 'Breakout']],
  ['a host port', hardened({}, {}, { ports: [{ containerPort: 80, hostPort: 80 }] }), ['5.2.12']],
  ['a port without a host port', hardened({}, {}, { ports: [{ containerPort: 80 }] }), []],
  ['seccomp unset', hardened({ seccompProfile: undefined }), ['5.6.2', 'SecurityServices']],
  ['seccomp Unconfined', hardened({ seccompProfile: { type: 'Unconfined' } }), ['5.6.2', 'SecurityServices']],
  [
    'a seccomp profile of the node',
    hardened({ seccompProfile: { type: 'Localhost', localhostProfile: 'a' } }),
    ['5.6.2'],
  ],
  ['AppArmor Unconfined', hardened({ appArmorProfile: { type: 'Unconfined' } }), ['SecurityServices']],
  ['an SELinux type of its own', hardened({ seLinuxOptions: { type: 'spc_t' } }), ['SecurityServices']],
  ['a writable root filesystem', hardened({ readOnlyRootFilesystem: false }), ['ImmutableFileSystem']],
];

describe('the controls of hardening guides', () => {
  for (const [what, changed, controls] of ROWS) {
    it(`${what} breaks ${controls.length === 0 ? 'no control' : controls.join(', ')}`, () => {
      assert.deepEqual(brokenBy(changed), controls);
    });
  }

  it('are each broken by some row', () => {
    const broken = new Set(ROWS.flatMap(([, , controls]) => controls));
    assert.deepEqual(
      CONTROLS.map(({ id }) => id).filter((id) => !broken.has(id)),
      [],
    );
  });

  for (const { id, checks } of CONTROLS) {
    it(`${id} is evaluated by rules that name it`, () => {
      const naming = RULES.filter(({ guides }) => [...guides.cis, ...guides.nsa].some((one) => one === id));
      const evaluated = checks.map(({ rule }) => rule);
      assert.ok(evaluated.length > 0);
      assert.deepEqual(
        evaluated.filter((rule) => !naming.some((one) => one.id === rule)),
        [],
      );
    });
  }

  it('a pod that complies with the level restricted v1.34 breaks no CIS control that the level covers', () => {
    const restricted = resolved('restricted', { levelVersion: 'v1.34' });
    const covered = ['5.2.2', '5.2.3', '5.2.4', '5.2.5', '5.2.6', '5.2.7', '5.2.10', '5.2.11', '5.2.12'];
    let admitted = 0;
    fc.assert(
      fc.property(randomPods(), (random) => {
        const content = contentOf(random);
        if (EVALUATOR.violations(content, restricted).length > 0) return;
        admitted += 1;
        assert.deepEqual(
          brokenBy(content).filter((id) => covered.includes(id)),
          [],
        );
      }),
      { numRuns: 300 },
    );
    assert.ok(admitted > 10, `${admitted}`);
  });

  it('a pod without settings breaks all controls, except for controls that only a set field can break', () => {
    assert.deepEqual(brokenBy(pod()), [
      ...['5.2.6', '5.2.7', '5.2.8', '5.2.9', '5.6.2'],
      ...['NonRoot', 'ImmutableFileSystem', 'Root', 'SecurityServices'],
    ]);
  });
});
