/**
 * Creates the pod that is measured. The pod has two containers. The containers may add capabilities that violate the
 * level restricted. All other fields comply with the level restricted.
 */
import type { ApiClient } from '../../operator/cluster/client.ts';

/** The user ID of the pod's processes. */
export const USER = 10_000;
/** The pod-level fields that the level restricted requires. */
const CONFINED = { runAsNonRoot: true, runAsUser: USER, seccompProfile: { type: 'RuntimeDefault' } };

/**
 * Asks the API server to create the pod in a dry run.
 *
 * @param add the capabilities that the pod's containers add. The default is no capabilities
 * @throws ApiError if the API server refuses the pod
 */
export async function createPod(client: ApiClient, namespace: string, add?: readonly string[]): Promise<void> {
  const capabilities = { drop: ['ALL'], ...(add && { add }) };
  const securityContext = { allowPrivilegeEscalation: false, capabilities };
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: 'pod-', namespace },
    spec: {
      securityContext: CONFINED,
      containers: ['app', 'proxy'].map((name) => ({ name, image: name, securityContext })),
    },
  };
  await client.create(`/api/v1/namespaces/${namespace}/pods`, pod, { dryRun: true });
}
