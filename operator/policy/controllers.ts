/**
 * The built-in workload controllers and the accounts under which kube-controller-manager creates their pods, when it
 * runs with --use-service-account-credentials as every distribution has it.
 *
 * Source: k8s.io/kubernetes/cmd/kube-controller-manager/app. A Deployment's pods come from its ReplicaSet, a CronJob's
 * from its Job. A PodTemplate has no controller.
 */

export interface Controller {
  readonly kind: string;
  /** Empty for the core group. */
  readonly group: string;
  readonly resource: string;
  /** The service account in CONTROLLER_NAMESPACE that creates the pods. */
  readonly serviceAccount: string;
}

export const CONTROLLER_NAMESPACE = 'kube-system';

export const CONTROLLERS: readonly Controller[] = [
  { kind: 'Deployment', group: 'apps', resource: 'deployments', serviceAccount: 'replicaset-controller' },
  { kind: 'ReplicaSet', group: 'apps', resource: 'replicasets', serviceAccount: 'replicaset-controller' },
  {
    kind: 'ReplicationController',
    group: '',
    resource: 'replicationcontrollers',
    serviceAccount: 'replication-controller',
  },
  { kind: 'StatefulSet', group: 'apps', resource: 'statefulsets', serviceAccount: 'statefulset-controller' },
  { kind: 'DaemonSet', group: 'apps', resource: 'daemonsets', serviceAccount: 'daemon-set-controller' },
  { kind: 'Job', group: 'batch', resource: 'jobs', serviceAccount: 'job-controller' },
  { kind: 'CronJob', group: 'batch', resource: 'cronjobs', serviceAccount: 'job-controller' },
];

/**
 * The controller behind an object of this kind; undefined for every other kind, those included that only share the name
 * with a built-in one (Volcano has a Job too).
 */
export function controllerOf(apiVersion: string, kind: string): Controller | undefined {
  const group = groupOf(apiVersion);
  return CONTROLLERS.find((controller) => controller.kind === kind && controller.group === group);
}

/** `Rollout.argoproj.io`, as kubectl qualifies a kind with its group. */
export function qualifiedKind(apiVersion: string, kind: string): string {
  const group = groupOf(apiVersion);
  return group === '' ? kind : `${kind}.${group}`;
}

/** Empty for the core group. */
export function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}
