/** Runs an operator of an older release. The older release does not know some fields of pods. */
import { join } from 'node:path';
import { OPERATOR_NAMESPACE } from './harness.ts';
import { OperatorProcess } from './operator-process.ts';

const EARLIER_RELEASE = join(import.meta.dirname, 'earlier-release.js');

/**
 * @param lacking the names of the unknown fields. If several types have a field with one of these names, the field is
 * unknown in each of these types.
 */
export function earlierOperator(kubeconfig: string, lacking: readonly string[]): OperatorProcess {
  const args = ['--kubeconfig', kubeconfig, '--operator-namespace', OPERATOR_NAMESPACE];
  return new OperatorProcess(args, ['--import', EARLIER_RELEASE], { UNKNOWN_POD_FIELDS: lacking.join(',') });
}
