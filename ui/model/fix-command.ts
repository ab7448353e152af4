/** The commands that make the edits in somebody's own files. */

/** @param namespace of the workload, for manifests that state none */
export function fixCommand(namespace: string): string {
  return [
    'kubectl get capabilitypolicies,namespaces -o yaml > /tmp/policies.yaml',
    `cappol fix -f . --policy /tmp/policies.yaml --namespace ${namespace}`,
    '',
  ].join('\n');
}
