/** Writes policies for a bench, and waits until they are in force. */
import { type CapabilityPolicySpec, GROUP, KIND, PLURAL, VERSION } from '../../operator/api/capability-policy.ts';
import { type ApiClient, type Identified, pathFor } from '../../operator/cluster/client.ts';
import { arrayOf, objectOf, type RawObject, type RawPage } from '../../operator/model/raw.ts';
import { waitFor } from '../controlplane/wait.ts';

/** Creates a policy, or replaces the spec of an existing policy. */
export async function applyPolicy(
  client: ApiClient,
  name: string,
  spec: Partial<CapabilityPolicySpec>,
): Promise<RawObject> {
  const whole = { namespaceSelector: {}, level: 'restricted', ...spec };
  return client.apply(
    { apiVersion: `${GROUP}/${VERSION}`, kind: KIND, metadata: { name }, spec: whole } as Identified,
    {
      force: true,
    },
  );
}

export async function readPolicy(client: ApiClient, name: string): Promise<RawObject> {
  return client.get(pathFor(`${GROUP}/${VERSION}`, KIND, undefined, name));
}

/** Whether the status says that the current spec of the policy is in force. */
export function isProgrammed({ metadata, status }: RawObject): boolean {
  const { generation } = objectOf(metadata);
  return arrayOf(objectOf(status).conditions)
    .map(objectOf)
    .some(
      ({ type, status, observedGeneration }) =>
        type === 'Programmed' && status === 'True' && observedGeneration === generation,
    );
}

/** The names of all policies whose current spec is in force. */
export async function inForceOf(client: ApiClient): Promise<string[]> {
  const { items } = await client.get<RawPage>(`/apis/${GROUP}/${VERSION}/${PLURAL}`);
  return arrayOf(items)
    .map((item) => objectOf(item) as RawObject)
    .filter(isProgrammed)
    .map(({ metadata }) => metadata?.name ?? '');
}

export async function allProgrammed(client: ApiClient, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const look = async () => isProgrammed(await readPolicy(client, name));
    await waitFor(`policy ${name} to be in force`, look, { timeoutMs: 300_000, intervalMs: 50 });
  }
}

/**
 * Waits until the status describes the current spec of the policy, and has the given counts. `workloads` is the number
 * of all workloads, and `violating` is the number of violating workloads.
 */
export async function reported(client: ApiClient, name: string, workloads: number, violating: number): Promise<void> {
  const look = async () => {
    const { metadata, status } = await readPolicy(client, name);
    const { observedGeneration, workloads: counts } = objectOf(status);
    const { evaluated, violating: found } = objectOf(counts);
    return observedGeneration === objectOf(metadata).generation && evaluated === workloads && found === violating;
  };
  await waitFor(`policy ${name} to report ${violating} of ${workloads}`, look, { timeoutMs: 900_000, intervalMs: 20 });
}
