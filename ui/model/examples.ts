/**
 * The examples of the playground. Each example has a policy, a pod that the policy admits, and a pod that the policy
 * refuses.
 */
import type { Play } from './play-link.ts';

export interface Example {
  readonly title: string;
  readonly policy: string;
  /** The labels of the example's namespace. */
  readonly labels: string;
  /** The lines of the admitted pod's spec that matter for the example. */
  readonly passes: string;
  readonly violates: string;
}

export function playOfExample({ policy, labels, passes, violates }: Example): Play {
  const manifests = `# The policy refuses this pod …\n${pod('bad', violates)}---\n# … and admits this one.\n${pod('good', passes)}`;
  return { policies: policy, manifests, namespace: 'default', labels };
}

function pod(name: string, spec: string): string {
  return `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\nspec:\n${indented(spec)}`;
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

/** A policy as YAML. @param selector the selector of namespaces, in one line */
function policy(name: string, spec: string, selector = '{}'): string {
  return `apiVersion: capabilitypolicy.dev/v1alpha1
kind: CapabilityPolicy
metadata:
  name: ${name}
spec:
  namespaceSelector: ${selector}
${indented(spec)}`;
}

/**
 * A container that complies with the level `restricted`.
 *
 * @param add the added capabilities
 * @param more further lines of the container
 */
function hardened(add: string, more = ''): string {
  return `securityContext:
  runAsNonRoot: true
  seccompProfile: {type: RuntimeDefault}
containers:
  - name: app
    image: example.org/app
    securityContext:
      allowPrivilegeEscalation: false
      capabilities:
        drop: [ALL]
${add === '' ? '' : `        add: [${add}]\n`}${more}`;
}

const PLAIN = `containers:
  - name: app
    image: example.org/app
`;

export const EXAMPLES: readonly Example[] = [
  {
    title: 'Ping: level restricted, and NET_RAW',
    policy: policy(
      'ping',
      `level: restricted
mode: Enforce
# Higher than that of other policies which select the namespace: so this one decides there.
priority: 10
overrides:
  capabilities:
    # Instead of the list of the level.
    allowedAdd: [NET_BIND_SERVICE, NET_RAW]
`,
      '{matchLabels: {team: network}}',
    ),
    labels: 'team=network',
    passes: hardened('NET_RAW'),
    violates: hardened('NET_ADMIN'),
  },
  {
    title: 'Level restricted',
    policy: policy('restricted', 'level: restricted\nmode: Enforce\n', '{matchLabels: {environment: production}}'),
    labels: 'environment=production',
    passes: hardened(''),
    violates: PLAIN,
  },
  {
    title: 'Level baseline, without NET_RAW',
    policy: policy(
      'baseline-no-net-raw',
      `level: baseline
mode: Enforce
overrides:
  capabilities:
    # The capabilities that a container may hold: those of the container runtime without NET_RAW.
    allowedBounding:
      - AUDIT_WRITE
      - CHOWN
      - DAC_OVERRIDE
      - FOWNER
      - FSETID
      - KILL
      - MKNOD
      - NET_BIND_SERVICE
      - SETFCAP
      - SETGID
      - SETPCAP
      - SETUID
      - SYS_CHROOT
`,
      '{matchLabels: {environment: staging}}',
    ),
    labels: 'environment=staging',
    passes: `${PLAIN}    securityContext:\n      capabilities:\n        drop: [NET_RAW]\n`,
    violates: PLAIN,
  },
  {
    title: 'Audit everything: nothing is refused yet',
    policy: policy('audit-everything', 'level: restricted\nlevelVersion: latest\nmode: Audit\n'),
    labels: '',
    passes: hardened(''),
    violates: PLAIN,
  },
  {
    title: 'Drop all capabilities, and allow NET_BIND_SERVICE',
    policy: policy(
      'drop-all',
      `level: baseline
mode: Enforce
overrides:
  capabilities:
    requiredDrop: [ALL]
    allowedAdd: [NET_BIND_SERVICE]
`,
    ),
    labels: '',
    passes: `${PLAIN}    securityContext:\n      capabilities:\n        drop: [ALL]\n        add: [NET_BIND_SERVICE]\n`,
    violates: `${PLAIN}    securityContext:\n      capabilities:\n        add: [NET_BIND_SERVICE]\n`,
  },
  {
    title: 'istio-init: NET_ADMIN for one container',
    policy: policy(
      'mesh',
      `level: restricted
mode: Enforce
containers:
  - names: [istio-init]
    images: ['docker.io/istio/proxyv2:*']
    overrides:
      runAsNonRoot: false
      capabilities:
        allowedAdd: [NET_ADMIN, NET_RAW]
`,
    ),
    labels: '',
    passes: withInit('docker.io/istio/proxyv2:1.27.1'),
    violates: withInit('example.org/other:1'),
  },
  {
    title: 'Node agent: uses the network, the processes and the logs of the node',
    policy: policy(
      'node-agent',
      `level: restricted
mode: Enforce
overrides:
  hostNetwork: true
  hostPID: true
  hostPorts:
    - {min: 9100, max: 9100}
  volumes: [configMap, emptyDir, hostPath, projected, secret]
  hostPaths:
    - {pathPrefix: /var/log, readOnly: true}
`,
    ),
    labels: '',
    passes: agent('/var/log/pods', true),
    violates: agent('/etc', false),
  },
  {
    title: 'PodSecurityPolicy “restricted”, in this form',
    policy: policy(
      'psp-restricted',
      `level: baseline
mode: Enforce
overrides:
  privileged: false
  allowPrivilegeEscalation: false
  runAsNonRoot: true
  capabilities:
    requiredDrop: [ALL]
    allowedAdd: []
  volumes: [configMap, emptyDir, projected, secret, downwardAPI, persistentVolumeClaim]
  supplementalGroups:
    rule: MayRunAs
    ranges:
      - {min: 1, max: 65535}
  fsGroup:
    rule: MayRunAs
    ranges:
      - {min: 1, max: 65535}
`,
    ),
    labels: '',
    passes: hardened(''),
    violates: hardened('').replace('runAsNonRoot: true\n', 'runAsNonRoot: true\n  fsGroup: 0\n'),
  },
  {
    title: 'PodSecurityPolicy “baseline”, in this form',
    policy: policy(
      'psp-baseline',
      `level: baseline
mode: Enforce
overrides:
  capabilities:
    allowedAdd: [CHOWN, DAC_OVERRIDE, FSETID, FOWNER, MKNOD, SETGID, SETUID, SETFCAP, SETPCAP, NET_BIND_SERVICE, SYS_CHROOT, KILL, AUDIT_WRITE]
  volumes: [configMap, emptyDir, projected, secret, downwardAPI, persistentVolumeClaim, csi, ephemeral]
`,
    ),
    labels: '',
    passes: PLAIN,
    violates: `hostNetwork: true\n${PLAIN}`,
  },
  {
    title: 'PodSecurityPolicy “privileged”, but without loading kernel modules',
    policy: policy(
      'psp-privileged',
      `level: privileged
mode: Enforce
overrides:
  privileged: false
  capabilities:
    requiredDrop: [SYS_MODULE]
    allowedAdd: [NET_ADMIN, SYS_PTRACE]
`,
    ),
    labels: '',
    passes: `hostPID: true\n${PLAIN}    securityContext:\n      capabilities:\n        drop: [SYS_MODULE]\n        add: [SYS_PTRACE]\n`,
    violates: `hostPID: true\n${PLAIN}    securityContext:\n      privileged: true\n`,
  },
];

function withInit(image: string): string {
  return `${hardened('')}initContainers:
  - name: istio-init
    image: ${image}
    securityContext:
      runAsNonRoot: false
      allowPrivilegeEscalation: false
      capabilities:
        drop: [ALL]
        add: [NET_ADMIN, NET_RAW]
`;
}

function agent(path: string, readOnly: boolean): string {
  const mounts = `    ports:
      - {containerPort: 9100, hostPort: 9100}
    volumeMounts:
      - {name: node, mountPath: /node, readOnly: ${readOnly}}
volumes:
  - name: node
    hostPath: {path: ${path}}
`;
  return `hostNetwork: true\nhostPID: true\n${hardened('', mounts)}`;
}
