/** Runs the operator as a separate process. The process runs with the V8 flags of the operator's Deployment. */
import { join } from 'node:path';
import { MeasuredProcess } from './measured-process.ts';

/**
 * The V8 flags that limit the memory. The Deployment starts Node with the same flags. Without `--heap-growing-percent`,
 * V8 does not collect garbage until the heap has doubled. Without this flag, each change of a policy would therefore
 * add garbage to the heap. With incremental marking, the heap would grow while garbage is marked.
 */
export const NODE_FLAGS = ['--max-semi-space-size=4', '--heap-growing-percent=30', '--no-incremental-marking'];

const MAIN = join(import.meta.dirname, '..', '..', 'operator', 'main.ts');
const NAMESPACE = 'capabilitypolicy-system';

interface OperatorOptions {
  /** Additional arguments of the operator. The function always adds the arguments that name the cluster. */
  readonly args?: readonly string[];
  readonly nodeFlags?: readonly string[];
}

export function startOperator(kubeconfig: string, options: OperatorOptions = {}): MeasuredProcess {
  const { args = [], nodeFlags = NODE_FLAGS } = options;
  const own = ['--kubeconfig', kubeconfig, '--operator-namespace', NAMESPACE, '--log-level', 'warn'];
  return new MeasuredProcess(MAIN, [...own, ...args], nodeFlags);
}
