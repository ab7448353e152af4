/**
 * Builds the Job that observes a cluster. The Job has one pod on each node. The command `cappol observe --cluster`
 * creates the Job. The script `generate` of package.json writes the Job to config/observe/.
 *
 * The files of tracefs belong to root, so the Job's pods run as root. The Job's pods need no capability, no service
 * account and no network.
 */

export const OBSERVER_NAMESPACE = 'cappol-observe';
const NAME = 'cappol-observe';
/** The label of the pods of an observation. All pods of one observation have the same value of the label. */
export const OBSERVATION_LABEL = 'cappol.capabilitypolicy.dev/observation';
/**
 * The path at which the container mounts the node's tracefs. The path is not below /sys, because AppArmor's default
 * profile refuses writes below /sys.
 */
const TRACING = '/tracing';
/** The additional time that the Job gets for pulling the image and printing the observations, in seconds. */
const MARGIN_SECONDS = 600;
const KEPT_SECONDS = 3600;

interface JobOptions {
  readonly name: string;
  readonly image: string;
  readonly seconds: number;
  /** The number of nodes that are observed. */
  readonly count: number;
  /** The names of the nodes. If the value is undefined, all Linux nodes are observed. */
  readonly nodes?: readonly string[] | undefined;
  /** The size of the kernel's event buffer for each processor, in kilobytes. */
  readonly bufferKb?: number;
}

/**
 * The namespace in which the observers run. The level of the namespace is privileged, because no other level admits
 * pods that use the node's files and processes.
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
      // If one node cannot observe, the observation of the other nodes must go on.
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
    // The events of the kernel contain the process IDs of the node's PID namespace.
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

/** The node affinity has one term for each node, because a term can name only one node. */
function nodeAffinity(nodes: readonly string[]) {
  const nodeSelectorTerms = nodes.map((node) => ({
    matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }],
  }));
  return { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } };
}
