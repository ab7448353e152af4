/** Reads the option --used for commands that check files. */
import { UsedCapabilities } from '../../analysis/evidence/used-capabilities.ts';
import type { Trouble } from '../../analysis/manifests/trouble.ts';
import { type Io, UsageError } from '../command.ts';
import { readEvidence } from './read.ts';

export interface UsedOptions {
  /** The paths that follow --used. If no path follows --used, the value is true. */
  readonly used?: true | readonly string[];
  readonly since?: string;
}

/** @returns undefined if --used is not given */
export async function usedInFiles(
  options: UsedOptions & { readonly filename: readonly string[] },
  io: Io,
  tell: (trouble: Trouble) => void,
): Promise<UsedCapabilities | undefined> {
  checkSince(options);
  const { used: paths, filename } = options;
  if (paths === undefined) return undefined;
  if (paths === true)
    throw new UsageError('name files with evidence after --used: without --cluster, --used needs files');
  if (paths.includes('-') && filename.includes('-'))
    throw new UsageError('only one of -f and --used can read standard input');
  return new UsedCapabilities(await readEvidence(paths, io, { tell }), options);
}

export function checkSince({ used, since: time }: UsedOptions): void {
  if (used === undefined && time !== undefined) throw new UsageError('--since requires --used');
}
