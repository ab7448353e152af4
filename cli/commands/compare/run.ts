/** The work of compare: reads two sets of policies, compares them, prints. */
import { type Comparison, compare } from '../../../analysis/compare/compare.ts';
import { holdsUntilText, notEnforcedText } from '../../../analysis/compare/sentences.ts';
import type { ExitCode, Io } from '../../command.ts';
import { Troubles } from '../../input/troubles.ts';
import type { FAIL_ON, OUTPUTS } from './choices.ts';
import { PRINTERS } from './printers.ts';
import { readSets, type SetOptions } from './sets.ts';

export interface CompareOptions extends SetOptions {
  readonly all?: boolean;
  readonly limit: number;
  readonly output: (typeof OUTPUTS)[number];
  readonly failOn: (typeof FAIL_ON)[number];
}

export async function runCompare(old: string, now: string, options: CompareOptions, io: Io): Promise<ExitCode> {
  const troubles = new Troubles(io);
  const sets = await readSets([old, now], options, io, troubles.trouble);
  // With a policy missing, the answer would be wrong.
  if (troubles.count > 0) return 2;
  const { limit, all = false } = options;
  const comparison = compare(sets[0], sets[1], { limit, all });
  io.stdout.write(PRINTERS[options.output]({ old: shown(old), new: shown(now), comparison }, io));
  const policies = sets.flatMap((set) => set.policies);
  const ignored = notEnforcedText(policies);
  if (ignored !== undefined) io.stderr.write(`cappol: ${ignored}\n`);
  const until = holdsUntilText(policies, options.at ?? Date.now());
  if (until !== undefined) io.stderr.write(`cappol: ${until}; --at compares at a later time\n`);
  for (const [i, set] of sets.entries()) {
    if (set.policies.length === 0)
      io.stderr.write(`cappol: ${shown([old, now][i] ?? '')} has no policy that is in force\n`);
  }
  return exitCode(comparison, options.failOn);
}

/** How the output names a set. */
function shown(name: string): string {
  return name === '-' ? 'standard input' : name;
}

function exitCode({ opens, closes, undecided }: Comparison, failOn: CompareOptions['failOn']): ExitCode {
  const differences = { opens: opens.length, closes: closes.length, differs: opens.length + closes.length };
  if (differences[failOn] > 0) return 1;
  const matters = undecided.some(({ direction }) => !direction || failOn === 'differs' || direction === failOn);
  return matters ? 2 : 0;
}
