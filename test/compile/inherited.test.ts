/**
 * Tests, rule by rule, which fields an ephemeral container inherits from its pod. The pod satisfies no policy. See
 * docs/decisions/0008.
 */
import assert from 'node:assert/strict';
import type { CapabilityPolicyOverrides } from '../../operator/api/capability-policy.ts';
import { RULES } from '../../operator/rules/index.ts';
import { LEVELS, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policy } from '../support/policies.ts';
import { programText } from './admission-text.ts';

type Fields = Readonly<Record<string, unknown>>;

interface Row {
  readonly overrides: CapabilityPolicyOverrides;
  /** The fields of the pod that violate the policy. */
  readonly pod: Fields;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Fields of a container that still inherits the violation. */
  readonly with?: readonly Fields[];
  /** Fields of a container that does not inherit the violation. */
  readonly without?: readonly Fields[];
}

const NOTHING: Fields = {};
const secured = (securityContext: Fields) => ({ securityContext });
const type = (name: string, localhostProfile?: string) => ({
  type: name,
  ...(localhostProfile && { localhostProfile }),
});
const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';

const ROWS: Readonly<Record<string, readonly Row[]>> = {
  hostNetwork: [{ overrides: { hostNetwork: false }, pod: { hostNetwork: true } }],
  hostPID: [{ overrides: { hostPID: false }, pod: { hostPID: true } }],
  hostIPC: [{ overrides: { hostIPC: false }, pod: { hostIPC: true } }],
  hostProcess: [
    {
      overrides: { hostProcess: false },
      pod: secured({ windowsOptions: { hostProcess: true } }),
      with: [{ windowsOptions: { runAsUserName: 'ContainerUser' } }],
      without: [{ windowsOptions: { hostProcess: false } }],
    },
  ],
  runAsNonRoot: [
    { overrides: { runAsNonRoot: true }, pod: secured({ runAsNonRoot: false }), without: [{ runAsNonRoot: true }] },
  ],
  runAsUser: [
    { overrides: { runAsUser: { rule: 'NotZero' } }, pod: secured({ runAsUser: 0 }), without: [{ runAsUser: 1 }] },
    {
      overrides: { runAsUser: { rule: 'MustRunAs', ranges: [{ min: 5, max: 5 }] } },
      pod: secured({ runAsUser: 1 }),
      with: [{ runAsGroup: 5 }],
      without: [{ runAsUser: 5 }],
    },
  ],
  runAsGroup: [
    {
      overrides: { runAsGroup: { rule: 'MustRunAs', ranges: [{ min: 5, max: 5 }] } },
      pod: secured({ runAsGroup: 1 }),
      without: [{ runAsGroup: 5 }],
    },
  ],
  supplementalGroups: [
    {
      overrides: { supplementalGroups: { rule: 'MayRunAs', ranges: [{ min: 5, max: 5 }] } },
      pod: secured({ supplementalGroups: [1] }),
      with: [{ runAsGroup: 5 }],
    },
  ],
  'supplementalGroups.policy': [
    {
      overrides: { supplementalGroups: { policy: 'Strict' } },
      pod: secured({ supplementalGroupsPolicy: 'Merge' }),
      with: [{ runAsGroup: 5 }],
    },
  ],
  fsGroup: [
    {
      overrides: { fsGroup: { rule: 'MayRunAs', ranges: [{ min: 5, max: 5 }] } },
      pod: secured({ fsGroup: 1 }),
      with: [{ runAsGroup: 5 }],
    },
  ],
  seccomp: [
    {
      overrides: { seccomp: { types: ['RuntimeDefault'] } },
      pod: secured({ seccompProfile: type('Unconfined') }),
      with: [{ appArmorProfile: type('RuntimeDefault') }, { seccompProfile: type('Unconfined') }],
      without: [{ seccompProfile: type('RuntimeDefault') }],
    },
    {
      overrides: { seccomp: { localhostProfiles: ['a'] } },
      pod: secured({ seccompProfile: type('Localhost', 'b') }),
      without: [{ seccompProfile: type('Localhost', 'a') }],
    },
    {
      overrides: { seccomp: { unset: 'RefusedOnPod' } },
      pod: {},
      without: [{ seccompProfile: type('RuntimeDefault') }],
    },
  ],
  appArmor: [
    {
      overrides: { appArmor: { types: ['RuntimeDefault'] } },
      pod: secured({ appArmorProfile: type('Unconfined') }),
      with: [{ seccompProfile: type('RuntimeDefault') }],
      without: [{ appArmorProfile: type('RuntimeDefault') }],
    },
    {
      overrides: { appArmor: { localhostProfiles: ['a'] } },
      pod: secured({ appArmorProfile: type('Localhost', 'b') }),
      without: [{ appArmorProfile: type('Localhost', 'a') }],
    },
    {
      overrides: { appArmor: { types: ['RuntimeDefault'] } },
      pod: {},
      annotations: { [`${APP_ARMOR}debug`]: 'unconfined' },
      without: [{ appArmorProfile: type('RuntimeDefault') }],
    },
    {
      overrides: { appArmor: { types: ['RuntimeDefault'] } },
      pod: {},
      annotations: { [`${APP_ARMOR}app`]: 'unconfined', [`${APP_ARMOR}debug`]: 'runtime/default' },
      without: [NOTHING],
    },
  ],
  seLinux: [
    {
      overrides: { seLinux: { rule: 'PodSecurityStandard' } },
      pod: secured({ seLinuxOptions: { type: 'spc_t' } }),
      without: [{ seLinuxOptions: { level: 's0' } }, { seLinuxOptions: {} }],
    },
    {
      overrides: { seLinux: { rule: 'MustRunAs', options: { type: 'container_t' } } },
      pod: secured({ seLinuxOptions: { type: 'spc_t' } }),
      with: [{ seLinuxOptions: { level: 's0' } }],
      without: [{ seLinuxOptions: { type: 'container_t' } }],
    },
  ],
  sysctls: [{ overrides: { sysctls: { allowed: [] } }, pod: secured({ sysctls: [{ name: 'a', value: '1' }] }) }],
  unknownFields: [
    { overrides: { unknownFields: 'Refused' }, pod: { restoreFrom: { name: 'a' } } },
    { overrides: { unknownFields: 'Refused' }, pod: secured({ keyring: 'host' }), with: [{ runAsUser: 5 }] },
  ],
  runtimeClasses: [{ overrides: { runtimeClasses: { allowed: ['a'] } }, pod: { runtimeClassName: 'b' } }],
};

describe('an ephemeral container that is added to a pod which satisfies no policy', () => {
  for (const [rule, rows] of Object.entries(ROWS)) {
    for (const row of rows) {
      const what = JSON.stringify({ ...row.pod, ...row.annotations });
      const under = JSON.stringify(row.overrides);
      const { without = [], with: others = [] } = row;
      const gets = without.includes(NOTHING) ? others : [NOTHING, ...others];
      for (const own of gets) {
        it(`is refused for ${rule} of the pod ${what} under ${under}, with ${JSON.stringify(own)}`, () => {
          assert.equal(isAdmitted(row, own), false);
        });
      }
      for (const own of without) {
        it(`is admitted under ${under} on the pod ${what}, with ${JSON.stringify(own)}`, () => {
          assert.equal(isAdmitted(row, own), true);
        });
      }
    }
  }

  it('the test has a row for each rule that checks the pod', () => {
    const overrides = Object.assign({}, ...Object.values(ROWS).flatMap((rows) => rows.map((row) => row.overrides)));
    const standards = LEVELS.flatMap((level) =>
      [0, NEWEST_KNOWN_MINOR].map((minor) => ({ level, minor, server: NEWEST_KNOWN_MINOR })),
    );
    const looking = RULES.filter((rule) =>
      standards.some((standard) =>
        [{}, overrides].some((one) =>
          rule.checks(rule.value(one, standard), standard).some(({ over }) => over === 'pod'),
        ),
      ),
    );
    assert.ok(looking.length >= 13);
    for (const { id } of looking) assert.ok(id in ROWS, id);
  });
});

function isAdmitted({ overrides, pod, annotations = {} }: Row, own: Fields): boolean {
  const text = programText([policy('one', { level: 'privileged', overrides })]);
  const containers = [{ name: 'app' }];
  const debug = { name: 'debug', ...(own !== NOTHING && secured(own)) };
  const object = { metadata: { annotations }, spec: { ...pod, containers, ephemeralContainers: [debug] } };
  const oldObject = { metadata: { annotations }, spec: { ...pod, containers } };
  const request = { resource: 'pods', subResource: 'ephemeralcontainers', object, oldObject };
  return text.refusal(request) === undefined;
}
