/**
 * Makes pods like those of real clusters. Each pod has two containers, a token volume, and a status with conditions.
 * The containers have environment variables, probes, resources and mounts. With the fields that the API server adds, a
 * pod has about 9 KB of JSON. A third of the JSON is managedFields.
 */
import type { RawObject } from '../../operator/model/raw.ts';

export interface Shape {
  /** A name that looks like the name of an application, such as `app-07`. */
  readonly name: string;
  readonly violating: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: Readonly<Record<string, unknown>>;
}

/**
 * One pod in each group of this many pods violates the level restricted. Most of the violating pods also violate the
 * level baseline.
 */
const VIOLATING_EVERY = 20;

const SINCE = '2026-01-01T00:00:00Z';

const HARDENED = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } };
const VIOLATIONS = [
  { ...HARDENED, capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } },
  { privileged: true },
  { ...HARDENED, capabilities: { drop: ['ALL'], add: ['NET_RAW', 'SYS_PTRACE'] } },
];

/** Makes pod templates. @returns `count` different templates */
export function shapes(count: number): Shape[] {
  return Array.from({ length: count }, (_, index) => shape(index));
}

function shape(index: number): Shape {
  const name = `app-${String(index).padStart(2, '0')}`;
  const violating = index % VIOLATING_EVERY === VIOLATING_EVERY - 1;
  const violation = VIOLATIONS[Math.floor(index / VIOLATING_EVERY) % VIOLATIONS.length];
  return {
    name,
    violating,
    labels: {
      'app.kubernetes.io/name': name,
      'app.kubernetes.io/part-of': 'shop',
      'app.kubernetes.io/version': `1.${index}.0`,
      'pod-template-hash': hashOf(index),
    },
    annotations: {
      'checksum/config': hashOf(index).repeat(6),
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': String(9000 + index),
    },
    spec: {
      containers: [app(index, violating && violation ? violation : HARDENED), container('proxy', index, HARDENED)],
      ...(index % 5 === 0 && { initContainers: [initContainer(index)] }),
      securityContext: { runAsNonRoot: true, runAsUser: 10_000 + index, seccompProfile: { type: 'RuntimeDefault' } },
      serviceAccountName: 'default',
      nodeName: `node-${index % 40}.eu-central-1.compute.internal`,
      terminationGracePeriodSeconds: 30 + index,
      priority: 0,
      volumes: [
        { name: 'config', configMap: { name: `${name}-config`, defaultMode: 420 } },
        { name: 'cache', emptyDir: { sizeLimit: '256Mi' } },
        tokenVolume(),
      ],
      tolerations: [
        { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
        { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      ],
    },
  };
}

/** The name of the token volume in a pod. The admission plug-in ServiceAccount generates names of this form. */
export const TOKEN_VOLUME = 'kube-api-access-zzzzz';
const TOKEN_MOUNT = { name: TOKEN_VOLUME, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true };

function tokenVolume() {
  const sources = [
    { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
    { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    {
      downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] },
    },
  ];
  return { name: TOKEN_VOLUME, projected: { defaultMode: 420, sources } };
}

function app(index: number, securityContext: object) {
  const probe = (path: string) => ({ httpGet: { path, port: 'http' }, periodSeconds: 10 + index });
  return {
    ...container('app', index, securityContext),
    args: ['--listen', `:${8000 + index}`, '--config', '/etc/app/config.yaml', '--log-format=json'],
    env: [
      { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'DATABASE_PASSWORD', valueFrom: { secretKeyRef: { name: 'database', key: 'password' } } },
      {
        name: 'DATABASE_URL',
        value: `postgres://database-${index}.internal.example.com:5432/shop?sslmode=verify-full`,
      },
      { name: 'QUEUE_URL', value: `amqps://queue-${index}.internal.example.com:5671/shop` },
    ],
    livenessProbe: probe('/healthz'),
    readinessProbe: probe('/readyz'),
    volumeMounts: [
      { name: 'config', mountPath: '/etc/app', readOnly: true },
      { name: 'cache', mountPath: '/var/cache/app' },
      TOKEN_MOUNT,
    ],
  };
}

function container(name: string, index: number, securityContext: object) {
  return {
    name,
    image: `registry.example.com/shop/${name}:1.${index}.0`,
    ports: [{ name: name === 'app' ? 'http' : name, containerPort: 8000 + index, protocol: 'TCP' }],
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    securityContext,
    volumeMounts: [TOKEN_MOUNT],
  };
}

function initContainer(index: number) {
  return {
    name: 'migrate',
    image: `registry.example.com/shop/migrate:1.${index}.0`,
    command: ['/migrate', 'up'],
    securityContext: HARDENED,
    volumeMounts: [{ name: 'config', mountPath: '/etc/app', readOnly: true }],
  };
}

/** Returns the pod in the form of a pod that a kubelet has started. */
export function running(pod: RawObject, { spec }: Shape): RawObject {
  const containers = spec.containers as readonly { readonly name: string; readonly image: string }[];
  const status = runningStatus(containers);
  const entry = { manager: 'kubelet', operation: 'Update', apiVersion: 'v1', time: SINCE, fieldsType: 'FieldsV1' };
  const managed = { ...entry, fieldsV1: { 'f:status': fieldsOf(status) }, subresource: 'status' };
  const managedFields = [...(pod.metadata?.managedFields ?? []), managed];
  return { ...pod, metadata: { ...pod.metadata, managedFields }, status };
}

function runningStatus(containers: readonly { readonly name: string; readonly image: string }[]) {
  const condition = (type: string) => ({ type, status: 'True', lastTransitionTime: SINCE, observedGeneration: 1 });
  return {
    phase: 'Running',
    conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(condition),
    containerStatuses: containers.map(({ name, image }) => ({
      name,
      image,
      imageID: `${image.split(':')[0]}@sha256:${'0123456789abcdef'.repeat(4)}`,
      containerID: `containerd://${'fedcba9876543210'.repeat(4)}`,
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: SINCE } },
    })),
    hostIP: '10.0.0.7',
    hostIPs: [{ ip: '10.0.0.7' }],
    podIP: '10.244.3.17',
    podIPs: [{ ip: '10.244.3.17' }],
    qosClass: 'Burstable',
    startTime: SINCE,
  };
}

/**
 * Writes the keys of a value in the form of managedFields. In managedFields, the key of a condition is the condition's
 * type, and the key of an address is the IP address. In managedFields, a list of other items is a single value.
 */
function fieldsOf(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [`f:${key}`, Array.isArray(part) ? itemsOf(part) : {}]),
  );
}

function itemsOf(items: readonly Readonly<Record<string, unknown>>[]): Record<string, unknown> {
  const keys = ['type', 'ip'];
  const entries = items.flatMap((item) => {
    const key = keys.find((one) => one in item);
    return key ? [[`k:${JSON.stringify({ [key]: item[key] })}`, { '.': {}, ...fieldsOf(item) }]] : [];
  });
  return Object.fromEntries(entries);
}

function hashOf(index: number): string {
  return ((index + 1) * 2_654_435_761).toString(36).slice(-9);
}
