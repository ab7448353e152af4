/**
 * The Job that observes a cluster: one pod on each node, for a stated time. `cappol observe --cluster` creates it, and
 * `npm run generate` writes it to config/observe/.
 *
 * The files of tracefs belong to root, and that is all its pods need: no capability, no account, no network.
 */

export const OBSERVER_NAMESPACE = 'cappol-observe';
const NAME = 'cappol-observe';
/** The pods of one observation have a common value. */
export const OBSERVATION_LABEL = 'cappol.capabilitypolicy.dev/observation';
/** Where the node's tracefs is in the container: AppArmor's default profile refuses writes below /sys. */
const TRACING = '/tracing';
/** To pull the image, and to print what was observed. */
const MARGIN_SECONDS = 600;
const KEPT_SECONDS = 3600;

interface JobOptions {
  readonly name: string;
  readonly image: string;
  readonly seconds: number;
  /** The number of nodes. */
  readonly count: number;
  /** The names of the nodes; all nodes with Linux by default. */
  readonly nodes?: readonly string[] | undefined;
  /** The kernel's buffer for events, for each processor. */
  readonly bufferKb?: number;
}

/** Level privileged, since no other one admits volumes of the node and its processes. */
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
      // A node that cannot observe must not end the observation of the others.
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
    // The kernel's events have the process numbers of the node.
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

/** A term for each, since a term can name only one node. */
function nodeAffinity(nodes: readonly string[]) {
  const nodeSelectorTerms = nodes.map((node) => ({
    matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }],
  }));
  return { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } };
}
