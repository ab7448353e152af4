/**
 * Runs the operator as a child process. The method `end` sends one signal to the operator. While this process runs,
 * nothing else sends a signal to the operator. Ctrl-C in a terminal does not reach the operator.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { OPERATOR_NAMESPACE } from '../../operator/model/namespaces.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'operator', 'main.ts');

export interface RunningOperator {
  /**
   * Resolves when the operator has ended. The value is the exit code of the operator, or null if a signal ended the
   * operator.
   */
  readonly ended: Promise<number | null>;
  /** Ends the operator, and waits for its end. */
  end(): Promise<void>;
}

/** Starts the operator. @param quiet whether the operator logs only errors */
export function startOperator(kubeconfig: string, quiet: boolean): RunningOperator {
  const where = ['--kubeconfig', kubeconfig, '--operator-namespace', OPERATOR_NAMESPACE];
  // The operator uses the Lease. A second `npm run try` therefore waits for the end of the first `npm run try`.
  const flags = ['--leader-elect', '--log-format', 'console', '--log-level', quiet ? 'error' : 'info'];
  const child: ChildProcess = spawn(process.execPath, [MAIN, ...where, ...flags], {
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'exit').then(([code]) => {
    process.off('exit', kill);
    return code as number | null;
  });
  let ending = false;
  return {
    ended,
    async end() {
      if (!ending) child.kill('SIGTERM');
      ending = true;
      await ended;
    },
  };
}
