/** Reads from a control plane the objects that the operator writes for policies. */
import { offers } from '../../operator/standards/server-features.ts';
import type { Api, Json } from './api.ts';
import { SERVER_MINOR } from './version.ts';

/** The label selector for all objects that the operator writes. */
export const MANAGED = 'app.kubernetes.io/managed-by=capabilitypolicy.dev';
const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
/** The API collections of all kinds of objects that the operator writes. The key is the kind. */
export const COLLECTIONS: Readonly<Record<string, string>> = {
  ValidatingAdmissionPolicy: `${ADMISSION}/validatingadmissionpolicies`,
  ValidatingAdmissionPolicyBinding: `${ADMISSION}/validatingadmissionpolicybindings`,
  ...(offers(SERVER_MINOR, 'mutatingAdmissionPolicies') && {
    MutatingAdmissionPolicy: `${ADMISSION}/mutatingadmissionpolicies`,
    MutatingAdmissionPolicyBinding: `${ADMISSION}/mutatingadmissionpolicybindings`,
  }),
  ClusterRole: `${RBAC}/clusterroles`,
  ClusterRoleBinding: `${RBAC}/clusterrolebindings`,
};

/**
 * Reads all objects with the operator's managed-by label. If a policy is given, only the objects of this policy are
 * read. Each object is read with a separate request, because objects in a list lack some fields.
 */
export async function renderedObjects(api: Api, policy?: string): Promise<Json[]> {
  const selector = `${MANAGED}${policy === undefined ? '' : `,capabilitypolicy.dev/policy=${policy}`}`;
  const lists = await Promise.all(
    Object.entries(COLLECTIONS).map(async ([kind, path]) =>
      (await api.list(path, selector)).map((item) => ({
        apiVersion: path.replace(/^\/apis\/(.*)\/\w+$/, '$1'),
        kind,
        ...item,
      })),
    ),
  );
  return lists.flat();
}
