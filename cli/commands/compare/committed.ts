/** Reads a set of policies from a Git commit, such as `git:HEAD:policies`. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reason } from '../../../analysis/manifests/trouble.ts';
import { printable } from '../../../operator/text/printable.ts';
import { type Io, UsageError } from '../../command.ts';
import { relativePath } from '../../output/relative-path.ts';

export const GIT = 'git';
const MOST_OUTPUT = 1 << 30;

/**
 * A file or folder of a commit. The file or folder is in a temporary folder that looks like the repository at this
 * commit.
 */
interface Committed {
  /** The path as the user wrote it, relative to `cwd`. */
  readonly path: string;
  /** The folder that is used instead of the current folder. */
  readonly cwd: string;
}

/**
 * Calls the function `work` with a copy of the files of the commit. The copy is removed afterwards.
 *
 * @param name the name on the command line, which is `git:COMMIT` or `git:COMMIT:PATH`
 * @throws UsageError if the commit does not exist, or if it contains nothing at this path
 */
export async function withCommitted<Result>(
  name: string,
  io: Io,
  work: (committed: Committed) => Promise<Result>,
): Promise<Result> {
  const [, commit = '', ...rest] = name.split(':');
  const path = relativePath(io.cwd, rest.join(':')) || '.';
  const temporary = mkdtempSync(join(tmpdir(), 'cappol-commit-'));
  try {
    return await work({ path, cwd: checkOut({ name, commit, path }, temporary, io) });
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

interface Named {
  readonly name: string;
  readonly commit: string;
  readonly path: string;
}

/**
 * Writes the files of the commit into a temporary folder, like a checkout. The repository and its index stay unchanged.
 *
 * @returns the folder that takes the place of the current folder
 */
function checkOut({ name, commit, path }: Named, temporary: string, io: Io): string {
  const git = (args: readonly string[], input = '') => {
    const { status, stdout, stderr } = runGit(args, input, join(temporary, 'index'), io);
    if (status !== 0)
      throw new UsageError(`${name}: ${printable(stderr.replace(/^fatal: /, '').split('\n')[0] ?? '')}`);
    return stdout;
  };
  const prefix = git(['rev-parse', '--show-prefix']).trimEnd();
  git(['read-tree', treeOf(name, commit, io)]);
  const files = git(['ls-files', '-z', '--', `:(literal)${path}`]);
  if (files === '') throw new UsageError(`${name}: there is no ${path} in this commit`);
  // A search in the temporary folder leaves out the same files as a search in a working tree. Because of the folder
  // `.git`, the search reads the .gitignore files.
  const ignoreFiles = git(['ls-files', '-z', '--', ':(top,glob)**/.gitignore']);
  const root = join(temporary, 'tree');
  mkdirSync(join(root, '.git'), { recursive: true });
  git(['checkout-index', '--force', '-z', '--stdin', `--prefix=${root}/`], files + ignoreFiles);
  return join(root, prefix);
}

function treeOf(name: string, commit: string, io: Io): string {
  // Git would read a name that begins with a dash as an option.
  if (!/^[^-]/.test(commit)) throw new UsageError(`${name}: write a commit and a path, such as git:HEAD:policies`);
  const { stdout } = runGit(['rev-parse', '--verify', '--quiet', `${commit}^{tree}`], '', undefined, io);
  if (stdout === '')
    throw new UsageError(`${name}: git knows no commit ${commit}; a shallow clone has only the last ones`);
  return stdout.trimEnd();
}

function runGit(args: readonly string[], input: string, index: string | undefined, { cwd, env }: Io) {
  const ran = spawnSync('git', args, {
    cwd,
    env: { ...env, ...(index !== undefined && { GIT_INDEX_FILE: index }) },
    input,
    encoding: 'utf8',
    maxBuffer: MOST_OUTPUT,
  });
  if (ran.error) throw new UsageError(`git cannot be run: ${reason(ran.error)}`);
  return ran;
}
