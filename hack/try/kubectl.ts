/** Runs kubectl like the user, with the current context. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '..', '..');

/** Runs kubectl. @throws Error with the message of kubectl, or with a message that says where to get kubectl */
export async function kubectl(...args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('kubectl', args, { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    const { code, stderr = '' } = error as NodeJS.ErrnoException & { readonly stderr?: string };
    if (code === 'ENOENT') throw new Error('no kubectl on the PATH: see https://kubernetes.io/docs/tasks/tools/');
    throw new Error(stderr.trim() || `kubectl ${args.join(' ')}: ${(error as Error).message}`);
  }
}
