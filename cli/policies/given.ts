/** Reads the policies that a command line names: from files, from the manifests, from a level, or from a cluster. */
import type { Trouble } from '../../analysis/manifests/trouble.ts';
import type { Labels, PolicyContextOptions } from '../../analysis/policies/context.ts';
import { PolicyContextBuilder } from '../../analysis/policies/context-builder.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import type { Level } from '../../operator/standards/level-version.ts';
import type { InputFile } from '../input/files.ts';
import { manifestsOf, type Reading } from '../input/manifests.ts';
import { EventLoopYield, type FileAtHand, isAtHand, searchAtHand } from '../input/text.ts';
import type { PolicyOptions } from '../options.ts';

export interface GivenPolicies extends PolicyOptions {
  readonly policy: readonly string[];
  readonly level?: Level;
  readonly levelVersion?: string;
  readonly namespaceLabels: Labels;
  readonly at?: number;
  readonly serverVersion: number;
}

/**
 * Every document that adds something to the policy context contains at least one entry of this list. The last entry is
 * a backslash, and each other entry is a part of the name of a kind. A document with a backslash is parsed, too. The
 * reason is that an escape sequence may replace a letter in the name of a kind.
 */
const CONTEXT_WORDS = ['CapabilityPolicy', 'Namespace', 'Role', 'ServiceAccount', '\\'];
/**
 * The minimum size of the input, in bytes, for which threads make the evaluation faster. Smaller input is evaluated in
 * less time than threads need to start.
 */
const WORTH_THREADS = 4 * 1024 * 1024;

/** @param namespace the namespace of roles and bindings that have no `metadata.namespace` */
export function builderFor(
  { level, levelVersion = 'latest' }: Pick<GivenPolicies, 'level' | 'levelVersion'>,
  namespace?: string,
): PolicyContextBuilder {
  return level === undefined ? new PolicyContextBuilder(namespace) : PolicyContextBuilder.ofLevel(level, levelVersion);
}

export function contextOptions(options: GivenPolicies, cluster: Cluster | undefined): PolicyContextOptions {
  return {
    ...options,
    // --level applies to every namespace, so no namespace is excluded.
    ...(options.level !== undefined && { operatorNamespace: '', excludedNamespaces: [] }),
    oldestServer: cluster?.oldestServer ?? options.serverVersion,
    at: options.at ?? Date.now(),
  };
}

/**
 * Adds the policies that are among the manifests, and the namespaces, roles, bindings and service accounts. If a file
 * cannot be read, the evaluation reports the file later.
 *
 * @param onLong called if the files are so large that threads make the evaluation faster
 */
export async function addContext(
  builder: PolicyContextBuilder,
  files: readonly InputFile[],
  io: Reading,
  tell: (trouble: Trouble) => void,
  onLong: () => void = () => {},
): Promise<void> {
  const eventLoopYield = new EventLoopYield();
  let size = 0;
  for (const file of files) {
    if (eventLoopYield.isDue) await eventLoopYield.take();
    const before = size;
    const isWanted = isAtHand(file) ? search(file) : true;
    if (before <= WORTH_THREADS && size > WORTH_THREADS) onLong();
    if (!isWanted) continue;
    for await (const manifest of manifestsOf([file], io, { tell: () => {}, wants }))
      builder.addManifest(manifest, tell);
  }

  function search(file: FileAtHand): boolean {
    try {
      const found = searchAtHand(file, CONTEXT_WORDS, io);
      size += found.size;
      return found.found;
    } catch {
      io.signal.throwIfAborted();
      return false;
    }
  }
}

function wants(text: string): boolean {
  return CONTEXT_WORDS.some((word) => text.includes(word));
}
