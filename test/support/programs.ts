/** Writes programs of compiled policies to an API server, without an operator. */
import { waitFor } from '../../hack/controlplane/wait.ts';
import { everywhere } from '../../operator/apply/probe.ts';
import { type ApiClient, ApiError, type Identified, pathOf } from '../../operator/cluster/client.ts';
import type { Compiled } from '../../operator/compile/compile.ts';

/**
 * Writes the programs, and waits until the programs are in force.
 * @returns the paths of the written objects, in order
 */
export async function enforce(client: ApiClient, { programs, grants }: Pick<Compiled, 'programs' | 'grants'>) {
  const written: string[] = [];
  for (const { role, roleBinding } of grants.values()) {
    for (const object of [role, roleBinding ?? []].flat() as Identified[]) {
      await client.apply(object, { force: true });
      written.push(pathOf(object));
    }
  }
  for (const { policy, bindings } of programs) {
    await put(client, policy as Identified);
    for (const binding of bindings as readonly Identified[]) await client.apply(binding, { force: true });
    written.push(...[policy, ...bindings].map((object) => pathOf(object as Identified)));
  }
  const inForce = programs.map((program) =>
    waitFor(`${program.name} in force`, async () => (await everywhere([client], program, program.hash)).holds, {
      timeoutMs: 60_000,
    }),
  );
  await Promise.all(inForce);
  return written;
}

/**
 * Replaces an object instead of applying it. Server-side apply may change the order of variables. This order matters.
 */
async function put(client: ApiClient, object: Identified): Promise<void> {
  const path = pathOf(object);
  try {
    const { metadata } = await client.get(path);
    const { resourceVersion } = metadata ?? {};
    await client.replace({ ...object, metadata: { ...object.metadata, resourceVersion } } as Identified);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    await client.create(path.slice(0, path.lastIndexOf('/')), object);
  }
}
