/** Reads the policies of `--policy`, and the namespaces, roles and bindings in the same files. */
import type { Trouble } from '../../analysis/manifests/trouble.ts';
import type { PolicyContextBuilder } from '../../analysis/policies/context-builder.ts';
import type { Io } from '../command.ts';
import { readManifests } from '../input/manifests.ts';

export async function addPolicies(
  builder: PolicyContextBuilder,
  paths: readonly string[],
  io: Io,
  { trouble }: { trouble(trouble: Trouble): void },
): Promise<void> {
  for await (const manifest of readManifests(paths, io, { tell: trouble })) builder.addManifest(manifest, trouble);
}
