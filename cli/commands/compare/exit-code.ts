import type { Comparison, Undecided } from '../../../analysis/compare/compare.ts';
import type { Findings } from '../../../analysis/compare/findings.ts';
import type { ExitCode } from '../../command.ts';
import type { FailOn } from './choices.ts';

/**
 * The exit code of a comparison. The code is 1 if a difference has the direction that `--fail-on` names. Otherwise, the
 * code is 2 if a question about this direction was not decided.
 */
export function exitCode({ opens, closes, undecided }: Comparison, failOn: FailOn): ExitCode {
  const differences = { opens: opens.length, closes: closes.length, differs: opens.length + closes.length };
  if (differences[failOn] > 0) return 1;
  return undecided.some(({ direction }) => isNamed(direction, failOn)) ? 2 : 0;
}

/** Whether `--fail-on` names the direction. A question without a direction concerns both directions. */
export function isNamed(direction: Undecided['direction'], failOn: FailOn): boolean {
  return direction === undefined || failOn === 'differs' || direction === failOn;
}

/**
 * The exit code with `--fail-on findings`: 1 if there are findings. Otherwise, the code is 2 if a question was not
 * decided.
 */
export function failingCode({ findings, undecided }: Findings): 0 | 1 | 2 {
  if (findings.length > 0) return 1;
  return undecided.length > 0 ? 2 : 0;
}
