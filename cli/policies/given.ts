/** The policies that a command line names: files, those among the manifests, a level, or a cluster's. */
import type { Cluster } from '../../operator/model/objects.ts';
import type { Level } from '../../operator/standards/level-version.ts';
import type { InputFile } from '../input/files.ts';
import { manifestsOf, type Reading } from '../input/manifests.ts';
import type { Trouble } from '../input/trouble.ts';
import type { PolicyOptions } from '../options.ts';
import type { Labels, PolicyContextOptions } from './context.ts';
import { PolicyContextBuilder } from './context-builder.ts';

export interface GivenPolicies extends PolicyOptions {
  readonly policy: readonly string[];
  readonly level?: Level;
  readonly levelVersion?: string;
  readonly namespaceLabels: Labels;
  readonly at?: number;
  readonly serverVersion: number;
}

/** Documents without these words add nothing to the context. */
const CONTEXT_WORDS = ['CapabilityPolicy', 'Namespace', 'Role'];

export function builderFor({ level, levelVersion = 'latest' }: Pick<GivenPolicies, 'level' | 'levelVersion'>) {
  return level === undefined ? new PolicyContextBuilder() : PolicyContextBuilder.ofLevel(level, levelVersion);
}

export function contextOptions(options: GivenPolicies, cluster: Cluster | undefined): PolicyContextOptions {
  return {
    ...options,
    // --level applies to every namespace.
    ...(options.level !== undefined && { operatorNamespace: '', excludedNamespaces: [] }),
    oldestServer: cluster?.oldestServer ?? options.serverVersion,
  };
}

/**
 * Adds the policies among the manifests that they judge, with the namespaces, roles and bindings. Does not tell what
 * can't be read: whoever judges the manifests reads them again.
 */
export async function addContext(
  builder: PolicyContextBuilder,
  files: readonly InputFile[],
  io: Reading,
  tell: (trouble: Trouble) => void,
): Promise<void> {
  const wants = (text: string) => CONTEXT_WORDS.some((word) => text.includes(word));
  for await (const manifest of manifestsOf(files, io, { tell: () => {}, wants })) builder.addManifest(manifest, tell);
}
