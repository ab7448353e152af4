/** The commands that make the edits in somebody's own files. */
import type { Snapshot } from '../../operator/snapshot/document.ts';

const RBAC = ['clusterroles', 'clusterrolebindings', 'roles', 'rolebindings'];

/** @param namespace of the workload, for manifests that state none */
export function fixCommand(namespace: string, { policies, excludedNamespaces }: Snapshot): string {
  // Without roles nobody may use a policy that is not for everyone.
  const isForAll = policies.every(({ spec }) => spec.usableBy === 'Everyone');
  const kinds = ['capabilitypolicies', 'namespaces', ...(isForAll ? [] : RBAC)];
  const excluded = excludedNamespaces.length > 0 ? ` --excluded-namespaces '${excludedNamespaces.join(',')}'` : '';
  return [
    `kubectl get ${kinds.join(',')} --all-namespaces -o yaml > /tmp/policies.yaml`,
    `cappol fix -f . --policy /tmp/policies.yaml --namespace ${namespace}${excluded}`,
    '',
  ].join('\n');
}
