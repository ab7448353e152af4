/** Reads the rights of config/rbac from its files, and grants the rights on a control plane. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import type { Api } from '../../hack/controlplane/api.ts';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import { type Identified, pathOf } from '../../operator/cluster/client.ts';
import { OPERATOR_ACCOUNT, OPERATOR_NAMESPACE } from '../../operator/model/namespaces.ts';

export const CONFIG = join(import.meta.dirname, '..', '..', 'config');
export { OPERATOR_ACCOUNT, OPERATOR_NAMESPACE };
export const OPERATOR_USER = `system:serviceaccount:${OPERATOR_NAMESPACE}:${OPERATOR_ACCOUNT}`;
const GROUPS = ['system:serviceaccounts', `system:serviceaccounts:${OPERATOR_NAMESPACE}`];

export interface RoleRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

export interface RbacObject extends Identified {
  readonly metadata: Identified['metadata'] & { readonly labels?: Readonly<Record<string, string>> };
  readonly rules?: readonly RoleRule[];
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string; readonly namespace?: string }[];
}

/** The Kubernetes objects in the files of a folder. The file kustomization.yaml is left out. */
export function manifestsIn<Manifest extends Identified>(folder: string): Manifest[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml') && file !== 'kustomization.yaml')
    .sort()
    .flatMap((file) => loadAll(readFileSync(join(folder, file), 'utf8')) as Manifest[]);
}

export function rbacObjects(): RbacObject[] {
  return manifestsIn<RbacObject>(join(CONFIG, 'rbac'));
}

/** The roles that are bound to the operator's service account. */
export function operatorRoles(): RbacObject[] {
  const objects = rbacObjects();
  const bound = objects.filter(({ subjects }) => subjects?.some(({ name }) => name === OPERATOR_ACCOUNT));
  return objects.filter(({ kind, metadata: { name, namespace } }) =>
    bound.some(
      ({ roleRef, metadata }) =>
        roleRef?.kind === kind && roleRef.name === name && (kind === 'ClusterRole' || metadata.namespace === namespace),
    ),
  );
}

/**
 * Grants exactly the rights of config/rbac, and removes rights that were granted before. The function does not create
 * the service account, because a user with a certificate needs no service account.
 */
export async function grantRights(api: Api): Promise<void> {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: OPERATOR_NAMESPACE } };
  await api.apply(pathOf(namespace), namespace);
  const grants = rbacObjects().filter(({ kind }) => kind !== 'ServiceAccount');
  for (const object of grants) await api.apply(pathOf(object), object);
}

/**
 * @returns the path of a kubeconfig. The API server treats the user of the kubeconfig as the operator's service
 * account.
 */
export function operatorKubeconfig(controlPlane: ControlPlane, server?: string): string {
  return controlPlane.kubeconfigFor(OPERATOR_USER, GROUPS, server);
}
