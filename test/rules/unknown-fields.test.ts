import assert from 'node:assert/strict';
import { KUBERNETES_FIELDS } from '../../analysis/manifests/kubernetes-schema.ts';
import { WHOLE } from '../../operator/standards/pod-fields.ts';
import { PLACES } from '../../operator/standards/pod-objects.ts';
import { app, ephemeral, pod } from '../support/pods.ts';
import { describeRule } from './table.ts';

const ADVICE =
  ', which this release of CapabilityPolicy does not know and no rule checks: upgrade CapabilityPolicy, or list in overrides.allowedUnknownFields: ';
const inPod = (...paths: string[]) =>
  `pod must not set ${paths.join(', ')}${ADVICE}${paths.map((path) => `spec.${path}`).join(', ')}`;
const inContainer = (...paths: string[]) =>
  `container "app" must not set ${paths.join(', ')}${ADVICE}${paths.map((path) => `spec.containers.${path}`).join(', ')}`;

const ULIMITS = { securityContext: { ulimits: [{ name: 'nofile', soft: 1, hard: 2 }] } };
const KNOWN = {
  securityContext: {
    allowPrivilegeEscalation: false,
    appArmorProfile: { type: 'Localhost', localhostProfile: 'a' },
    capabilities: { add: ['NET_RAW'], drop: ['ALL'] },
    procMount: 'Default',
    seLinuxOptions: { level: 's0', role: 'r', type: 't', user: 'u' },
    seccompProfile: { type: 'Localhost', localhostProfile: 'a' },
    windowsOptions: { hostProcess: false, runAsUserName: 'a', gmsaCredentialSpec: 'b', gmsaCredentialSpecName: 'c' },
  },
  livenessProbe: { httpGet: { port: 1 }, periodSeconds: 2, terminationGracePeriodSeconds: 3 },
  lifecycle: { postStart: { exec: { command: ['a'] } }, preStop: { sleep: { seconds: 1 } }, stopSignal: 'SIGTERM' },
};
const KNOWN_OF_POD = {
  hostUsers: false,
  securityContext: {
    fsGroupChangePolicy: 'Always',
    seLinuxChangePolicy: 'MountOption',
    supplementalGroupsPolicy: 'Strict',
    sysctls: [{ name: 'a', value: '1' }],
  },
};

/** Unknown fields in each object of a securityContext, each with the expected message. */
const IN_SECURITY_CONTEXT = {
  'a field of a container': [app(ULIMITS), inContainer('securityContext.ulimits')],
  'one in capabilities': [
    app({ securityContext: { capabilities: { ambient: ['NET_RAW'] } } }),
    inContainer('securityContext.capabilities.ambient'),
  ],
  'one in seccompProfile.oci': [
    app({ securityContext: { seccompProfile: { type: 'OCI', oci: { ref: 'a', insecure: true } } } }),
    inContainer('securityContext.seccompProfile.oci.insecure'),
  ],
  'one in seccompProfile': [
    app({ securityContext: { seccompProfile: { type: 'RuntimeDefault', artifact: {} } } }),
    inContainer('securityContext.seccompProfile.artifact'),
  ],
  'one in appArmorProfile': [
    app({ securityContext: { appArmorProfile: { type: 'RuntimeDefault', artifact: {} } } }),
    inContainer('securityContext.appArmorProfile.artifact'),
  ],
  'one in seLinuxOptions': [
    app({ securityContext: { seLinuxOptions: { mcs: 'c1' } } }),
    inContainer('securityContext.seLinuxOptions.mcs'),
  ],
  'one in windowsOptions': [
    app({ securityContext: { windowsOptions: { device: 'a' } } }),
    inContainer('securityContext.windowsOptions.device'),
  ],
  'several fields': [
    app({ securityContext: { ulimits: [], cgroupOptions: {}, capabilities: { ambient: [] } } }),
    inContainer('securityContext.ulimits', 'securityContext.cgroupOptions', 'securityContext.capabilities.ambient'),
  ],
  'a field of an init container': [
    pod({ initContainers: [{ name: 'app', ...ULIMITS }], containers: [] }),
    inContainer('securityContext.ulimits'),
  ],
  'a field of an ephemeral container': [
    ephemeral(ULIMITS),
    inContainer('securityContext.ulimits').replace('"app"', '"debug"'),
  ],
  'a field of the pod': [pod({ securityContext: { keyring: 'host' } }), inPod('securityContext.keyring')],
  'one in an object of the pod': [
    pod({ securityContext: { seLinuxOptions: { mcs: 'c1' }, seccompProfile: { artifact: {} } } }),
    inPod('securityContext.seLinuxOptions.mcs', 'securityContext.seccompProfile.artifact'),
  ],
  'one in a sysctl': [
    pod({
      securityContext: {
        sysctls: [
          { name: 'a', value: '1' },
          { name: 'b', force: true },
        ],
      },
    }),
    inPod('securityContext.sysctls.force'),
  ],
} as const;

/** Unknown fields outside a securityContext, each with the expected message. */
const ELSEWHERE = {
  'a field of the spec': [pod({ restoreFrom: { name: 'a' } }), inPod('restoreFrom')],
  'a field of a container itself': [app({ device: 'a' }), inContainer('device')],
  'a field of a probe': [app({ startupProbe: { httpGet: { port: 1 }, as: 'root' } }), inContainer('startupProbe.as')],
  'a field of a lifecycle': [app({ lifecycle: { postStop: {} } }), inContainer('lifecycle.postStop')],
  'a field of a handler': [app({ lifecycle: { preStop: { onNode: true } } }), inContainer('lifecycle.preStop.onNode')],
} as const;

const admitted = (rows: Readonly<Record<string, readonly [ReturnType<typeof pod>, ...string[]]>>) =>
  Object.fromEntries(Object.entries(rows).map(([what, [one]]) => [what, one]));

describeRule('unknownFields', [
  { level: 'privileged', minor: 0, admits: { ...admitted(IN_SECURITY_CONTEXT), ...admitted(ELSEWHERE) } },
  ...(['baseline', 'restricted'] as const).map((level) => ({
    level,
    minor: 0,
    admits: {
      'a pod with none': pod(),
      'every known field of a container': app(KNOWN),
      'every known field of a pod': pod(KNOWN_OF_POD),
      'an ephemeral container with a target': ephemeral({ targetContainerName: 'app' }),
      ...admitted(ELSEWHERE),
    },
    refuses: IN_SECURITY_CONTEXT,
  })),
  {
    level: 'restricted',
    overrides: { unknownFields: 'Refused' },
    admits: {
      'every known field': app(KNOWN, KNOWN_OF_POD),
      'an ephemeral container with a target': ephemeral({ targetContainerName: 'app' }),
    },
    refuses: {
      ...IN_SECURITY_CONTEXT,
      ...ELSEWHERE,
      'fields in both kinds of places': [
        app({ ...ULIMITS, device: 'a' }, { restoreFrom: {} }),
        inPod('restoreFrom'),
        inContainer('securityContext.ulimits'),
        inContainer('device'),
      ],
    },
  },
  { level: 'restricted', minor: 35, server: 35, admits: admitted(IN_SECURITY_CONTEXT) },
  {
    level: 'restricted',
    minor: 35,
    server: 35,
    overrides: { unknownFields: 'RefusedInSecurityContext' },
    admits: admitted(ELSEWHERE),
    refuses: IN_SECURITY_CONTEXT,
  },
  {
    level: 'restricted',
    overrides: { unknownFields: 'Allowed' },
    admits: { ...admitted(IN_SECURITY_CONTEXT), ...admitted(ELSEWHERE) },
  },
  {
    level: 'privileged',
    overrides: { unknownFields: 'RefusedInSecurityContext' },
    admits: admitted(ELSEWHERE),
    refuses: IN_SECURITY_CONTEXT,
  },
  {
    level: 'baseline',
    overrides: {
      unknownFields: 'Refused',
      allowedUnknownFields: ['spec.containers.securityContext.ulimits', 'spec.restoreFrom'],
    },
    admits: {
      'a listed field of a container': app(ULIMITS),
      'a listed field of an init container': pod({ initContainers: [{ name: 'app', ...ULIMITS }] }),
      'a listed field of an ephemeral container': ephemeral(ULIMITS),
      'a listed field of the spec': pod({ restoreFrom: { name: 'a' } }),
    },
    refuses: {
      'the same name in another place': [pod(ULIMITS), inPod('securityContext.ulimits')],
      'the same name on the container': [app({ ulimits: [] }), inContainer('ulimits')],
      'a field beside a listed one': [
        app({ securityContext: { ulimits: [], keyring: 'host' } }),
        inContainer('securityContext.keyring'),
      ],
      'a name that begins with a listed one': [
        app({ securityContext: { ulimitsOfNode: [] } }),
        inContainer('securityContext.ulimitsOfNode'),
      ],
    },
  },
  {
    level: 'restricted',
    serverDefaults: [
      'spec.containers.securityContext.cgroupOptions.mountMode=ReadOnly',
      'spec.containers.securityContext.limits[].name=nofile',
      'spec.containers.securityContext.limits[].soft=1',
      'spec.containers.securityContext.ioClass=3',
      'spec.containers.securityContext.masks=true',
      'spec.securityContext.keyring=own',
    ],
    admits: {
      'the values that API servers fill in': app(
        { securityContext: { ioClass: 3, masks: true, cgroupOptions: { mountMode: 'ReadOnly' } } },
        { securityContext: { keyring: 'own' } },
      ),
      'a list of objects that API servers fill in': app({
        securityContext: {
          limits: [
            { name: 'nofile', soft: 1 },
            { name: 'nofile', soft: 1 },
          ],
        },
      }),
      'a pod without the fields': pod(),
    },
    refuses: {
      'another value of the pod': [pod({ securityContext: { keyring: 'host' } }), inPod('securityContext.keyring')],
      'another number': [app({ securityContext: { ioClass: 31 } }), inContainer('securityContext.ioClass')],
      'another boolean': [app({ securityContext: { masks: false } }), inContainer('securityContext.masks')],
      'another value in an object': [
        app({ securityContext: { cgroupOptions: { mountMode: 'Writable' } } }),
        inContainer('securityContext.cgroupOptions'),
      ],
      'another object of a list': [
        app({ securityContext: { limits: [{ name: 'nofile' }, { name: 'core' }] } }),
        inContainer('securityContext.limits'),
      ],
      'an empty object': [
        app({ securityContext: { cgroupOptions: {} } }),
        inContainer('securityContext.cgroupOptions'),
      ],
      'an empty list': [app({ securityContext: { limits: [] } }), inContainer('securityContext.limits')],
      'an object of a list without one of its fields': [
        app({ securityContext: { limits: [{ name: 'nofile', soft: 1 }, { name: 'nofile' }] } }),
        inContainer('securityContext.limits'),
      ],
      'a further field of an object': [
        app({ securityContext: { cgroupOptions: { mountMode: 'ReadOnly', root: 'host' } } }),
        inContainer('securityContext.cgroupOptions'),
      ],
      'a value where API servers fill in none': [
        app({ securityContext: { keyring: 'own' } }),
        inContainer('securityContext.keyring'),
      ],
      'a field that they do not fill in': [app(ULIMITS), inContainer('securityContext.ulimits')],
    },
  },
]);

describe('the objects that rule unknownFields checks', () => {
  const { types } = KUBERNETES_FIELDS;
  const typeAt = (root: string, path: readonly string[]) =>
    path.reduce((type, field) => (types[type]?.[field] ?? '').replace(/^[^A-Z]*/, ''), root);

  it('have the types of the API', () => {
    for (const [over, root] of [
      ['pod', 'PodSpec'],
      ['containers', 'Container'],
    ] as const) {
      for (const { path, types: own } of PLACES[over]) assert.ok(own.includes(typeAt(root, path)), path.join('.'));
    }
  });

  it('are all objects in a securityContext', () => {
    for (const [over, root] of [
      ['pod', 'PodSecurityContext'],
      ['containers', 'SecurityContext'],
    ] as const) {
      const objectsIn = (path: readonly string[]): string[] =>
        Object.keys(types[typeAt(root, path)] ?? {})
          .map((field) => [...path, field])
          .filter((below) => /^[A-Z]/.test(typeAt(root, below)) && !WHOLE.includes(typeAt(root, below)))
          .flatMap((below) => [['securityContext', ...below].join('.'), ...objectsIn(below)]);
      const objects = objectsIn([]);
      const checked = PLACES[over].map(({ path }) => path.join('.'));
      assert.ok(objects.length > 3);
      assert.deepEqual(
        objects.filter((path) => !checked.includes(path)),
        [],
      );
    }
  });
});
