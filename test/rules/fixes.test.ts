/**
 * Tests the fixes of each rule. The tests check which fields a fix changes and how risky the change is. The fixed pod
 * must have no violation.
 */
import assert from 'node:assert/strict';
import { withTokenVolume } from '../../analysis/manifests/token-volume.ts';
import type { CapabilityPolicyOverrides } from '../../operator/api/capability-policy.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Level } from '../../operator/standards/level-version.ts';
import { app, init, pod, secured } from '../support/pods.ts';
import { repaired } from './repaired.ts';

interface Row {
  readonly what: string;
  readonly level: Level;
  readonly minor?: number;
  readonly overrides?: CapabilityPolicyOverrides;
  readonly pod: PodContent;
  /** The changes that fix the row's rule, as `CLASS FIELD = VALUE`. */
  readonly changes: readonly string[];
  /** The reason why the fixed pod still violates the rule. */
  readonly left?: RegExp;
}

const CONTAINER = 'spec.containers[0].securityContext';
const RANGE = [{ min: 1000, max: 1999 }];
const mounted = (mount: object, path: string) =>
  app(
    { volumeMounts: [{ name: 'data', mountPath: '/data', ...mount }] },
    { volumes: [{ name: 'data', hostPath: { path } }] },
  );

const ROWS: Readonly<Record<string, readonly Row[]>> = {
  capabilities: [
    {
      what: 'a prefix in add',
      level: 'restricted',
      pod: app(secured({ capabilities: { add: ['CAP_NET_BIND_SERVICE'], drop: ['ALL'] } })),
      changes: [`spelling ${CONTAINER}.capabilities.add = ["NET_BIND_SERVICE"]`],
    },
    {
      what: 'lower case in drop',
      level: 'restricted',
      pod: app(secured({ capabilities: { drop: ['all'] } })),
      changes: [`spelling ${CONTAINER}.capabilities.drop = ["ALL"]`],
    },
    {
      what: 'a name that is misspelt and not allowed',
      level: 'baseline',
      pod: app(secured({ capabilities: { add: ['cap_sys_time', 'CHOWN'] } })),
      changes: [`check ${CONTAINER}.capabilities.add = ["CHOWN"]`],
    },
    {
      what: 'the only add',
      level: 'baseline',
      pod: app(secured({ capabilities: { add: ['SYS_TIME'] } })),
      changes: [`check ${CONTAINER}.capabilities.add removed`],
    },
    {
      what: 'a missing drop, beside what is dropped already',
      level: 'restricted',
      pod: app(secured({ capabilities: { drop: ['NET_RAW'] } })),
      changes: [`check ${CONTAINER}.capabilities.drop = ["NET_RAW","ALL"]`],
    },
    {
      what: 'drops by name',
      level: 'baseline',
      overrides: { capabilities: { requiredDrop: ['NET_RAW', 'MKNOD'] } },
      pod: app(secured({ capabilities: { drop: ['CAP_MKNOD'] } })),
      changes: [`check ${CONTAINER}.capabilities.drop = ["MKNOD","NET_RAW"]`],
    },
    {
      what: 'only outside of user namespaces',
      level: 'baseline',
      overrides: { capabilities: { allowedAddInUserNamespace: ['NET_ADMIN'] } },
      pod: app(secured({ capabilities: { add: ['NET_ADMIN'] } })),
      changes: [`check ${CONTAINER}.capabilities.add removed`],
    },
  ],
  'capabilities.allowedBounding': [
    {
      what: 'defaults of the runtimes',
      level: 'privileged',
      overrides: { capabilities: { allowedBounding: ['CHOWN'], allowedAdd: ['*'] } },
      pod: app(secured({ capabilities: { drop: ['net_raw'], add: ['SYS_TIME'] } })),
      changes: [
        `check ${CONTAINER}.capabilities.drop = ["NET_RAW","DAC_OVERRIDE","FOWNER","FSETID","KILL","SETGID","SETUID","SETPCAP","NET_BIND_SERVICE","SYS_CHROOT","MKNOD","AUDIT_WRITE","SETFCAP"]`,
        `check ${CONTAINER}.capabilities.add removed`,
      ],
    },
    {
      what: 'all of them',
      level: 'privileged',
      overrides: { capabilities: { allowedBounding: [] } },
      pod: app(secured({ privileged: true })),
      changes: [`check ${CONTAINER}.privileged = false`, `check ${CONTAINER}.capabilities.drop = ["ALL"]`],
    },
  ],
  privileged: [
    {
      what: 'a container that uses nothing of the node',
      level: 'baseline',
      pod: app(secured({ privileged: true })),
      changes: [`check ${CONTAINER}.privileged = false`],
    },
    {
      what: 'a container that mounts for others',
      level: 'baseline',
      pod: app({ ...secured({ privileged: true }), volumeMounts: [{ name: 'x', mountPropagation: 'Bidirectional' }] }),
      changes: [],
      left: /needs this access/,
    },
    {
      what: "a container that mounts the node's files",
      level: 'baseline',
      overrides: { volumes: ['*'] },
      pod: app(
        { ...secured({ privileged: true }), volumeMounts: [{ name: 'dev' }] },
        { volumes: [{ name: 'dev', hostPath: { path: '/dev' } }] },
      ),
      changes: [],
      left: /needs this access/,
    },
  ],
  allowPrivilegeEscalation: [
    {
      what: 'an unset field: the image may have set-user-ID programs',
      level: 'restricted',
      pod: pod(),
      changes: [`check ${CONTAINER}.allowPrivilegeEscalation = false`],
    },
    {
      what: 'an unset field of another user than root, who may have sudo',
      level: 'restricted',
      pod: app(secured({ runAsUser: 1000 })),
      changes: [`check ${CONTAINER}.allowPrivilegeEscalation = false`],
    },
    {
      what: 'an unset field of root, whose programs may change the user and use sudo then',
      level: 'restricted',
      pod: app(secured({ runAsUser: 0 })),
      changes: [`check ${CONTAINER}.allowPrivilegeEscalation = false`],
    },
    {
      what: 'an unset field without capabilities: set-user-ID programs still read the files of their owner',
      level: 'restricted',
      pod: app(secured({ runAsUser: 1000, capabilities: { drop: ['ALL'] } })),
      changes: [`check ${CONTAINER}.allowPrivilegeEscalation = false`],
    },
    {
      what: 'somebody asked for it',
      level: 'restricted',
      pod: app(secured({ allowPrivilegeEscalation: true })),
      changes: [`check ${CONTAINER}.allowPrivilegeEscalation = false`],
    },
    {
      what: 'file capabilities of another user than root',
      level: 'restricted',
      pod: app(secured({ runAsUser: 1000, capabilities: { add: ['NET_BIND_SERVICE'] } })),
      changes: [`check ${CONTAINER}.allowPrivilegeEscalation = false`],
    },
    {
      what: 'a container that stays privileged',
      level: 'restricted',
      overrides: { privileged: true },
      pod: app(secured({ privileged: true })),
      changes: [],
      left: /refuses allowPrivilegeEscalation: false if the container is privileged/,
    },
  ],
  defaultAllowPrivilegeEscalation: [
    {
      what: 'a privileged container',
      level: 'privileged',
      overrides: { defaultAllowPrivilegeEscalation: false },
      pod: app(secured({ privileged: true })),
      changes: [`safe ${CONTAINER}.allowPrivilegeEscalation = true`],
    },
  ],
  hostNetwork: [
    { what: 'true', level: 'baseline', pod: pod({ hostNetwork: true }), changes: [], left: /network namespace/ },
  ],
  hostPID: [
    { what: 'true', level: 'baseline', pod: pod({ hostPID: true }), changes: [], left: /process ID namespace/ },
  ],
  hostIPC: [{ what: 'true', level: 'baseline', pod: pod({ hostIPC: true }), changes: [], left: /IPC namespace/ }],
  hostProcess: [
    {
      what: 'true',
      level: 'baseline',
      pod: app(secured({ windowsOptions: { hostProcess: true } })),
      changes: [],
      left: /on the node itself/,
    },
  ],
  hostProbes: [
    {
      what: 'hosts of probes and handlers',
      level: 'baseline',
      pod: app({
        livenessProbe: { httpGet: { host: '127.0.0.1', port: 80 } },
        lifecycle: { preStop: { tcpSocket: { host: 'db', port: 80 } } },
      }),
      changes: [
        'check spec.containers[0].livenessProbe.httpGet.host removed',
        'check spec.containers[0].lifecycle.preStop.tcpSocket.host removed',
      ],
    },
  ],
  hostPorts: [
    { what: 'a port', level: 'baseline', pod: app({ ports: [{ hostPort: 80 }] }), changes: [], left: /NodePort/ },
  ],
  volumes: [
    {
      what: 'a path of the node',
      level: 'baseline',
      pod: pod({ volumes: [{ name: 'x', hostPath: { path: '/x' } }] }),
      changes: [],
      left: /move the data to a volume of another type/,
    },
    {
      what: "the token's volume, which the API server adds",
      level: 'privileged',
      overrides: { volumes: ['secret'] },
      pod: withTokenVolume(pod(), true),
      changes: ['check spec.automountServiceAccountToken = false'],
    },
    {
      what: "the token's volume, which somebody wrote",
      level: 'privileged',
      overrides: { volumes: ['secret'] },
      pod: withTokenVolume(pod({ volumes: [{ name: 'kube-api-access', projected: {} }] }), true),
      changes: [],
      left: /move the data to a volume of another type/,
    },
  ],
  serviceAccountToken: [
    {
      what: 'the volume that the API server adds',
      level: 'baseline',
      overrides: { serviceAccountToken: 'Forbidden' },
      pod: withTokenVolume(pod(), true),
      changes: ['check spec.automountServiceAccountToken = false'],
    },
    {
      what: "the pod's own volume",
      level: 'baseline',
      overrides: { serviceAccountToken: 'Forbidden' },
      pod: pod({ volumes: [{ name: 'data', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }] }),
      changes: [],
      left: /remove serviceAccountToken from the sources of the volume/,
    },
  ],
  hostPaths: [
    {
      what: 'a writable mount',
      level: 'privileged',
      overrides: { hostPaths: [{ pathPrefix: '/var/log', readOnly: true }] },
      pod: mounted({}, '/var/log/x'),
      changes: ['check spec.containers[0].volumeMounts[0].readOnly = true'],
    },
    {
      what: 'a path without a prefix',
      level: 'privileged',
      overrides: { hostPaths: [{ pathPrefix: '/var/log', readOnly: true }] },
      pod: mounted({ readOnly: true }, '/etc'),
      changes: [],
      left: /no allowed prefix/,
    },
  ],
  flexVolumeDrivers: [
    {
      what: 'a driver',
      level: 'privileged',
      overrides: { flexVolumeDrivers: [] },
      pod: pod({ volumes: [{ name: 'x', flexVolume: { driver: 'd' } }] }),
      changes: [],
      left: /only this driver gives access/,
    },
  ],
  csiDrivers: [
    {
      what: 'a driver',
      level: 'privileged',
      overrides: { csiDrivers: [] },
      pod: pod({ volumes: [{ name: 'x', csi: { driver: 'd' } }] }),
      changes: [],
      left: /only this driver gives access/,
    },
  ],
  runAsNonRoot: [
    {
      what: 'an unset field',
      level: 'restricted',
      pod: pod(),
      changes: ['check spec.securityContext.runAsNonRoot = true'],
    },
    {
      what: 'a user that is not root',
      level: 'restricted',
      pod: pod({ securityContext: { runAsUser: 1000 } }),
      changes: ['safe spec.securityContext.runAsNonRoot = true'],
    },
    {
      what: 'one container that says false',
      level: 'restricted',
      pod: init(secured({ runAsNonRoot: false }), secured({ runAsNonRoot: true })),
      changes: ['check spec.initContainers[0].securityContext.runAsNonRoot = true'],
    },
    {
      what: 'a pod that says false',
      level: 'restricted',
      pod: pod({ securityContext: { runAsNonRoot: false } }),
      changes: ['check spec.securityContext.runAsNonRoot = true'],
    },
  ],
  runAsUser: [
    {
      what: 'root, on pod and container',
      level: 'restricted',
      pod: app(secured({ runAsUser: 0 }), { securityContext: { runAsUser: 0, runAsNonRoot: true } }),
      changes: ['check spec.securityContext.runAsUser removed', `check ${CONTAINER}.runAsUser removed`],
    },
    {
      what: 'a user outside of the ranges',
      level: 'privileged',
      overrides: { runAsUser: { rule: 'MustRunAs', ranges: RANGE } },
      pod: app(secured({ runAsUser: 5 })),
      changes: [`check ${CONTAINER}.runAsUser = 1000`],
    },
    {
      what: 'root, where another user is required',
      level: 'privileged',
      overrides: { runAsUser: { rule: 'MustRunAsNonRoot' } },
      pod: pod({ securityContext: { runAsUser: 0 } }),
      changes: ['check spec.securityContext.runAsUser removed', `check ${CONTAINER}.runAsNonRoot = true`],
    },
  ],
  runAsGroup: [
    {
      what: 'an unset group',
      level: 'privileged',
      overrides: { runAsGroup: { rule: 'MustRunAs', ranges: RANGE } },
      pod: pod(),
      changes: [`check ${CONTAINER}.runAsGroup = 1000`],
    },
  ],
  supplementalGroups: [
    {
      what: 'a group outside of the ranges',
      level: 'privileged',
      overrides: { supplementalGroups: { rule: 'MayRunAs', ranges: RANGE } },
      pod: pod({ securityContext: { supplementalGroups: [5, 1001] } }),
      changes: ['check spec.securityContext.supplementalGroups = [1001]'],
    },
    {
      what: 'no group',
      level: 'privileged',
      overrides: { supplementalGroups: { rule: 'MustRunAs', ranges: RANGE } },
      pod: pod({ securityContext: { supplementalGroups: [5] } }),
      changes: ['check spec.securityContext.supplementalGroups = [1000]'],
    },
  ],
  'supplementalGroups.policy': [
    {
      what: 'an unset policy',
      level: 'privileged',
      overrides: { supplementalGroups: { policy: 'Strict' } },
      pod: pod(),
      changes: ['check spec.securityContext.supplementalGroupsPolicy = "Strict"'],
    },
  ],
  fsGroup: [
    {
      what: 'a group outside of the ranges',
      level: 'privileged',
      overrides: { fsGroup: { rule: 'MayRunAs', ranges: RANGE } },
      pod: pod({ securityContext: { fsGroup: 5 } }),
      changes: ['check spec.securityContext.fsGroup = 1000'],
    },
  ],
  seccomp: [
    {
      what: 'no profile',
      level: 'restricted',
      pod: pod(),
      changes: ['safe spec.securityContext.seccompProfile = {"type":"RuntimeDefault"}'],
    },
    {
      what: 'Unconfined',
      level: 'baseline',
      pod: app(secured({ seccompProfile: { type: 'Unconfined' } })),
      changes: [`check ${CONTAINER}.seccompProfile = {"type":"RuntimeDefault"}`],
    },
    {
      what: 'another local profile',
      level: 'baseline',
      overrides: { seccomp: { types: ['Localhost'], localhostProfiles: ['a.json'] } },
      pod: app(secured({ seccompProfile: { type: 'Localhost', localhostProfile: 'b.json' } })),
      changes: [`check ${CONTAINER}.seccompProfile = {"type":"Localhost","localhostProfile":"a.json"}`],
    },
    {
      what: 'a local profile that nobody names',
      level: 'baseline',
      overrides: { seccomp: { types: ['Localhost'], unset: 'Refused' } },
      pod: pod(),
      changes: [],
      left: /only the author of the pod knows/,
    },
    {
      what: 'another profile of type OCI',
      level: 'restricted',
      overrides: {
        seccomp: { types: ['RuntimeDefault', 'OCI'], ociReferences: ['registry.example.com/team/*'] },
      },
      pod: app(secured({ seccompProfile: { type: 'OCI', oci: { ref: 'docker.io/library/a@sha256:b' } } })),
      changes: [`check ${CONTAINER}.seccompProfile = {"type":"RuntimeDefault"}`],
    },
    {
      what: 'a base profile that the policy does not admit',
      level: 'restricted',
      overrides: { seccomp: { types: ['RuntimeDefault', 'OCI'], ociReferences: ['*'] } },
      pod: app(
        secured({
          seccompProfile: {
            type: 'OCI',
            oci: { ref: 'a/b@sha256:c', baseProfile: { type: 'Localhost', localhostProfile: 'd' } },
          },
        }),
      ),
      changes: [`check ${CONTAINER}.seccompProfile = {"type":"RuntimeDefault"}`],
    },
    {
      what: 'no profile where only type OCI is allowed',
      level: 'restricted',
      overrides: { seccomp: { types: ['OCI'], ociReferences: ['registry.example.com/team/*'] } },
      pod: pod(),
      changes: [],
      left: /does not allow type RuntimeDefault, and only the author of the pod knows/,
    },
    {
      what: 'an annotation that is history',
      level: 'baseline',
      minor: 18,
      pod: pod({}, { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' }),
      changes: ['safe metadata.annotations["seccomp.security.alpha.kubernetes.io/pod"] removed'],
    },
  ],
  appArmor: [
    {
      what: 'Unconfined, as annotation and as field',
      level: 'baseline',
      pod: {
        annotations: { 'container.apparmor.security.beta.kubernetes.io/app': 'unconfined' },
        spec: app(secured({ appArmorProfile: { type: 'Unconfined' } })).spec,
      },
      changes: [
        'check metadata.annotations["container.apparmor.security.beta.kubernetes.io/app"] removed',
        `check ${CONTAINER}.appArmorProfile = {"type":"RuntimeDefault"}`,
      ],
    },
    {
      what: 'an unset profile',
      level: 'baseline',
      overrides: { appArmor: { unset: 'Refused' } },
      pod: pod({}, { 'container.apparmor.security.beta.kubernetes.io/app': '' }),
      changes: [
        'check metadata.annotations["container.apparmor.security.beta.kubernetes.io/app"] removed',
        `check ${CONTAINER}.appArmorProfile = {"type":"RuntimeDefault"}`,
      ],
    },
  ],
  seLinux: [
    {
      what: 'a user, a role and a type',
      level: 'baseline',
      pod: app(secured({ seLinuxOptions: { user: 'u', role: 'r', type: 'spc_t', level: 's0' } })),
      changes: ['user', 'role', 'type'].map((field) => `check ${CONTAINER}.seLinuxOptions.${field} removed`),
    },
    {
      what: 'other options than the required ones',
      level: 'baseline',
      overrides: { seLinux: { rule: 'MustRunAs', options: { level: 's0:c1,c2' } } },
      pod: app(secured({ seLinuxOptions: { type: 'spc_t' } })),
      changes: [
        `check ${CONTAINER}.seLinuxOptions = {"level":"s0:c1,c2"}`,
        'check spec.securityContext.seLinuxOptions = {"level":"s0:c1,c2"}',
      ],
    },
    {
      what: 'a pod for Windows',
      level: 'baseline',
      overrides: { seLinux: { rule: 'MustRunAs', options: { level: 's0' } } },
      pod: pod({ os: { name: 'windows' }, securityContext: { seLinuxOptions: { level: 's1' } } }),
      changes: [],
      left: /on pods for Windows/,
    },
  ],
  procMount: [
    {
      what: 'Unmasked',
      level: 'baseline',
      pod: app(secured({ procMount: 'Unmasked' })),
      changes: [`check ${CONTAINER}.procMount = "Default"`],
    },
  ],
  sysctls: [
    {
      what: 'one of two',
      level: 'baseline',
      pod: pod({ securityContext: { sysctls: [{ name: 'kernel.sem' }, { name: 'net.ipv4.tcp_syncookies' }] } }),
      changes: ['check spec.securityContext.sysctls = [{"name":"net.ipv4.tcp_syncookies"}]'],
    },
  ],
  readOnlyRootFilesystem: [
    {
      what: 'an unset field',
      level: 'baseline',
      overrides: { readOnlyRootFilesystem: true },
      pod: pod(),
      changes: [`check ${CONTAINER}.readOnlyRootFilesystem = true`],
    },
  ],
  runtimeClasses: [
    {
      what: 'another class',
      level: 'baseline',
      overrides: { runtimeClasses: { allowed: [] } },
      pod: pod({ runtimeClassName: 'kata' }),
      changes: [],
      left: /may isolate the pod less/,
    },
  ],
  userNamespaces: [
    {
      what: 'an unset field',
      level: 'baseline',
      overrides: { userNamespaces: 'Required' },
      pod: pod(),
      changes: ['check spec.hostUsers = false'],
    },
    {
      what: 'true',
      level: 'baseline',
      overrides: { userNamespaces: 'Required' },
      pod: pod({ hostUsers: true }),
      changes: ['check spec.hostUsers = false'],
    },
    {
      what: "a pod in the node's network, where the API server refuses it",
      level: 'privileged',
      overrides: { userNamespaces: 'Required' },
      pod: pod({ hostNetwork: true }),
      changes: [],
      left: /the API server refuses hostUsers: false/,
    },
  ],
  unknownFields: [
    {
      what: 'a field that this release does not know',
      level: 'baseline',
      pod: app(secured({ ulimits: [] })),
      changes: [],
      left: /remove the field, upgrade CapabilityPolicy, or write an exception/,
    },
  ],
};

describe('the fixes of rules', () => {
  it('have rows for each rule', () => {
    assert.deepEqual(
      Object.keys(ROWS),
      RULES.map(({ id }) => id),
    );
  });

  for (const rule of RULES) {
    describe(rule.id, () => {
      it('the rule has a fix, or says why no fix exists', () => {
        assert.ok(rule.fixes !== undefined || rule.unfixable !== undefined);
      });

      for (const { what, pod: content, changes, left, ...policy } of ROWS[rule.id] ?? []) {
        it(`${changes.length > 0 ? 'changes' : 'leaves'} ${what}`, () => {
          const result = repaired(policy, content);
          assert.deepEqual(
            result.changes.filter((one) => one.rule === rule.id).map(({ text }) => text),
            changes,
          );
          const remaining = result.left.filter((one) => one.rule === rule.id);
          assert.equal(remaining.length > 0, left !== undefined, JSON.stringify(remaining));
          for (const { why } of remaining) assert.match(why, left ?? /^$/);
          assert.deepEqual(repaired(policy, result.content).changes, [], 'a second time it changes nothing');
        });
      }
    });
  }

  it('if an entry of spec.containers sets another value for a container, fixes of the rule do not change the container', () => {
    const containers = [
      { names: ['init'], overrides: { runAsNonRoot: false, seccomp: { unset: 'Allowed' as const } } },
    ];
    const texts = repaired({ level: 'restricted', containers }, init({})).changes.map(({ text }) => text);
    assert.deepEqual(texts, [
      'check spec.initContainers[0].securityContext.capabilities.drop = ["ALL"]',
      'check spec.containers[0].securityContext.capabilities.drop = ["ALL"]',
      'check spec.initContainers[0].securityContext.allowPrivilegeEscalation = false',
      'check spec.containers[0].securityContext.allowPrivilegeEscalation = false',
      'check spec.containers[0].securityContext.runAsNonRoot = true',
      'safe spec.containers[0].securityContext.seccompProfile = {"type":"RuntimeDefault"}',
    ]);
  });

  it('if an entry of spec.containers refuses an inherited value, fixes replace the value on the container', () => {
    const containers = [{ names: ['app'], overrides: { seccomp: { types: ['RuntimeDefault' as const] } } }];
    const unconfined = pod({ securityContext: { seccompProfile: { type: 'Unconfined' } } });
    const { changes, left } = repaired({ level: 'privileged', containers }, unconfined);
    assert.deepEqual(
      changes.map(({ text }) => text),
      [`check ${CONTAINER}.seccompProfile = {"type":"RuntimeDefault"}`],
    );
    assert.deepEqual(left, []);
  });

  it('if the caller did not ask for the class of a fix, the fix is named but not applied', () => {
    const { changes, left } = repaired({ level: 'restricted', classes: ['spelling', 'safe'] }, pod());
    assert.deepEqual(
      changes.map(({ text }) => text),
      ['safe spec.securityContext.seccompProfile = {"type":"RuntimeDefault"}'],
    );
    assert.deepEqual(
      left.map(({ rule, why }) => [rule, why]),
      ['capabilities', 'allowPrivilegeEscalation', 'runAsNonRoot'].map((rule) => [
        rule,
        'the fix is of class check, and --only leaves out this class',
      ]),
    );
  });
});
