/** Makes pods and workloads in the form that users write. */

/** A pod with the given metadata and spec. */
export function podManifest<Metadata, Spec>(metadata: Metadata, spec: Spec) {
  return { apiVersion: 'v1' as const, kind: 'Pod' as const, metadata, spec };
}

interface PodOptions {
  readonly serviceAccountName?: string;
  /** The capabilities that the container adds. */
  readonly add?: readonly string[];
}

/** A pod that the level restricted admits. If `add` has other capabilities, the verdict may differ. */
export function restrictedPod({ add = [], serviceAccountName }: PodOptions = {}): object {
  const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'], add } };
  return podOf(securityContext, {
    ...(serviceAccountName !== undefined && { serviceAccountName }),
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  });
}

/**
 * A pod that the level baseline admits and the level restricted refuses. If `add` has other capabilities, the verdict
 * may differ.
 */
export function baselinePod({ add = [], serviceAccountName }: PodOptions = {}): object {
  return podOf({ capabilities: { add } }, serviceAccountName === undefined ? {} : { serviceAccountName });
}

/** A pod that only the level privileged admits. */
export function privilegedPod(): object {
  return podOf({ privileged: true });
}

/** A pod with `hostNetwork: true`. Only the level privileged admits the pod. */
export function hostNetworkPod(): object {
  return podOf(undefined, { hostNetwork: true });
}

function podOf(securityContext: object | undefined, spec: object = {}): object {
  const container = { name: 'main', image: 'example.org/app', ...(securityContext && { securityContext }) };
  return podManifest({ name: 'pod' }, { ...spec, containers: [container] });
}

/** One object of each kind that makes pods from a template. The template has the spec of `pod`. */
export function workloads(pod: object): readonly { readonly path: string; readonly object: object }[] {
  const { spec } = pod as { spec: object };
  const labels = { app: 'workload' };
  const template = { metadata: { labels }, spec };
  const metadata = { name: 'workload' };
  const selector = { matchLabels: labels };
  const jobTemplate = { metadata: { labels }, spec: { ...spec, restartPolicy: 'Never' } };
  const job = { template: jobTemplate };
  const of = (apiVersion: string, kind: string, fields: object) => ({ apiVersion, kind, metadata, ...fields });
  return [
    { path: '/apis/apps/v1/*/deployments', object: of('apps/v1', 'Deployment', { spec: { selector, template } }) },
    { path: '/apis/apps/v1/*/replicasets', object: of('apps/v1', 'ReplicaSet', { spec: { selector, template } }) },
    {
      path: '/apis/apps/v1/*/statefulsets',
      object: of('apps/v1', 'StatefulSet', { spec: { serviceName: 'workload', selector, template } }),
    },
    { path: '/apis/apps/v1/*/daemonsets', object: of('apps/v1', 'DaemonSet', { spec: { selector, template } }) },
    {
      path: '/api/v1/*/replicationcontrollers',
      object: of('v1', 'ReplicationController', { spec: { selector: labels, template } }),
    },
    { path: '/api/v1/*/podtemplates', object: of('v1', 'PodTemplate', { template }) },
    { path: '/apis/batch/v1/*/jobs', object: of('batch/v1', 'Job', { spec: job }) },
    {
      path: '/apis/batch/v1/*/cronjobs',
      object: of('batch/v1', 'CronJob', { spec: { schedule: '0 0 * * *', jobTemplate: { spec: job } } }),
    },
  ];
}
