/** The kinds that the operator follows. */
import { FIELD_MANAGER, GROUP, KIND, MANAGED_BY_LABEL, VERSION } from '../api/capability-policy.ts';
import { WORKLOAD_KINDS } from '../model/workload-kinds.ts';
import type { Source } from './reading.ts';

const ADMISSION = 'admissionregistration.k8s.io/v1';
const RBAC = 'rbac.authorization.k8s.io/v1';

/** The operator needs the owners of fields only for rendered objects and for the labels of namespaces. */
const managedFields = true;
const labelSelector = `${MANAGED_BY_LABEL}=${FIELD_MANAGER}`;

export const POLICIES: Source = { apiVersion: `${GROUP}/${VERSION}`, kind: KIND };
export const NAMESPACES: Source = { apiVersion: 'v1', kind: 'Namespace', managedFields };
export const PODS: Source = { apiVersion: 'v1', kind: 'Pod' };

export const WORKLOADS: readonly Source[] = WORKLOAD_KINDS.map(({ apiVersion, kind }) => ({ apiVersion, kind }));
export const PODS_AND_WORKLOADS: readonly Source[] = [PODS, ...WORKLOADS];

/**
 * The Events about pods that a controller could not create. StatefulSets, DaemonSets and Jobs have no condition that
 * says so.
 */
export const REFUSALS: Source = {
  apiVersion: 'v1',
  kind: 'Event',
  fieldSelector: 'reason=FailedCreate',
  dispensable: true,
};

export const ROLES: Source = { apiVersion: RBAC, kind: 'Role' };
export const ROLE_BINDINGS: Source = { apiVersion: RBAC, kind: 'RoleBinding' };
/**
 * The RBAC kinds, which define who may use policies. The RBAC kinds include the rendered roles and bindings. Argo CD
 * deletes one object of these kinds before Argo CD deletes the operator.
 */
export const CLUSTER_ROLES: Source = { apiVersion: RBAC, kind: 'ClusterRole', managedFields };
export const CLUSTER_ROLE_BINDINGS: Source = { apiVersion: RBAC, kind: 'ClusterRoleBinding', managedFields };

/**
 * Earlier releases had no programs. The admission policies of earlier releases record the accepted spec in an
 * annotation.
 */
export const VALIDATING_POLICIES: Source = {
  apiVersion: ADMISSION,
  kind: 'ValidatingAdmissionPolicy',
  labelSelector,
  managedFields,
};

export const ADMISSION_POLICIES: readonly Source[] = [
  VALIDATING_POLICIES,
  { apiVersion: ADMISSION, kind: 'ValidatingAdmissionPolicyBinding', labelSelector, managedFields },
  // Kubernetes serves MutatingAdmissionPolicies and their bindings from 1.36 on.
  { apiVersion: ADMISSION, kind: 'MutatingAdmissionPolicy', labelSelector, managedFields, optional: true },
  { apiVersion: ADMISSION, kind: 'MutatingAdmissionPolicyBinding', labelSelector, managedFields, optional: true },
];

/**
 * The kinds that affect the operator's writes. The operator evaluates objects of all other kinds, but changes to these
 * objects do not affect admission.
 */
export const DECIDING: readonly Source[] = [
  POLICIES,
  NAMESPACES,
  CLUSTER_ROLES,
  CLUSTER_ROLE_BINDINGS,
  ...ADMISSION_POLICIES,
];
