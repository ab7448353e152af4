/** Finds the files to which the paths on a command line refer. */
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { reason, type Trouble } from '../../analysis/manifests/trouble.ts';
import type { Io } from '../command.ts';

const STDIN = '-';

const MANIFESTS = /\.(?:ya?ml|json)$/i;

/** An input to read, and its name in messages. */
export interface InputFile {
  readonly name: string;
  /**
   * The absolute path of the file. A number is the descriptor of an open file. For standard input, `path` is undefined.
   */
  readonly path: string | number | undefined;
  /** Whether the input is a regular file, which can be read twice and without waiting. */
  readonly regular: boolean;
  /**
   * Whether the file was found in a folder. In files from a folder, documents that are not Kubernetes objects are
   * skipped.
   */
  readonly found?: true;
}

/**
 * Finds the files to which paths refer. A folder is searched in the order of names. Hidden folders are included, as in
 * kubectl apply -R. In a folder, only files with the given extensions are found.
 *
 * @param leftOut decides which paths in folders are left out. If `leftOut` is undefined, nothing is left out
 * @param tell receives the paths that cannot be read. All other paths are still read
 */
export function* manifestFiles(
  paths: readonly string[],
  { cwd, leftOut }: Pick<Io, 'cwd' | 'leftOut'>,
  tell: (trouble: Trouble) => void,
  extensions = MANIFESTS,
): Generator<InputFile> {
  for (const path of paths) {
    if (path === STDIN) yield { name: path, path: undefined, regular: false };
    else yield* named(path, { cwd, tell, extensions, leftOut });
  }
}

type Walking = Pick<Folder, 'tell' | 'extensions' | 'leftOut'>;

function* named(name: string, { cwd, ...walking }: Walking & { readonly cwd: string }): Generator<InputFile> {
  const { tell } = walking;
  try {
    const path = resolve(cwd, name);
    const found = statSync(path);
    if (found.isDirectory()) yield* walk({ name, path, around: [], ...walking });
    else yield { name, path, regular: found.isFile() };
  } catch (error) {
    tell({ file: name, message: reason(error) });
  }
}

interface Folder {
  readonly name: string;
  readonly path: string;
  readonly tell: (trouble: Trouble) => void;
  readonly extensions: RegExp;
  readonly leftOut: Io['leftOut'];
  /**
   * The real paths of all folders that contain the folder. The paths show whether a symbolic link leads back to one of
   * these folders.
   */
  readonly around: readonly string[];
}

function* walk({ name: folder, path: parent, around, ...walking }: Folder): Generator<InputFile> {
  const { tell, extensions, leftOut } = walking;
  const real = realpathSync(parent);
  if (around.includes(real)) {
    tell({ file: folder, message: `a link back to ${real}, which contains it: left out` });
    return;
  }
  for (const entry of readdirSync(parent, { withFileTypes: true }).sort(byName)) {
    const name = join(folder, entry.name);
    const path = join(parent, entry.name);
    try {
      // A link may lead to any place, including a parent folder.
      const found = entry.isSymbolicLink() ? statSync(path) : entry;
      const isFolder = found.isDirectory();
      if ((isFolder || extensions.test(entry.name)) && leftOut?.leavesOut({ path, name, isFolder })) continue;
      if (isFolder) {
        yield* walk({ name, path, around: [...around, real], ...walking });
      } else if (found.isFile() && extensions.test(entry.name)) {
        yield { name, path, regular: true, found: true };
      }
    } catch (error) {
      const isBroken = entry.isSymbolicLink() && (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!isBroken || isManifest(entry.name, extensions)) tell({ file: name, message: reason(error) });
    }
  }
}

/**
 * Whether a file with this name is a manifest. Names that begin with a dot are skipped. Editors lock a file with a link
 * such as `.#web.yaml`, which leads to no file.
 */
function isManifest(name: string, extensions: RegExp): boolean {
  return extensions.test(name) && !name.startsWith('.');
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
