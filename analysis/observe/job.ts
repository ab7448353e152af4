/**
 * The Job that observes a cluster, with one pod on each node. The command `cappol observe --cluster` creates the Job.
 * The script `generate` of package.json writes the Job to config/observe/.
 *
 * The files of tracefs belong to root, so the Job's pods run as root. The Job's pods need no capability, no service
 * account and no network.
 */

export const OBSERVER_NAMESPACE = 'cappol-observe';
const NAME = 'cappol-observe';
/** The label that all pods of one observation have, with the same value. */
export const OBSERVATION_LABEL = 'cappol.capabilitypolicy.dev/observation';
/**
 * Where the container mounts the node's tracefs. The mount is not below /sys, because AppArmor's default profile
 * refuses writes below /sys.
 */
const TRACING = '/tracing';
/** The extra time of the Job, for pulling the image and for printing the observations. */
const MARGIN_SECONDS = 600;
const KEPT_SECONDS = 3600;

interface JobOptions {
  readonly name: string;
  readonly image: string;
  readonly seconds: number;
  /** The number of nodes to observe. */
  readonly count: number;
  /** The names of the nodes; by default, all nodes with Linux. */
  readonly nodes?: readonly string[] | undefined;
  /** The size of the kernel's buffer for events, for each processor. */
  readonly bufferKb?: number;
}

/**
 * The namespace of the observers. The namespace of the Job has level privileged, because no other level admits pods
 * that use the node's files and processes.
 */
export function observerNamespace() {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: OBSERVER_NAMESPACE,
      labels: { 'app.kubernetes.io/name': NAME, 'pod-security.kubernetes.io/enforce': 'privileged' },
    },
  };
}

export function observerJob(options: JobOptions) {
  const { name, seconds, count } = options;
  const labels = { 'app.kubernetes.io/name': NAME, [OBSERVATION_LABEL]: name };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: OBSERVER_NAMESPACE, labels },
    spec: {
      completions: count,
      parallelism: count,
      completionMode: 'Indexed',
      // A node that cannot observe must not end the observation of the other nodes.
      backoffLimitPerIndex: 0,
      activeDeadlineSeconds: seconds + MARGIN_SECONDS,
      ttlSecondsAfterFinished: KEPT_SECONDS,
      template: { metadata: { labels }, spec: podSpec(options) },
    },
  };
}

function podSpec({ name, image, seconds, nodes, bufferKb }: JobOptions) {
  const buffer = bufferKb === undefined ? [] : [`--buffer-size=${bufferKb}`];
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    // The kernel's events contain the node's process numbers.
    hostPID: true,
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ operator: 'Exists' }],
    affinity: {
      ...(nodes && { nodeAffinity: nodeAffinity(nodes) }),
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { [OBSERVATION_LABEL]: name } } },
        ],
      },
    },
    containers: [
      {
        name: 'observe',
        image,
        args: ['observe', `--for=${seconds}s`, '--output=raw', `--tracefs=${TRACING}`, ...buffer],
        securityContext: {
          runAsUser: 0,
          runAsGroup: 0,
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
          seccompProfile: { type: 'RuntimeDefault' },
        },
        resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '512Mi' } },
        volumeMounts: [{ name: 'tracing', mountPath: TRACING }],
      },
    ],
    volumes: [{ name: 'tracing', hostPath: { path: '/sys/kernel/tracing', type: 'Directory' } }],
  };
}

/** The affinity to the nodes: one term for each node, because a term can name only one node. */
function nodeAffinity(nodes: readonly string[]) {
  const nodeSelectorTerms = nodes.map((node) => ({
    matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }],
  }));
  return { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } };
}
