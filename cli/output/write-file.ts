/**
 * Writes a file completely, or leaves it unchanged. If the path is a link, the function writes the file to which the
 * link points.
 */
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UsageError } from '../command.ts';

/** @throws Error if the file has changed since `before` was read, or if the file must not be written */
export function replaceText(path: string, before: string, after: string): void {
  const real = realpathSync(path);
  // The function first checks that the user may write the file. To rename a new file over the old file, the user would
  // need only permissions on the folder.
  accessSync(real, constants.W_OK);
  if (readFileSync(real, 'utf8') !== before) throw new Error('another program has changed the file in the meantime');
  replaceFile(real, after);
}

/**
 * Writes a new file, or replaces an existing file.
 *
 * @throws UsageError that names the file, if the file must not be written
 */
export function writeWhole(path: string, contents: Contents): void {
  try {
    writeOrReplace(path, contents);
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message}`);
  }
}

type Contents = string | Uint8Array;

function writeOrReplace(path: string, contents: Contents): void {
  if (!existsSync(path)) {
    throughTemporary(path, contents, 0o666);
    return;
  }
  const real = realpathSync(path);
  accessSync(real, constants.W_OK);
  // A pipe or a device has no old contents, so a direct write destroys nothing.
  if (!statSync(real).isFile()) writeFileSync(real, contents);
  else replaceFile(real, contents);
}

/** Replaces a file. The new file has the mode and the owner of the old file. */
function replaceFile(real: string, contents: Contents): void {
  const { mode, uid, gid } = statSync(real);
  throughTemporary(real, contents, 0o600, (temporary) => {
    keepOwner(temporary, uid, gid);
    chmodSync(temporary, mode & 0o7777);
  });
}

/** @param prepare called with the path of the complete temporary file, before the file is renamed */
function throughTemporary(
  path: string,
  contents: Contents,
  mode: number,
  prepare: (temporary: string) => void = () => {},
): void {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    const file = openSync(temporary, 'wx', mode);
    try {
      writeFileSync(file, contents);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    prepare(temporary);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Gives the new file the owner of the old file. Only root may change the owner of a file, so a failure is ignored. */
function keepOwner(path: string, uid: number, gid: number): void {
  const own = statSync(path);
  if (own.uid === uid && own.gid === gid) return;
  try {
    chownSync(path, uid, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
}
