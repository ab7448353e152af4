/**
 * Decides which paths a walk through folders leaves out: node_modules, the paths in .gitignore, and the patterns of
 * --exclude.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { printable } from '../../operator/text/printable.ts';
import { firstOf } from '../../operator/text/wording.ts';
import type { ExitCode, FolderEntry, Io } from '../command.ts';
import { type IgnorePatterns, ignorePatterns } from './ignore-patterns.ts';

const NODE_MODULES = 'node_modules';
const GITIGNORE = '.gitignore';
const NAMED = 3;

type Cause = 'node_modules' | '.gitignore' | '--exclude';

export class LeftOut {
  readonly #cwd: string;
  readonly #excluded: IgnorePatterns;
  readonly #found = new Map<string, Cause>();
  /** The patterns of each folder's .gitignore. For a folder without a .gitignore, the map contains undefined. */
  readonly #ignoreFiles = new Map<string, IgnorePatterns | undefined>();
  /**
   * The value for a folder lists the folder itself, and its parent folders up to the root of the repository. The
   * innermost folder comes first.
   */
  readonly #around = new Map<string, readonly string[]>();

  /** @param patterns the patterns of --exclude, relative to cwd */
  constructor(cwd: string, patterns: readonly string[] = []) {
    this.#cwd = cwd;
    this.#excluded = ignorePatterns(patterns);
  }

  leavesOut(entry: FolderEntry): boolean {
    const cause = this.#causeOf(entry);
    if (cause) this.#found.set(entry.name, cause);
    return cause !== undefined;
  }

  /** A line that tells the user what was left out. If nothing was left out, the value is undefined. */
  get text(): string | undefined {
    const parts = (['node_modules', '.gitignore', '--exclude'] as const).flatMap((cause) => {
      const names = [...this.#found].filter(([, one]) => one === cause).map(([name]) => printable(name));
      if (names.length === 0) return [];
      return [`${firstOf(names, NAMED)}${cause === NODE_MODULES ? '' : ` (${cause})`}`];
    });
    return parts.length === 0 ? undefined : `left out: ${parts.join('; ')}`;
  }

  #causeOf({ path, isFolder }: FolderEntry): Cause | undefined {
    const name = path.slice(path.lastIndexOf(sep) + 1);
    if (this.#excluded.ignores(below(this.#cwd, path), isFolder)) return '--exclude';
    if (isFolder && name === NODE_MODULES) return NODE_MODULES;
    return this.#isIgnored(path, isFolder) ? GITIGNORE : undefined;
  }

  /**
   * Whether .gitignore files exclude the path. If several .gitignore files have a matching pattern, the innermost of
   * these files decides.
   */
  #isIgnored(path: string, isFolder: boolean): boolean {
    for (const folder of this.#foldersAround(dirname(path))) {
      const ignored = this.#patternsIn(folder)?.ignores(below(folder, path), isFolder);
      if (ignored !== undefined) return ignored;
    }
    return false;
  }

  /** The folders whose .gitignore applies. The list is empty outside a repository, where .gitignore has no effect. */
  #foldersAround(folder: string): readonly string[] {
    const known = this.#around.get(folder);
    if (known) return known;
    const parent = dirname(folder);
    const around = existsSync(join(folder, '.git')) || parent === folder ? [] : this.#foldersAround(parent);
    const isInside = around.length > 0 || existsSync(join(folder, '.git'));
    const all = isInside ? [folder, ...around] : [];
    this.#around.set(folder, all);
    return all;
  }

  #patternsIn(folder: string): IgnorePatterns | undefined {
    if (!this.#ignoreFiles.has(folder)) this.#ignoreFiles.set(folder, patternsOf(join(folder, GITIGNORE)));
    return this.#ignoreFiles.get(folder);
  }
}

function patternsOf(file: string): IgnorePatterns | undefined {
  try {
    return ignorePatterns(readFileSync(file, 'utf8').split('\n'));
  } catch {
    return undefined;
  }
}

function below(folder: string, path: string): string {
  return relative(folder, path).split(sep).join('/');
}

/**
 * Runs a function that searches folders for files. The search leaves out excluded paths. At the end, `leavingOut`
 * prints on standard error what was left out.
 *
 * @param exclude the patterns of --exclude
 */
export async function leavingOut(
  io: Io,
  { exclude }: { readonly exclude?: readonly string[] },
  work: (io: Io) => Promise<ExitCode>,
): Promise<ExitCode> {
  const leftOut = new LeftOut(io.cwd, exclude);
  try {
    return await work({ ...io, leftOut });
  } finally {
    const { text } = leftOut;
    if (text !== undefined) io.stderr.write(`cappol: ${text}\n`);
  }
}
