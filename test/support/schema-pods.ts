/**
 * Random pods from the API's schema. Each random pod is a compliant pod with a few changes. Each change follows a
 * random path through the schema and sets the field at the end of the path. The pods therefore have every known field,
 * including fields that no rule reads. Many of the random pods are invalid.
 */
import fc, { type Arbitrary } from 'fast-check';
import { KUBERNETES_FIELDS } from '../../analysis/manifests/kubernetes-schema.ts';
import { COMPLIANT, type Pod } from './random-pods.ts';

type Fields = Record<string, unknown>;

const { types } = KUBERNETES_FIELDS;

/** Values of fields of type string, by the field's name. All other string fields get a value of ANY_TEXT. */
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  add: ['NET_ADMIN', 'NET_BIND_SERVICE', 'CHOWN'],
  apiVersion: ['v1'],
  dnsPolicy: ['ClusterFirst', 'Default', 'ClusterFirstWithHostNet'],
  drop: ['ALL', 'NET_RAW'],
  effect: ['NoExecute', 'NoSchedule'],
  fsGroupChangePolicy: ['Always', 'OnRootMismatch'],
  host: ['', '127.0.0.1', 'example.org'],
  hostIP: ['127.0.0.1'],
  imagePullPolicy: ['Always', 'IfNotPresent', 'Never'],
  ip: ['10.0.0.1'],
  kind: ['Managed', 'Shared'],
  localhostProfile: ['profiles/a'],
  medium: ['', 'Memory'],
  mountPath: ['/data', '/var/log'],
  mountPropagation: ['None', 'HostToContainer', 'Bidirectional'],
  operator: ['Exists', 'Equal', 'In'],
  os: ['linux', 'windows'],
  path: ['/data', 'data', '/'],
  preemptionPolicy: ['Never', 'PreemptLowerPriority'],
  procMount: ['Default', 'Unmasked'],
  protocol: ['TCP', 'UDP', 'SCTP'],
  pullPolicy: ['Always', 'IfNotPresent'],
  restartPolicy: ['Always', 'OnFailure', 'Never'],
  scheme: ['HTTP', 'HTTPS'],
  seLinuxChangePolicy: ['MountOption', 'Recursive'],
  stopSignal: ['SIGTERM', 'SIGUSR1'],
  supplementalGroupsPolicy: ['Merge', 'Strict'],
  terminationMessagePolicy: ['File', 'FallbackToLogsOnError'],
  topologyKey: ['kubernetes.io/hostname'],
  type: ['RuntimeDefault', 'Localhost', 'Unconfined', 'Directory', 'container_t', 'spc_t', 'Socket'],
  whenUnsatisfiable: ['DoNotSchedule', 'ScheduleAnyway'],
};
const ANY_TEXT = ['a', 'data', 'example.org', 'kernel.shm_rmid_forced', 'kernel.msgmax'];
const NUMBERS = [0, 1, 80, 1000, 65535];

/**
 * Required fields of a type, in addition to the field that a path sets. The API server refuses an object of the type if
 * one of these fields is missing.
 */
const REQUIRED: Readonly<Record<string, Fields>> = {
  ConfigMapVolumeSource: { name: 'a' },
  ContainerPort: { containerPort: 80 },
  ConfigMapProjection: { name: 'a' },
  CSIVolumeSource: { driver: 'csi.example.org' },
  DownwardAPIVolumeFile: { path: 'a', fieldRef: { fieldPath: 'metadata.name' } },
  EnvVar: { name: 'A' },
  FlexVolumeSource: { driver: 'example.org/flex' },
  GRPCAction: { port: 80 },
  HostAlias: { ip: '10.0.0.1', hostnames: ['a'] },
  HostPathVolumeSource: { path: '/data' },
  HTTPGetAction: { port: 80 },
  ImageVolumeSource: { reference: 'image' },
  KeyToPath: { key: 'a', path: 'a' },
  LocalObjectReference: { name: 'a' },
  NFSVolumeSource: { server: 'example.org', path: '/data' },
  PersistentVolumeClaimVolumeSource: { claimName: 'a' },
  PodOS: { name: 'linux' },
  PodReadinessGate: { conditionType: 'example.org/a' },
  PodSchedulingGate: { name: 'example.org/a' },
  SecretProjection: { name: 'a' },
  SecretVolumeSource: { secretName: 'a' },
  ServiceAccountTokenProjection: { path: 'a' },
  Sysctl: { name: 'kernel.shm_rmid_forced', value: '1' },
  TCPSocketAction: { port: 80 },
  Toleration: { operator: 'Exists' },
  TopologySpreadConstraint: {
    maxSkew: 1,
    topologyKey: 'kubernetes.io/hostname',
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: {},
  },
  VolumeMount: { name: 'data', mountPath: '/data' },
};

/**
 * Fields that the random pods lack. Some of these fields belong to requests other than the creation of a pod. Other
 * fields may make another admission plugin refuse the pod.
 */
const LEFT_OUT = [
  'ephemeralContainers',
  'nodeName',
  'preemptionPolicy',
  'priority',
  'priorityClassName',
  'runtimeClassName',
  'serviceAccount',
  'serviceAccountName',
];

/**
 * A path through the schema. The numbers in `steps` choose the fields to follow. The number `value` chooses the value
 * to set at the end.
 */
interface Walk {
  readonly steps: readonly number[];
  readonly value: number;
}

const walk: Arbitrary<Walk> = fc.record({
  steps: fc.array(fc.nat(997), { minLength: 10, maxLength: 10 }),
  value: fc.nat(997),
});

export function schemaPods(): Arbitrary<Pod> {
  return fc
    .tuple(fc.constantFrom(...Object.values(COMPLIANT)), fc.array(walk, { minLength: 1, maxLength: 3 }))
    .map(([base, walks]) => {
      const pod = structuredClone(base);
      for (const one of walks) follow(pod.spec, 'PodSpec', one, 0);
      return pod;
    });
}

function follow(object: Fields, type: string, { steps, value }: Walk, depth: number): void {
  const fields = Object.entries(types[type] ?? {}).filter(([field]) => !LEFT_OUT.includes(field));
  const chosen = fields[(steps[depth] ?? 0) % fields.length];
  if (!chosen) return;
  const [field, code] = chosen;
  const [mark = '', below = ''] = /^([[{]?)(.*)$/.exec(code)?.slice(1) ?? [];
  const next = { steps, value };
  if (types[below]) {
    // Most fields of ObjectMeta are written only by the API server.
    if (mark === '{' || below === 'ObjectMeta') return;
    const existing =
      mark === '[' ? (object[field] as Fields[] | undefined)?.[0] : (object[field] as Fields | undefined);
    const inner = existing ?? { ...REQUIRED[below], ...namedFor(below, object) };
    object[field] = mark === '[' ? [inner, ...((object[field] as Fields[] | undefined)?.slice(1) ?? [])] : inner;
    follow(inner, below, next, depth + 1);
  } else {
    const scalar = scalarOf(field, below, value);
    object[field] = mark === '[' ? [scalar] : mark === '{' ? { a: scalar } : scalar;
  }
}

/** The fields that name a new list item. If the item needs no name, the result is empty. */
function namedFor(type: string, { image }: Fields): Fields {
  if (type === 'Container') return { name: 'init', image: image ?? 'image', securityContext: HARDENED };
  return type === 'Volume' ? { name: 'data' } : {};
}

const HARDENED = { allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: { drop: ['ALL'] } };

function scalarOf(field: string, code: string, value: number): unknown {
  if (code === 'b') return value % 2 === 0;
  if (code === 'i' || code === 'n') return NUMBERS[value % NUMBERS.length];
  if (code !== 's') return '1';
  const texts = TEXTS[field] ?? ANY_TEXT;
  return texts[value % texts.length];
}
