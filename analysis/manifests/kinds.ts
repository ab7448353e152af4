/**
 * Finds how cappol handles an object. cappol evaluates the object, needs the object to evaluate other objects, or does
 * not use the object.
 */
import { GROUP, KIND, VERSION } from '../../operator/api/capability-policy.ts';
import { WORKLOAD_KINDS, workloadKind } from '../../operator/model/workload-kinds.ts';
import { meantBy } from '../schema/nearest.ts';

type Role = 'policy' | 'namespace' | 'role' | 'roleBinding' | 'serviceAccount' | 'pod' | 'workload' | 'other';

const RBAC = 'rbac.authorization.k8s.io/v1';

const ROLES: Readonly<Record<string, Role>> = {
  [`${GROUP}/${VERSION} ${KIND}`]: 'policy',
  'v1 Namespace': 'namespace',
  'v1 ServiceAccount': 'serviceAccount',
  'v1 Pod': 'pod',
  ...Object.fromEntries(WORKLOAD_KINDS.map(({ apiVersion, kind }) => [`${apiVersion} ${kind}`, 'workload'])),
  [`${RBAC} Role`]: 'role',
  [`${RBAC} ClusterRole`]: 'role',
  [`${RBAC} RoleBinding`]: 'roleBinding',
  [`${RBAC} ClusterRoleBinding`]: 'roleBinding',
};

/**
 * Kinds that cappol neither evaluates nor needs. The kinds are in the workloads' API groups (k8s.io/api). In these API
 * groups, a kind that this file does not list is a misspelling.
 */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  v1: [
    'Binding',
    'ConfigMap',
    'Endpoints',
    'Event',
    'LimitRange',
    'Node',
    'PersistentVolume',
    'PersistentVolumeClaim',
    'ResourceQuota',
    'Secret',
    'Service',
  ],
  'apps/v1': ['ControllerRevision'],
  'batch/v1': [],
  [RBAC]: [],
  [`${GROUP}/${VERSION}`]: [],
};

/**
 * The known kinds. Each kind is read in only one API version. API servers no longer serve the older versions (since
 * 1.22 and 1.25).
 */
const KNOWN = [
  ...Object.keys(ROLES),
  ...Object.entries(OTHERS).flatMap(([of, kinds]) => kinds.map((k) => `${of} ${k}`)),
];

/**
 * The form of the names in a CRD, as k8s.io/apiextensions-apiserver validates it. The kind and the version are DNS-1035
 * labels, and the group is a DNS subdomain.
 */
const NAME_OF_KIND = /^[A-Za-z](?:[-A-Za-z0-9]*[A-Za-z0-9])?$/;
const GROUP_VERSION = /^(?:[a-z0-9](?:[-.a-z0-9]*[a-z0-9])?\/)?[a-z](?:[-a-z0-9]*[a-z0-9])?$/;

/**
 * The role of the object. If the object's kind or apiVersion is wrong, the result says what is wrong, and what to write
 * instead.
 */
export function roleOf(apiVersion: string, kind: string): Role | { readonly wrong: string } {
  const role = ROLES[`${apiVersion} ${kind}`];
  if (role) return role;
  // `constructor` is not an API version, but it is a property of every object. The code therefore checks for own
  // properties.
  const kinds = Object.hasOwn(OTHERS, apiVersion) ? OTHERS[apiVersion] : undefined;
  if (kinds?.includes(kind)) return 'other';
  if (kinds) return { wrong: `no kind ${kind} is known in ${apiVersion}${suggestion(apiVersion, kind)}` };
  const evaluated = kind === 'Pod' || kind === KIND || workloadKind(kind);
  const served = evaluated && KNOWN.find((known) => known.endsWith(` ${kind}`));
  if (!GROUP_VERSION.test(apiVersion)) return { wrong: `apiVersion ${JSON.stringify(apiVersion)} is invalid` };
  if (!NAME_OF_KIND.test(kind)) return { wrong: `kind ${JSON.stringify(kind)} is invalid` };
  // A group that does not belong to Kubernetes may use the same kind names as Kubernetes. For example, Volcano has its
  // own kind Job.
  if (served && isBuiltIn(apiVersion)) {
    return { wrong: `no API server serves ${kind} of ${apiVersion}: write apiVersion: ${served.split(' ')[0]}` };
  }
  return 'other';
}

/**
 * Whether objects with the given apiVersion are searched for pod templates. CRDs are not searched, because their
 * schemas contain pod templates only as examples.
 */
export function isSearched(apiVersion: string): boolean {
  const [group = ''] = apiVersion.split('/');
  return group.includes('.') && !apiVersion.startsWith('apiextensions.k8s.io/');
}

/** Whether the group belongs to Kubernetes or to this project. */
export function isBuiltIn(apiVersion: string): boolean {
  const [group = '', version] = apiVersion.split('/');
  return version === undefined || !group.includes('.') || group.endsWith('.k8s.io') || group === GROUP;
}

function suggestion(apiVersion: string, kind: string): string {
  const elsewhere = KNOWN.find((known) => known.endsWith(` ${kind}`));
  if (elsewhere) return `: write apiVersion: ${elsewhere.split(' ')[0]}`;
  const kinds = KNOWN.filter((known) => known.startsWith(`${apiVersion} `)).map((known) => known.split(' ')[1] ?? '');
  const near = meantBy(kind, kinds);
  return near ? `: did you mean ${near}?` : '';
}
