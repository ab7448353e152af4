/** A table of the Kubernetes kinds whose objects contain a pod template. */

interface Row {
  readonly apiVersion: string;
  readonly kind: string;
  readonly resource: string;
  /** The path of the PodTemplateSpec in an object of the kind. */
  readonly template: readonly string[];
  /**
   * The service account in CONTROLLER_NAMESPACE that creates the kind's pods
   * (k8s.io/kubernetes/cmd/kube-controller-manager/app). In every distribution, kube-controller-manager runs with
   * --use-service-account-credentials, so that each controller has a service account. A Deployment's pods come from its
   * ReplicaSet. A CronJob's pods come from its Job.
   */
  readonly serviceAccount?: string;
  /**
   * The controller copies the template into objects of this kind. The field is absent if the controller creates pods.
   */
  readonly creates?: string;
  /** The path of the list of volume claims. The kind's controller adds a volume to each pod for each volume claim. */
  readonly claims?: readonly string[];
}

/** The path of the template in most kinds. */
export const TEMPLATE_PATH = ['spec', 'template'];

const APPS = { apiVersion: 'apps/v1', template: TEMPLATE_PATH } as const;
const BATCH = { apiVersion: 'batch/v1', serviceAccount: 'job-controller' } as const;
const CORE = { apiVersion: 'v1' } as const;
const REPLICA_SETS = 'replicaset-controller';

/** The kinds, in the order in which rendered admission policies list them. */
const ROWS = [
  { ...CORE, kind: 'PodTemplate', resource: 'podtemplates', template: ['template'] },
  { ...APPS, kind: 'Deployment', resource: 'deployments', serviceAccount: REPLICA_SETS, creates: 'ReplicaSet' },
  { ...APPS, kind: 'ReplicaSet', resource: 'replicasets', serviceAccount: REPLICA_SETS },
  {
    ...CORE,
    kind: 'ReplicationController',
    resource: 'replicationcontrollers',
    template: TEMPLATE_PATH,
    serviceAccount: 'replication-controller',
  },
  {
    ...APPS,
    kind: 'StatefulSet',
    resource: 'statefulsets',
    serviceAccount: 'statefulset-controller',
    claims: ['spec', 'volumeClaimTemplates'],
  },
  { ...APPS, kind: 'DaemonSet', resource: 'daemonsets', serviceAccount: 'daemon-set-controller' },
  { ...BATCH, kind: 'Job', resource: 'jobs', template: TEMPLATE_PATH },
  {
    ...BATCH,
    kind: 'CronJob',
    resource: 'cronjobs',
    template: ['spec', 'jobTemplate', 'spec', 'template'],
    creates: 'Job',
  },
] as const satisfies readonly Row[];

export type WorkloadKind = (typeof ROWS)[number]['kind'];

export const WORKLOAD_KINDS: readonly (Row & { readonly kind: WorkloadKind })[] = ROWS;

/** A built-in controller creates the pods of these kinds. */
export const CONTROLLERS = ROWS.filter((row) => 'serviceAccount' in row);
export const CONTROLLER_NAMESPACE = 'kube-system';

/** The row of a kind. If the table has no row for the kind, the result is undefined. */
export function workloadKind(kind: string): Row | undefined {
  return WORKLOAD_KINDS.find((row) => row.kind === kind);
}

/**
 * The service account that creates the pods of a built-in kind. For other kinds, the result is undefined. A kind of
 * another API group may have the name of a built-in kind. For example, Volcano has a kind Job.
 */
export function controllerOf(apiVersion: string, kind: string): string | undefined {
  return builtInKind(apiVersion, kind)?.serviceAccount;
}

/**
 * Whether an object of `kind` has a copy of its owner's template. For example, a ReplicaSet has its Deployment's
 * template, and a Job has its CronJob's template.
 */
export function hasTemplateOf(owner: { readonly apiVersion: string; readonly kind: string }, kind: string): boolean {
  return builtInKind(owner.apiVersion, owner.kind)?.creates === kind;
}

/**
 * The row of a kind in its API group. The result is undefined for a kind of another group, even if the name of the kind
 * is in the table.
 */
export function builtInKind(apiVersion: string, kind: string): Row | undefined {
  const row = workloadKind(kind);
  return row && groupOf(row.apiVersion) === groupOf(apiVersion) ? row : undefined;
}

/** The path of the pod or its template in an object. The path is empty for a Pod, and for kinds without a template. */
export function templatePath(kind: string): readonly string[] {
  return workloadKind(kind)?.template ?? [];
}

/**
 * The path of the volume claims that become volumes of the pods. For kinds without volume claims, the result is
 * undefined.
 */
export function claimsPath(kind: string): readonly string[] | undefined {
  return workloadKind(kind)?.claims;
}

/** The kind with its API group, as kubectl writes it, such as `Rollout.argoproj.io`. */
export function qualifiedKind(apiVersion: string, kind: string): string {
  const group = groupOf(apiVersion);
  return group === '' ? kind : `${kind}.${group}`;
}

/** The API group of an apiVersion. The result is empty for the core group. */
export function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}
