import type { Comparison, Undecided } from '../../../analysis/compare/compare.ts';
import type { Findings } from '../../../analysis/compare/findings.ts';
import type { ExitCode } from '../../command.ts';
import type { FailOn } from './choices.ts';

/** The parts of a comparison that determine the exit code. */
type Decided = Pick<Comparison, 'opens' | 'closes' | 'undecided'>;

/**
 * The exit code of a comparison. The exit code is 1 if a difference has the direction that `--fail-on` names. If no
 * such difference exists, but a question about this direction was not decided, the exit code is 2.
 */
export function exitCode({ opens, closes, undecided }: Decided, failOn: FailOn): ExitCode {
  const differences = { opens: opens.length, closes: closes.length, differs: opens.length + closes.length };
  if (differences[failOn] > 0) return 1;
  return undecided.some(({ direction }) => isNamed(direction, failOn)) ? 2 : 0;
}

/**
 * Whether `--fail-on` names the direction. An undecided question that has no direction concerns both directions,
 * opening and closing.
 */
export function isNamed(direction: Undecided['direction'], failOn: FailOn): boolean {
  return direction === undefined || failOn === 'differs' || direction === failOn;
}

/**
 * The exit code with `--fail-on findings`. If there are findings, the exit code is 1. If there are no findings, but a
 * question was not decided, the exit code is 2.
 */
export function failingCode({ findings, undecided }: Findings): 0 | 1 | 2 {
  if (findings.length > 0) return 1;
  return undecided.length > 0 ? 2 : 0;
}
