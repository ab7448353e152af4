/** Runs `compare` with one set: reads the policies, finds mistakes in them, and prints the findings. */
import { findingsOf } from '../../../analysis/compare/findings.ts';
import { type ExitCode, type Io, UsageError } from '../../command.ts';
import { FINDINGS, type Output } from './choices.ts';
import { failingCode } from './exit-code.ts';
import { FINDINGS_PRINTERS } from './findings-printers.ts';
import { lateIn } from './late-in.ts';
import { readOrReport } from './read-or-report.ts';
import { readSet, type SetOptions, shownName } from './sets.ts';

interface FindingsOptions extends SetOptions {
  readonly all?: boolean;
  readonly limit: number;
  /** The maximum time of the search, in ms. */
  readonly timeout?: number;
  readonly output: Output;
  /** The value of `--fail-on`. If the command line does not contain the option, the value is undefined. */
  readonly failOn: string | undefined;
}

export async function runFindings(argument: string, options: FindingsOptions, io: Io): Promise<ExitCode> {
  checkOptions(options);
  const { output, limit, timeout } = options;
  const reading = await readOrReport((tell) => readSet(argument, options, io, tell), output, io);
  if (!reading) return 2;
  const { set, expired, ended, sources } = reading.read;
  const at = options.at ?? Date.now();
  const found = findingsOf(set, { at, limit, expired, ended, isLate: lateIn(timeout) });
  const policies = new Set([...set.policies, ...expired].map((policy) => policy.name)).size;
  const isStrict = options.failOn !== undefined;
  const printed = { name: shownName(argument), argument, policies, sources, found, isStrict };
  io.stdout.write(FINDINGS_PRINTERS[output](printed, reading.told, io));
  return isStrict ? failingCode(found) : 0;
}

/** @throws UsageError if an option is valid only for two sets */
function checkOptions({ all, failOn }: FindingsOptions): void {
  if (failOn !== undefined && failOn !== FINDINGS) {
    throw new UsageError(`--fail-on ${failOn} compares two sets: name NEW, too, or write --fail-on ${FINDINGS}`);
  }
  if (all) throw new UsageError('--all compares two sets: name NEW, too, or leave out --all');
}
