/** Builds the commands that make the same edits in the user's own files. */
import type { Snapshot } from '../../analysis/snapshot/document.ts';

const RBAC = ['clusterroles', 'clusterrolebindings', 'roles', 'rolebindings'];

/** @param namespace the namespace of the workload, for manifests that state no namespace */
export function fixCommand(namespace: string, { policies, excludedNamespaces }: Snapshot): string {
  // If the user's files contain no roles, nobody may use a policy with restricted use.
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

/**
 * Quotes a text as one word of a shell. The names in a snapshot may come from a person other than the user. The names
 * may contain any characters.
 */
function quoted(text: string): string {
  return /^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
