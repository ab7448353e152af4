/** Attempts to get more rights through a field in an unusual place of a pod, or through an unusual kind of pod. */
import assert from 'node:assert/strict';
import type { Json } from '../../hack/controlplane/api.ts';
import { SERVER_MINOR } from '../../hack/controlplane/version.ts';
import { offers } from '../../operator/standards/server-features.ts';
import { ALPHA_FLAGS } from '../support/alpha.ts';
import { privilegedPod, restrictedPod } from '../support/pod-manifests.ts';
import { type Attack, admitted, create, invalid, refusedBy } from './attack.ts';
import { pod } from './settings.ts';

const ADDED = ['SYS_ADMIN'];

function bad(container: Json): Json {
  return {
    ...structuredClone(container),
    securityContext: { ...container.securityContext, capabilities: { drop: ['ALL'], add: ADDED } },
  };
}

/**
 * The places where a pod can add SYS_ADMIN. The function for a place may also set other fields that the attempt needs.
 */
const PLACES: Readonly<Record<string, (pod: Json) => void>> = {
  'in an init container': ({ spec }) => {
    spec.initContainers = [{ ...bad(spec.containers[0]), name: 'init' }];
  },
  'in a sidecar': ({ spec }) => {
    spec.initContainers = [{ ...bad(spec.containers[0]), name: 'side', restartPolicy: 'Always' }];
  },
  'in an init container with rules for restarts': ({ spec }) => {
    const restartPolicyRules = [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }];
    spec.initContainers = [{ ...bad(spec.containers[0]), name: 'init', restartPolicy: 'Never', restartPolicyRules }];
  },
  'in the last of many containers': ({ spec }) => {
    const [container] = spec.containers;
    for (let i = 0; i < 30; i++) spec.containers.push({ ...structuredClone(container), name: `more-${i}` });
    spec.containers.push({ ...bad(container), name: 'last' });
  },
  'in a user namespace': ({ spec }) => {
    spec.hostUsers = false;
    spec.containers = [bad(spec.containers[0])];
  },
  'in a pod that names its node': ({ spec }) => {
    spec.nodeName = 'node';
    spec.containers = [bad(spec.containers[0])];
  },
  'in a pod that is gated from scheduling': ({ spec }) => {
    spec.schedulingGates = [{ name: 'example.org/gate' }];
    spec.containers = [bad(spec.containers[0])];
  },
  'in a pod that names a policy as its own': (one) => {
    one.metadata.annotations = { 'capabilitypolicy.dev/policy': 'attacks-narrow' };
    one.spec.containers = [bad(one.spec.containers[0])];
  },
  'in a pod with the labels of a probe': (one) => {
    one.metadata.labels = { 'capabilitypolicy.dev/probe': 'x', 'capabilitypolicy.dev/probe-kind': 'validation' };
    one.spec.containers = [bad(one.spec.containers[0])];
  },
  'in a pod with the newest fields of the API': ({ spec }) => {
    Object.assign(spec, { hostnameOverride: 'other', os: { name: 'linux' } });
    spec.volumes = [{ name: 'env', emptyDir: {} }];
    const env = [{ name: 'KEY', valueFrom: { fileKeyRef: { volumeName: 'env', path: 'a', key: 'KEY' } } }];
    const lifecycle = { stopSignal: 'SIGUSR1' };
    spec.containers = [{ ...bad(spec.containers[0]), env, lifecycle }];
  },
  'in a pod that asks for a device by a resource claim': ({ spec }) => {
    spec.resourceClaims = [{ name: 'device', resourceClaimName: 'device' }];
    spec.containers = [{ ...bad(spec.containers[0]), resources: { claims: [{ name: 'device' }] } }];
  },
};

/**
 * Pods with fields that API servers know since Kubernetes 1.35. Older API servers drop the new field, and refuse the
 * rest of the pod as invalid.
 */
const PLACES_SINCE_35: Readonly<Record<string, RegExp>> = {
  'in an init container with rules for restarts': /initContainers\[0\]\.restartPolicy: Unsupported value: "Never"/,
  'in a pod with the newest fields of the API': /valueFrom: Invalid value: "": must specify one of/,
};

/** The feature gate ProcMountType is enabled by default since Kubernetes 1.33 (kube_features.go). */
const procMountReplaced = admitted('the API server sets Default instead before v1.33', ({ spec }) => {
  for (const { securityContext } of spec.containers) assert.equal(securityContext.procMount, 'Default');
});

/**
 * Whether the API server accepts the field in a pod with a user namespace. The API server accepts hostNetwork if the
 * feature gate UserNamespacesHostNetworkSupport is enabled. The API server never accepts the other fields.
 */
function combines(field: string): boolean {
  return field === 'hostNetwork' && ALPHA_FLAGS.some((flag) => flag.includes('UserNamespacesHostNetworkSupport=true'));
}

export const PLACEMENT: readonly Attack[] = [
  ...Object.entries(PLACES).map(([where, place]): Attack => {
    const one = restrictedPod() as Json;
    place(one);
    const unknown = SERVER_MINOR < 35 ? PLACES_SINCE_35[where] : undefined;
    return {
      attempt: `adds SYS_ADMIN ${where}`,
      setting: 'narrow',
      steps: [create(one)],
      expect: unknown ? invalid(unknown) : refusedBy('narrow', /must not add capability SYS_ADMIN/),
    };
  }),
  {
    attempt: 'asks for a Windows HostProcess',
    setting: 'narrow',
    steps: [
      create(
        pod({
          os: { name: 'windows' },
          hostNetwork: true,
          securityContext: { windowsOptions: { hostProcess: true, runAsUserName: 'NT AUTHORITY\\SYSTEM' } },
        }),
      ),
    ],
    expect: refusedBy('narrow', /hostProcess/),
  },
  {
    attempt: 'asks for a Windows HostProcess on one container of a pod without an operating system',
    setting: 'narrow',
    steps: [
      create(
        pod({
          hostNetwork: true,
          containers: [
            {
              name: 'main',
              image: 'example.org/app',
              securityContext: { windowsOptions: { hostProcess: true, runAsUserName: 'NT AUTHORITY\\SYSTEM' } },
            },
          ],
        }),
      ),
    ],
    expect: refusedBy('narrow', /hostProcess/),
  },
  {
    attempt: 'says that a Linux pod is for Windows, where rules leave Linux fields alone',
    setting: 'narrow',
    steps: [create(withSpec({ os: { name: 'windows' } }, ADDED))],
    expect: invalid(/os\.name is windows|cannot be set for a windows pod|Forbidden/),
  },
  {
    attempt: 'says that a pod is for Windows, and mounts a path of the node',
    setting: 'narrow',
    steps: [
      create(
        pod({
          os: { name: 'windows' },
          securityContext: { runAsNonRoot: true },
          volumes: [{ name: 'node', hostPath: { path: 'C:\\' } }],
        }),
      ),
    ],
    expect: refusedBy('narrow', /volumes/),
  },
  {
    attempt: 'runs as root in a user namespace',
    setting: 'narrow',
    steps: [create(secured({ runAsUser: 0, runAsNonRoot: false }, { hostUsers: false }))],
    expect:
      SERVER_MINOR >= 35
        ? admitted('the Standard has admitted it since v1.35')
        : refusedBy('narrow', /runAsNonRoot[^|]*runAsUser/),
  },
  {
    attempt: 'runs as root and says hostUsers: null',
    setting: 'narrow',
    steps: [create(secured({ runAsUser: 0, runAsNonRoot: false }, { hostUsers: null }))],
    expect: refusedBy('narrow', /runAsNonRoot[^|]*runAsUser/),
  },
  ...[{}, { hostUsers: true }, { hostUsers: null }].map(
    (users): Attack => ({
      attempt: `adds a capability that is for user namespaces, and says ${JSON.stringify(users)}`,
      setting: 'mapped',
      steps: [create(withSpec(users, ['NET_ADMIN']))],
      expect: refusedBy('mapped', /must not add capability NET_ADMIN/),
    }),
  ),
  {
    attempt: 'adds a capability that is for user namespaces, in one',
    setting: 'mapped',
    steps: [create(withSpec({ hostUsers: false }, ['NET_ADMIN']))],
    expect: offers(SERVER_MINOR, 'userNamespaces')
      ? admitted('the list is for such pods')
      : refusedBy('mapped', /must not add capability NET_ADMIN/),
  },
  {
    attempt: 'adds another capability in a user namespace',
    setting: 'mapped',
    steps: [create(withSpec({ hostUsers: false }, ['NET_ADMIN', 'SYS_PTRACE']))],
    expect: refusedBy('mapped', /must not add capability [^(]*SYS_PTRACE/),
  },
  ...['hostPID', 'hostIPC', 'hostNetwork'].map(
    (field): Attack => ({
      attempt: `adds a capability that is for user namespaces, in one beside ${field}`,
      setting: 'mapped',
      steps: [create(withSpec({ hostUsers: false, [field]: true }, ['NET_ADMIN']))],
      expect: combines(field)
        ? refusedBy('mapped', new RegExp(`${field}: pod must not set ${field}=true`))
        : offers(SERVER_MINOR, 'userNamespaces')
          ? invalid(/hostUsers|HostUsers/)
          : // API servers before v1.33 drop the field hostUsers, so the policy refuses the pod.
            refusedBy('mapped', new RegExp(`must not add capability NET_ADMIN[^|]*${field}`)),
    }),
  ),
  ...[{}, { hostUsers: true }, { hostUsers: null }].map(
    (users): Attack => ({
      attempt: `must have a user namespace of its own, and says ${JSON.stringify(users)}`,
      setting: 'isolated',
      needs: 'userNamespaces',
      steps: [create(pod(users))],
      expect: refusedBy('isolated', /must set hostUsers=false/),
    }),
  ),
  {
    attempt: 'must have a user namespace of its own, and says that it is for Windows',
    setting: 'isolated',
    needs: 'userNamespaces',
    steps: [create(pod({ os: { name: 'windows' } }))],
    expect: admitted('the API server refuses the field on such pods, and no kubelet on Linux starts them'),
  },
  ...[{}, { automountServiceAccountToken: true }, { automountServiceAccountToken: null }].map(
    (mounts): Attack => ({
      attempt: `may have no token of its service account, and says ${JSON.stringify(mounts)}`,
      setting: 'tokenless',
      steps: [create(pod(mounts))],
      expect: refusedBy(
        'tokenless',
        /kube-api-access-\w+" must not have a token of the service account; the API server/,
      ),
    }),
  ),
  ...['own', 'kube-api-access-aaaaa'].map(
    (name): Attack => ({
      attempt: `may have no token of its service account, and projects it by hand in volume ${name}`,
      setting: 'tokenless',
      steps: [
        create(
          pod({
            automountServiceAccountToken: false,
            volumes: [{ name, projected: { sources: [{ serviceAccountToken: { path: 'a', audience: 'b' } }] } }],
          }),
        ),
      ],
      expect: refusedBy('tokenless', /must not have a token of the service account/),
    }),
  ),
  {
    attempt: 'may have no token of its service account, and has only the other projected sources',
    setting: 'tokenless',
    steps: [
      create(
        pod({
          automountServiceAccountToken: false,
          volumes: [{ name: 'own', projected: { sources: [{ configMap: { name: 'kube-root-ca.crt' } }] } }],
        }),
      ),
    ],
    expect: admitted('the certificate of the API server is no token'),
  },
  ...(['tokenless', 'tokens'] as const).flatMap((setting) =>
    [{}, { sources: null }, { sources: [] }].map(
      (projected): Attack => ({
        attempt: `may have ${setting === 'tokens' ? 'only the' : 'no'} token of its service account, and has the projected volume ${JSON.stringify(projected)}`,
        setting,
        steps: [create(pod({ automountServiceAccountToken: false, volumes: [{ name: 'own', projected }] }))],
        expect: admitted('a projected volume without sources has no token'),
      }),
    ),
  ),
  {
    attempt: 'sets null for a required field',
    setting: 'narrow',
    steps: [create(secured({ allowPrivilegeEscalation: null, capabilities: null }, { securityContext: null }))],
    expect: refusedBy('narrow', /allowPrivilegeEscalation[^|]*runAsNonRoot[^|]*seccomp/),
  },
  {
    attempt: 'opens a port of the node in an init container',
    setting: 'narrow',
    steps: [
      create(
        restrictedWith(({ spec }) => {
          const ports = [{ containerPort: 80, hostPort: 80 }];
          spec.initContainers = [{ ...structuredClone(spec.containers[0]), name: 'init', ports }];
        }),
      ),
    ],
    expect: refusedBy('narrow', /hostPorts/),
  },
  {
    attempt: 'asks for a projected volume with a certificate, a trust bundle and a token for another audience',
    setting: 'narrow',
    steps: [
      create(
        withSpec({
          volumes: [
            {
              name: 'all',
              projected: {
                sources: [
                  { serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 600 } },
                  { clusterTrustBundle: { name: 'bundle', path: 'bundle.pem' } },
                ],
              },
            },
          ],
        }),
      ),
    ],
    expect: admitted('level restricted admits projected volumes with any sources'),
  },
  {
    attempt: 'has 2,000 containers, the last of them privileged: more than an expression may cost',
    setting: 'narrow',
    steps: [
      create(
        restrictedWith(({ spec }) => {
          const [container] = spec.containers;
          spec.containers = Array.from({ length: 2_000 }, (_, i) => ({ ...container, name: `c${i}` }));
          spec.containers.push({ name: 'last', image: 'example.org/app', securityContext: { privileged: true } });
        }),
      ),
    ],
    expect: {
      title: 'refused, with any message',
      verify: ({ status, body }) => {
        if (status !== 403 && status !== 422) throw new Error(`${status}`);
        if (!/CapabilityPolicy attacks-narrow|capabilitypolicy-attacks-narrow/.test(body.message)) {
          throw new Error(String(body.message).slice(0, 500));
        }
      },
    },
  },
  {
    attempt: 'writes WINDOWS in other letters',
    setting: 'narrow',
    steps: [create(withSpec({ os: { name: 'Windows' } }, ADDED))],
    expect: invalid(/spec\.os: Unsupported value/),
  },
  {
    attempt: 'brings an ephemeral container with a new pod',
    setting: 'narrow',
    steps: [create(withSpec({ ephemeralContainers: [{ name: 'debug', image: 'example.org/debug' }] }))],
    expect: invalid(/ephemeralContainers/),
  },
  {
    attempt: "asks for an unmasked /proc in the node's user namespace",
    setting: 'patterns',
    steps: [create(secured({ procMount: 'Unmasked' }))],
    expect: SERVER_MINOR >= 33 ? invalid(/procMount|hostUsers/) : procMountReplaced,
  },
  {
    attempt: 'asks for an unmasked /proc in a user namespace under level restricted',
    setting: 'narrow',
    steps: [create(secured({ procMount: 'Unmasked' }, { hostUsers: false }))],
    expect: SERVER_MINOR >= 33 ? refusedBy('narrow', /procMount/) : procMountReplaced,
  },
  {
    attempt: 'opens a port of the node by hostNetwork and containerPort alone',
    setting: 'patterns',
    steps: [
      create(
        pod({
          hostNetwork: true,
          containers: [{ name: 'main', image: 'example.org/app', ports: [{ containerPort: 9999 }] }],
        }),
      ),
    ],
    expect: refusedBy('patterns', /hostPorts: [^|]*9999/),
  },
  ...[{ hostPort: 8081 }, { hostPort: 7999, hostIP: '127.0.0.1' }, { hostPort: 8081, protocol: 'SCTP' }].map(
    (port): Attack => ({
      attempt: `opens a port of the node beyond 8000-8080: ${JSON.stringify(port)}`,
      setting: 'patterns',
      steps: [
        create(
          pod({
            containers: [{ name: 'main', image: 'example.org/app', ports: [{ containerPort: 80, ...port }] }],
          }),
        ),
      ],
      expect: refusedBy('patterns', /hostPorts/),
    }),
  ),
  {
    attempt: 'has the kubelet connect elsewhere: a host in the probe of a sidecar',
    setting: 'narrow',
    steps: [
      create(
        restrictedWith(({ spec }) => {
          const livenessProbe = { tcpSocket: { host: '169.254.169.254', port: 80 } };
          spec.initContainers = [
            { ...structuredClone(spec.containers[0]), name: 'side', restartPolicy: 'Always', livenessProbe },
          ];
        }),
      ),
    ],
    expect:
      SERVER_MINOR >= 34 ? refusedBy('narrow', /hostProbes/) : admitted('the Standard has refused it since v1.34'),
  },
  ...[
    { gitRepo: { repository: 'https://example.org/x' } },
    { hostPath: { path: '/' } },
    { nfs: { server: 'example.org', path: '/' } },
    { flexVolume: { driver: 'example/driver' } },
  ].map(
    (source): Attack => ({
      attempt: `mounts a volume of type ${Object.keys(source)[0]} under level restricted`,
      setting: 'narrow',
      steps: [create(withSpec({ volumes: [{ name: 'data', ...source }] }))],
      expect: {
        title: 'refused by narrow or the API server',
        verify: (answer, scene) =>
          answer.status === 422 ? undefined : refusedBy('narrow', /volumes/).verify(answer, scene),
      },
    }),
  ),
  {
    attempt: 'hides a hostPath beside another source of the same volume',
    setting: 'narrow',
    steps: [create(withSpec({ volumes: [{ name: 'data', emptyDir: {}, hostPath: { path: '/' } }] }))],
    expect: invalid(/may not specify more than 1 volume type/),
  },
  {
    attempt: 'mounts an image as a volume',
    setting: 'narrow',
    steps: [create(withSpec({ volumes: [{ name: 'data', image: { reference: 'example.org/tools' } }] }))],
    expect: admitted('level restricted admits images, as Pod Security Admission does'),
  },
  {
    attempt: 'sees the processes of its other containers: shareProcessNamespace',
    setting: 'narrow',
    steps: [create(withSpec({ shareProcessNamespace: true }))],
    expect: admitted('no Standard checks it: each holds its own capabilities'),
  },
  {
    attempt: 'names a runtime class that is not allowed',
    setting: 'patterns',
    steps: [create(pod({ runtimeClassName: 'other' }))],
    expect: {
      title: 'refused: the policy `patterns` does not allow the runtime class, or the runtime class does not exist',
      verify: ({ status, body }) => {
        if (status !== 403) throw new Error(`${status} ${body.message}`);
      },
    },
  },
  {
    attempt: 'is privileged where every capability may be added but none may be held',
    setting: 'bounded',
    steps: [create(privilegedPod())],
    expect: refusedBy('bounded', /privileged/),
  },
];

function withSpec(fields: object, add: readonly string[] = []): Json {
  const one = restrictedPod({ add }) as Json;
  Object.assign(one.spec, fields);
  return one;
}

function restrictedWith(change: (pod: Json) => void): Json {
  const one = restrictedPod() as Json;
  change(one);
  return one;
}

function secured(securityContext: object, fields: object = {}): Json {
  return restrictedWith(({ spec }) => {
    Object.assign(spec, fields);
    Object.assign(spec.containers[0].securityContext, securityContext);
  });
}
