import type { Api } from '../../hack/controlplane/api.ts';

/**
 * The RuntimeClasses that random pods name. The API server refuses a pod that names a RuntimeClass outside this list.
 */
const NAMES = ['gvisor', 'kata', 'runc'];

export async function createRuntimeClasses(api: Api): Promise<void> {
  for (const name of NAMES) {
    const path = `/apis/node.k8s.io/v1/runtimeclasses/${name}`;
    await api.apply(path, { apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name }, handler: name });
  }
}
