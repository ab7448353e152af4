/** Runs `compare` with two sets: reads both sets of policies, compares them, and prints the differences. */
import { compare } from '../../../analysis/compare/compare.ts';
import { holdsUntilText, notEnforcedText } from '../../../analysis/compare/sentences.ts';
import { type History, historyOf, leftOutOfHistory, noHistoryBecause } from '../../../analysis/history/history.ts';
import { printable } from '../../../operator/text/printable.ts';
import type { ExitCode, Io } from '../../command.ts';
import type { FailOn, Output } from './choices.ts';
import { exitCode } from './exit-code.ts';
import { lateIn } from './late-in.ts';
import { PRINTERS } from './printers.ts';
import { readOrReport } from './read-or-report.ts';
import { type ReadSet, readSets, type SetOptions, shownName } from './sets.ts';

export interface CompareOptions extends SetOptions {
  readonly all?: boolean;
  readonly limit: number;
  /** The maximum time of the comparison, in ms. */
  readonly timeout?: number;
  readonly output: Output;
  readonly failOn: FailOn;
}

export async function runCompare(old: string, now: string, options: CompareOptions, io: Io): Promise<ExitCode> {
  const { limit, timeout, all = false, failOn, output } = options;
  const reading = await readOrReport((tell) => readSets([old, now], options, io, tell), output, io);
  if (!reading) return 2;
  const { read: sets, told } = reading;
  const comparison = compare(sets[0], sets[1], { limit, all, isLate: lateIn(timeout) });
  const history = historyBetween(sets, io);
  const shownNames = { old: shownName(old), new: shownName(now) };
  const printed = { ...shownNames, comparison, all, ...(history && { history }) };
  const answer = { ...printed, names: [old, now] as const, failOn, placeOf: sets[1].placeOf };
  io.stdout.write(PRINTERS[output](answer, told, io));
  const policies = sets.flatMap((set) => set.policies);
  const ignored = notEnforcedText(policies);
  if (ignored !== undefined) io.stderr.write(`cappol: ${ignored}\n`);
  const until = holdsUntilText(policies, options.at ?? Date.now());
  if (until !== undefined) io.stderr.write(`cappol: ${until}; --at compares at a later time\n`);
  for (const [i, set] of sets.entries()) {
    if (set.policies.length === 0)
      io.stderr.write(`cappol: ${shownName([old, now][i] ?? '')} has no policy that is in force\n`);
  }
  return exitCode(comparison, failOn);
}

/**
 * The changes in the cluster between two snapshots. If a set is not a snapshot, or if the two snapshots cannot be
 * compared, the result is undefined.
 */
function historyBetween([old, now]: readonly [ReadSet, ReadSet], { stderr }: Io): History | undefined {
  if (!old.snapshot || !now.snapshot) return undefined;
  const problem = noHistoryBecause(old.snapshot, now.snapshot);
  if (problem !== undefined) {
    stderr.write(`cappol: only the policies are compared: ${printable(problem)}\n`);
    return undefined;
  }
  const leftOut = leftOutOfHistory(old.snapshot, now.snapshot);
  if (leftOut !== undefined) stderr.write(`cappol: ${printable(leftOut)}\n`);
  return historyOf(old.snapshot, now.snapshot);
}
