/** Input that the API server would have refused, or that is none. */
import assert from 'node:assert/strict';
import { InvalidInput, migrate } from '../../operator/migrate/migrate.ts';
import { binding, group, psp, role, scc } from './objects.ts';

const SECCOMP = 'seccomp.security.alpha.kubernetes.io';
const APP_ARMOR = 'apparmor.security.beta.kubernetes.io';
const SUBDOMAIN = 'a lowercase RFC 1123 subdomain must consist of';

const ranges = (min: number, max: number) => [{ min, max }];

const REFUSED: Readonly<Record<string, readonly [spec: Readonly<Record<string, unknown>>, ...reasons: string[]]>> = {
  'an unknown rule for users': [
    { runAsUser: { rule: 'MayRunAs' } },
    'spec.runAsUser.rule: Unsupported value: "MayRunAs": supported values: "MustRunAs", "MustRunAsNonRoot", "RunAsAny"',
  ],
  'no rule at all': [
    { runAsUser: undefined, seLinux: undefined, supplementalGroups: undefined, fsGroup: undefined },
    'spec.runAsUser.rule: Unsupported value: "": supported values: "MustRunAs", "MustRunAsNonRoot", "RunAsAny"',
    'spec.seLinux.rule: Unsupported value: "": supported values: "MustRunAs", "RunAsAny"',
    'spec.supplementalGroups.rule: Unsupported value: "": supported values: "MayRunAs", "MustRunAs", "RunAsAny"',
    'spec.fsGroup.rule: Unsupported value: "": supported values: "MayRunAs", "MustRunAs", "RunAsAny"',
  ],
  'a range the wrong way round': [
    { runAsUser: { rule: 'MustRunAs', ranges: ranges(9, 1) } },
    'spec.runAsUser.ranges[0].min: Invalid value: 9: min cannot be greater than max',
  ],
  'negative IDs': [
    { fsGroup: { rule: 'MustRunAs', ranges: ranges(-2, -1) } },
    'spec.fsGroup.ranges[0].min: Invalid value: -2: min cannot be negative',
    'spec.fsGroup.ranges[0].max: Invalid value: -1: max cannot be negative',
  ],
  'runAsGroup without ranges': [
    { runAsGroup: { rule: 'MustRunAs' } },
    'spec.runAsGroup.ranges: Invalid value: []: must provide at least one range',
  ],
  'runAsGroup RunAsAny with ranges': [
    { runAsGroup: { rule: 'RunAsAny', ranges: ranges(1, 2) } },
    'spec.runAsGroup.ranges: Invalid value: [{"min":1,"max":2}]: Ranges must be empty',
  ],
  'runAsGroup without a rule': [
    { runAsGroup: {} },
    'spec.runAsGroup.rule: Unsupported value: "": supported values: "MayRunAs", "MustRunAs", "RunAsAny"',
  ],
  'a wildcard beside drops': [
    { allowedCapabilities: ['*'], requiredDropCapabilities: ['ALL'] },
    'spec.requiredDropCapabilities: Invalid value: ["ALL"]: must be empty when all capabilities are allowed by a wildcard',
  ],
  'capabilities that are granted and dropped': [
    {
      allowedCapabilities: ['KILL'],
      defaultAddCapabilities: ['CHOWN'],
      requiredDropCapabilities: ['CHOWN', 'KILL'],
    },
    'spec.defaultAddCapabilities[0]: Invalid value: "CHOWN": capability is listed in defaultAddCapabilities and requiredDropCapabilities',
    'spec.allowedCapabilities[0]: Invalid value: "KILL": capability is listed in allowedCapabilities and requiredDropCapabilities',
  ],
  'a default that is refused': [
    { allowPrivilegeEscalation: false, defaultAllowPrivilegeEscalation: true },
    'spec.defaultAllowPrivilegeEscalation: Invalid value: true: Cannot set DefaultAllowPrivilegeEscalation to true without also setting AllowPrivilegeEscalation to true',
  ],
  'an unknown type of procMount': [
    { allowedProcMountTypes: ['Default', 'masked'] },
    'spec.allowedProcMountTypes[1]: Unsupported value: "masked": supported values: "Default", "Unmasked"',
  ],
  'paths without prefix, and leading up': [
    { allowedHostPaths: [{ pathPrefix: '/a/../b' }, { readOnly: true }] },
    'spec.allowedHostPaths[0]: Invalid value: "/a/../b": must not contain \'..\'',
    'spec.allowedHostPaths[1]: Required value: is required',
  ],
  'drivers without a name': [
    { allowedFlexVolumes: [{}], allowedCSIDrivers: [{ name: 'a'.repeat(64) }] },
    'spec.allowedFlexVolumes[0].driver: Required value: must specify a driver',
    'spec.allowedCSIDrivers[0].name: Too long: must have at most 63 bytes',
  ],
  'sysctls that are none': [
    { allowedUnsafeSysctls: ['', 'a.*.b', 'net/core'] },
    'spec.allowedUnsafeSysctls[0]: Invalid value: "": empty sysctl not allowed',
    'spec.allowedUnsafeSysctls[1]: Invalid value: "a.*.b": must have at most 253 characters and match regex',
    'spec.allowedUnsafeSysctls[2]: Invalid value: "net/core": must have at most 253 characters and match regex',
  ],
  'every sysctl and another': [
    { forbiddenSysctls: ['*', 'a'] },
    "spec.forbiddenSysctls: Forbidden: if '*' is present, must not specify other sysctls",
  ],
  'sysctls that are allowed and forbidden': [
    { allowedUnsafeSysctls: ['a.b', 'c.*', 'd.e*'], forbiddenSysctls: ['a.*', 'c.d', 'd.*'] },
    'spec.allowedUnsafeSysctls[0]: Invalid value: "a.b": sysctl overlaps with a.*',
    'spec.forbiddenSysctls[1]: Invalid value: "c.d": sysctl overlaps with c.*',
    'spec.allowedUnsafeSysctls[2]: Invalid value: "d.e*": sysctl overlaps with d.*',
  ],
  'runtime classes': [
    { runtimeClass: { allowedRuntimeClassNames: ['A', 'b', 'b', '*'] } },
    `spec.runtimeClass.allowedRuntimeClassNames[0]: Invalid value: "A": ${SUBDOMAIN}`,
    'spec.runtimeClass.allowedRuntimeClassNames[2]: Duplicate value: "b"',
    `spec.runtimeClass.allowedRuntimeClassNames: Invalid value: ["A","b","b","*"]: if '*' is present, must not specify other RuntimeClass names`,
  ],
  'a default runtime class that is not allowed': [
    { runtimeClass: { allowedRuntimeClassNames: ['b'], defaultRuntimeClassName: 'a' } },
    'spec.runtimeClass.allowedRuntimeClassNames: Required value: default "a" must be allowed',
  ],
  'what is no flag, list, text, number or mapping': [
    { privileged: 'yes' },
    'spec.privileged: must be true or false, not "yes"',
  ],
  'a text for a list': [{ volumes: 'secret' }, 'spec.volumes: must be a list, not "secret"'],
  'a number for a text': [{ volumes: [5] }, 'spec.volumes[0]: must be a text, not 5'],
  'a fraction for a number': [
    { hostPorts: [{ min: 1.5, max: 2 }] },
    'spec.hostPorts[0].min: must be a whole number, not 1.5',
  ],
  'a list for a mapping': [{ seLinux: [] }, 'spec.seLinux: must be a mapping, not a list'],
  'a field that there is not': [
    { allowedCapabilites: ['KILL'] },
    'spec.allowedCapabilites: no such field: it has privileged, defaultAddCapabilities,',
  ],
};

const ANNOTATIONS: Readonly<Record<string, readonly [annotations: Record<string, string>, ...reasons: string[]]>> = {
  'seccomp profiles that are none': [
    { [`${SECCOMP}/allowedProfileNames`]: '*,runtime/default,', [`${SECCOMP}/defaultProfileName`]: 'RuntimeDefault' },
    `metadata.annotations[${SECCOMP}/defaultProfileName]: Invalid value: "RuntimeDefault": must be a valid seccomp profile`,
    `metadata.annotations[${SECCOMP}/allowedProfileNames]: Invalid value: "": must be a valid seccomp profile`,
  ],
  'seccomp profiles that lead out of their folder': [
    { [`${SECCOMP}/allowedProfileNames`]: 'localhost//etc/a,localhost/../b' },
    `metadata.annotations[${SECCOMP}/allowedProfileNames]: Invalid value: "/etc/a": must be a relative path`,
    `metadata.annotations[${SECCOMP}/allowedProfileNames]: Invalid value: "../b": must not contain '..'`,
  ],
  'AppArmor profiles that are none': [
    {
      [`${APP_ARMOR}/allowedProfileNames`]: 'runtime/default,*',
      [`${APP_ARMOR}/defaultProfileName`]: 'docker/default',
    },
    `metadata.annotations[${APP_ARMOR}/defaultProfileName]: Invalid value: "docker/default": invalid AppArmor profile name: "docker/default"`,
    `metadata.annotations[${APP_ARMOR}/allowedProfileNames]: Invalid value: "runtime/default,*": invalid AppArmor profile name: "*"`,
  ],
};

describe('migrate refuses, as the API server of PodSecurityPolicies did,', () => {
  for (const [title, [spec, ...reasons]] of Object.entries(REFUSED)) {
    it(title, () =>
      assertProblems(
        [psp(spec)],
        reasons.map((reason) => `PodSecurityPolicy/psp: ${reason}`),
      ),
    );
  }
  for (const [title, [annotations, ...reasons]] of Object.entries(ANNOTATIONS)) {
    it(title, () =>
      assertProblems(
        [psp({}, annotations)],
        reasons.map((reason) => `PodSecurityPolicy/psp: ${reason}`),
      ),
    );
  }

  it('volumes that there are not', () => {
    const [problem = ''] = problemsOf([psp({ volumes: ['secret', 'image'] })]);
    assert.match(
      problem,
      /spec\.volumes\[1\]: Unsupported value: "image": supported values: "\*", "awsElasticBlockStore",/,
    );
  });

  it('names that are none', () => {
    assertProblems(
      [psp({}, {}, 'My_PSP'), psp({}, {}, '')],
      [
        `PodSecurityPolicy/My_PSP: metadata.name: Invalid value: "My_PSP": ${SUBDOMAIN}`,
        'PodSecurityPolicy: metadata.name: Required value: name or generateName is required',
      ],
    );
  });
});

describe('migrate refuses', () => {
  it('versions that have no such kind', () => {
    assertProblems(
      [
        { ...psp(), apiVersion: 'policy/v1' },
        { ...scc(), apiVersion: 'security.openshift.io/v2' },
      ],
      [
        'PodSecurityPolicy/psp: apiVersion: policy/v1 has none: PodSecurityPolicy is of policy/v1beta1',
        'SecurityContextConstraints/scc: apiVersion: security.openshift.io/v2 has none: it is of security.openshift.io/v1',
      ],
    );
  });

  it('a field beside the spec', () => {
    assertProblems(
      [{ ...psp(), sepc: {} }],
      ['PodSecurityPolicy/psp: sepc: no field of a PodSecurityPolicy of policy/v1beta1'],
    );
  });

  it('two of one name', () => {
    assertProblems(
      [psp({}, {}, 'a'), scc({}, 'b'), psp({}, {}, 'b')],
      ['PodSecurityPolicy/b: metadata.name: SecurityContextConstraints/b has the same name'],
    );
  });

  it('all that is wrong with all of them, in their order', () => {
    assertProblems(
      [psp({ privileged: 1 }, {}, 'a'), psp({}, {}, 'b'), scc({ priority: -1 }, 'c')],
      [
        'PodSecurityPolicy/a: spec.privileged: must be true or false, not 1',
        'SecurityContextConstraints/c: priority: Invalid value: -1: priority cannot be negative',
      ],
    );
  });

  it('SecurityContextConstraints with what they do not have', () => {
    assertProblems(
      [scc({ runAsUser: { type: 'MayRunAs' }, fsGroup: {}, volumes: ['nothing'], allowHostUsers: true })],
      ['SecurityContextConstraints/scc: allowHostUsers: no such field'],
    );
    const [user = '', volume = ''] = problemsOf([
      scc({ runAsUser: { type: 'MayRunAs' }, fsGroup: {}, volumes: ['nothing'] }),
    ]);
    assert.match(user, /runAsUser\.type: Unsupported value: "MayRunAs": supported values: "MustRunAs",/);
    assert.match(volume, /volumes\[0\]: Unsupported value: "nothing"/);
  });

  it('roles and bindings that are none', () => {
    const all = role('all');
    assertProblems(
      [{ ...all, rules: { verbs: [] } }, binding(all, [{ kind: 'Team', name: 'a' }]), binding(all, [group('')])],
      [
        'ClusterRole/all: rules: must be a list, not a mapping',
        'ClusterRoleBinding/to-all: subjects[0].kind: must be ServiceAccount, User or Group',
        'ClusterRoleBinding/to-all: subjects[0].name: Required value',
      ],
    );
  });
});

/** @param expected of each line, or its beginning */
function assertProblems(objects: readonly unknown[], expected: readonly string[]): void {
  const problems = problemsOf(objects);
  assert.deepEqual(
    problems.map((problem, i) => problem.slice(0, expected[i]?.length ?? problem.length)),
    expected,
  );
}

function problemsOf(objects: readonly unknown[]): string[] {
  try {
    migrate(objects, { mode: 'Audit' });
    return [];
  } catch (error) {
    assert.ok(error instanceof InvalidInput);
    return error.message.split('\n');
  }
}
