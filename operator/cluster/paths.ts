/** The API paths of the kinds that the operator or cappol reads or writes. */
import { GROUP, KIND, PLURAL, VERSION } from '../api/capability-policy.ts';
import { WORKLOAD_KINDS } from '../model/workload-kinds.ts';

export interface Identified {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

interface Resource {
  readonly plural: string;
  readonly namespaced: boolean;
}

const ADMISSION = 'admissionregistration.k8s.io/v1';
const PROFILES = 'spdx.softwarecomposition.kubescape.io/v1beta1';
const RBAC = 'rbac.authorization.k8s.io/v1';

const RESOURCES: Readonly<Record<string, Resource>> = {
  [`${GROUP}/${VERSION} ${KIND}`]: { plural: PLURAL, namespaced: false },
  'v1 Event': { plural: 'events', namespaced: true },
  'v1 ConfigMap': { plural: 'configmaps', namespaced: true },
  'v1 Namespace': { plural: 'namespaces', namespaced: false },
  'v1 Pod': { plural: 'pods', namespaced: true },
  'v1 ServiceAccount': { plural: 'serviceaccounts', namespaced: true },
  ...Object.fromEntries(
    WORKLOAD_KINDS.map(({ apiVersion, kind, resource }) => [
      `${apiVersion} ${kind}`,
      { plural: resource, namespaced: true },
    ]),
  ),
  [`${ADMISSION} MutatingAdmissionPolicy`]: { plural: 'mutatingadmissionpolicies', namespaced: false },
  [`${ADMISSION} MutatingAdmissionPolicyBinding`]: { plural: 'mutatingadmissionpolicybindings', namespaced: false },
  [`${ADMISSION} MutatingWebhookConfiguration`]: { plural: 'mutatingwebhookconfigurations', namespaced: false },
  [`${ADMISSION} ValidatingAdmissionPolicy`]: { plural: 'validatingadmissionpolicies', namespaced: false },
  [`${ADMISSION} ValidatingAdmissionPolicyBinding`]: { plural: 'validatingadmissionpolicybindings', namespaced: false },
  [`${RBAC} ClusterRole`]: { plural: 'clusterroles', namespaced: false },
  [`${RBAC} ClusterRoleBinding`]: { plural: 'clusterrolebindings', namespaced: false },
  [`${RBAC} Role`]: { plural: 'roles', namespaced: true },
  [`${RBAC} RoleBinding`]: { plural: 'rolebindings', namespaced: true },
  'apiextensions.k8s.io/v1 CustomResourceDefinition': { plural: 'customresourcedefinitions', namespaced: false },
  'coordination.k8s.io/v1 Lease': { plural: 'leases', namespaced: true },
  'discovery.k8s.io/v1 EndpointSlice': { plural: 'endpointslices', namespaced: true },
  'events.k8s.io/v1 Event': { plural: 'events', namespaced: true },
  'openreports.io/v1alpha1 Report': { plural: 'reports', namespaced: true },
  [`${PROFILES} ApplicationProfile`]: { plural: 'applicationprofiles', namespaced: true },
  [`${PROFILES} ContainerProfile`]: { plural: 'containerprofiles', namespaced: true },
  'wgpolicyk8s.io/v1alpha2 PolicyReport': { plural: 'policyreports', namespaced: true },
};

/**
 * The path of an object. If no name is given, the result is the path of the collection. If no namespace is given, the
 * result is the path of the collection in all namespaces.
 *
 * @throws Error if the table lacks the kind, or if a namespaced object has no namespace
 */
export function pathFor(apiVersion: string, kind: string, namespace?: string, name?: string): string {
  const resource = RESOURCES[`${apiVersion} ${kind}`];
  if (!resource) throw new Error(`no path is known for kind ${kind} of ${apiVersion}`);
  if (resource.namespaced && name !== undefined && !namespace) {
    throw new Error(`${kind} "${name}" needs a namespace`);
  }
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = resource.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${resource.plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}

/** The path of `object`. */
export function pathOf(object: Identified): string {
  return pathFor(object.apiVersion, object.kind, object.metadata.namespace, object.metadata.name);
}
