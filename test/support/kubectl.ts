import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Runs kubectl as the administrator of the control plane, in the folder of the project.
 *
 * @param input the standard input. Without an input, nothing is written: kubectl may already have ended, and the write
 *   of an empty text would then fail
 * @throws an Error with kubectl's message, unless the command may fail
 */
export function kubectl(
  { kubectl: program, kubeconfig }: Pick<ControlPlane, 'kubectl' | 'kubeconfig'>,
  args: readonly string[],
  input?: string,
  failure?: 'may fail',
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  return new Promise((resolve, reject) => {
    const child = execFile(program, [...args], { cwd: ROOT, env }, (error, stdout, stderr) => {
      if (error !== null && failure === undefined) reject(error);
      else resolve({ stdout, stderr });
    });
    child.stdin?.end(input);
  });
}
