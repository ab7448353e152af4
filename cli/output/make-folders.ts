import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { UsageError } from '../command.ts';

/**
 * Creates a folder and the folders above it. Node's own recursive mkdir never ends where the system answers ENOENT
 * below an existing folder, as in /proc (libuv and Node take it for a missing parent).
 *
 * @param path an absolute path
 * @throws UsageError that names the folder that cannot be created
 */
export function makeFolders(path: string): void {
  if (existsSync(path)) {
    if (!statSync(path).isDirectory()) throw new UsageError(`${path}: not a folder`);
    return;
  }
  const parent = dirname(path);
  // A drive that does not exist has no parent.
  if (parent !== path) makeFolders(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have created the folder in the meantime.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw new UsageError((error as Error).message);
  }
}
