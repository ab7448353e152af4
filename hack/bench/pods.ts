/**
 * Creates the pod that is measured. The containers may add capabilities that violate the
 * level restricted. All other fields comply with the level restricted.
 */
import type { ApiClient } from '../../operator/cluster/client.ts';

/** The user ID of the pod's processes. */
export const USER = 10_000;
/** The pod-level fields that the level restricted requires. */
const CONFINED = { runAsNonRoot: true, runAsUser: USER, seccompProfile: { type: 'RuntimeDefault' } };

interface PodOptions {
  /** The capabilities that the pod's containers add. The default is no capabilities. */
  readonly add?: readonly string[] | undefined;
  /** The number of containers. The default is 2. */
  readonly containers?: number;
}

/**
 * Asks the API server to create the pod in a dry run.
 *
 * @throws ApiError if the API server refuses the pod
 */
export async function createPod(
  client: ApiClient,
  namespace: string,
  { add, containers = 2 }: PodOptions = {},
): Promise<void> {
  const capabilities = { drop: ['ALL'], ...(add && { add }) };
  const securityContext = { allowPrivilegeEscalation: false, capabilities };
  const names = Array.from({ length: containers }, (_, i) => `container-${i}`);
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: 'pod-', namespace },
    spec: { securityContext: CONFINED, containers: names.map((name) => ({ name, image: name, securityContext })) },
  };
  await client.create(`/api/v1/namespaces/${namespace}/pods`, pod, { dryRun: true });
}
