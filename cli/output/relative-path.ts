import { relative, resolve, sep } from 'node:path';

/** The path relative to `cwd`, with slashes on every operating system. */
export function relativePath(cwd: string, file: string): string {
  return relative(cwd, resolve(cwd, file)).split(sep).join('/');
}
