/** Replaces the text of a file: whole or not at all, with its mode, and where a link points to. */
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  chownSync,
  closeSync,
  constants,
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

/** @throws Error if the file was changed since `before` was read, or must not be written */
export function replaceText(path: string, before: string, after: string): void {
  const real = realpathSync(path);
  // A rename asks only for the folder's permissions.
  accessSync(real, constants.W_OK);
  if (readFileSync(real, 'utf8') !== before) throw new Error('changed by somebody else meanwhile: left as it is');
  const { mode, uid, gid } = statSync(real);
  const temporary = join(dirname(real), `.${basename(real)}.${randomBytes(6).toString('hex')}`);
  try {
    const file = openSync(temporary, 'wx', 0o600);
    try {
      writeFileSync(file, after);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    keepOwner(temporary, uid, gid);
    chmodSync(temporary, mode & 0o7777);
    renameSync(temporary, real);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Only root may give files away. */
function keepOwner(path: string, uid: number, gid: number): void {
  const own = statSync(path);
  if (own.uid === uid && own.gid === gid) return;
  try {
    chownSync(path, uid, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
}
