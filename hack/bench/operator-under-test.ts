/** Runs the operator as a separate process. The V8 flags are those of the Deployment, as in a cluster. */
import { join } from 'node:path';
import { MeasuredProcess } from './measured-process.ts';

/**
 * The V8 flags that limit the memory. The Deployment starts Node with the same flags. Without `--heap-growing-percent`,
 * garbage stays until the heap has doubled. Each change of a policy would then add garbage. With incremental marking,
 * the heap would grow while garbage is marked.
 */
export const NODE_FLAGS = ['--max-semi-space-size=4', '--heap-growing-percent=30', '--no-incremental-marking'];

const MAIN = join(import.meta.dirname, '..', '..', 'operator', 'main.ts');
const NAMESPACE = 'capabilitypolicy-system';

interface OperatorOptions {
  /** Additional arguments of the operator. The arguments that name the cluster are always added. */
  readonly args?: readonly string[];
  readonly nodeFlags?: readonly string[];
}

export function startOperator(kubeconfig: string, options: OperatorOptions = {}): MeasuredProcess {
  const { args = [], nodeFlags = NODE_FLAGS } = options;
  const own = ['--kubeconfig', kubeconfig, '--operator-namespace', NAMESPACE, '--log-level', 'warn'];
  return new MeasuredProcess(MAIN, [...own, ...args], nodeFlags);
}
