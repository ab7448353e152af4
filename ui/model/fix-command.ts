/** The commands that make the edits in the user's own files. */
import type { Snapshot } from '../../analysis/snapshot/document.ts';

const RBAC = ['clusterroles', 'clusterrolebindings', 'roles', 'rolebindings'];

/** @param namespace of the workload, for manifests that do not state one */
export function fixCommand(namespace: string, { policies, excludedNamespaces }: Snapshot): string {
  // If the files have no roles, nobody may use a policy with restricted use.
  const isForAll = policies.every(({ spec }) => spec.usableBy === 'Everyone');
  const kinds = ['capabilitypolicies', 'namespaces', ...(isForAll ? [] : RBAC)];
  const excluded =
    excludedNamespaces.length > 0 ? ` --excluded-namespaces ${quoted(excludedNamespaces.join(','))}` : '';
  return [
    `kubectl get ${kinds.join(',')} --all-namespaces -o yaml > /tmp/policies.yaml`,
    `cappol fix -f . --policy /tmp/policies.yaml --namespace ${quoted(namespace)}${excluded}`,
    '',
  ].join('\n');
}

/** Quotes a text as one word of a shell, because a snapshot from somebody else may contain any names. */
function quoted(text: string): string {
  return /^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
