/** The work of compare with one set: reads the policies, finds what is wrong with them, prints. */
import { findingsOf } from '../../../analysis/compare/findings.ts';
import { type ExitCode, type Io, UsageError } from '../../command.ts';
import { Troubles } from '../../input/troubles.ts';
import { FINDINGS } from './choices.ts';
import { FINDINGS_PRINTERS } from './findings-printers.ts';
import { readSet, type SetOptions, shownName } from './sets.ts';

interface FindingsOptions extends SetOptions {
  readonly all?: boolean;
  readonly limit: number;
  readonly output: string;
  /** The value of --fail-on; undefined if the command line does not have it. */
  readonly failOn: string | undefined;
}

export async function runFindings(name: string, options: FindingsOptions, io: Io): Promise<ExitCode> {
  const print = printerFor(options);
  const troubles = new Troubles(io);
  const { set, expired, sources } = await readSet(name, options, io, troubles.trouble);
  // With a policy missing, the answer would be wrong.
  if (troubles.count > 0) return 2;
  const at = options.at ?? Date.now();
  const found = findingsOf(set, { at, limit: options.limit, expired });
  const names = new Set([...set.policies, ...expired].map((policy) => policy.name));
  io.stdout.write(print({ name: shownName(name), policies: names.size, sources, found }, io));
  if (options.failOn === undefined) return 0;
  if (found.findings.length > 0) return 1;
  return found.undecided.length > 0 ? 2 : 0;
}

/** @throws UsageError if an option is only about two sets */
function printerFor({ all, output, failOn }: FindingsOptions) {
  if (failOn !== undefined && failOn !== FINDINGS) {
    throw new UsageError(`--fail-on ${failOn} compares two sets: name NEW, too, or write --fail-on ${FINDINGS}`);
  }
  if (all) throw new UsageError('--all compares two sets: name NEW, too, or leave out --all');
  const print = Object.entries(FINDINGS_PRINTERS).find(([format]) => format === output)?.[1];
  if (print) return print;
  const formats = Object.keys(FINDINGS_PRINTERS).join(', ');
  throw new UsageError(`-o ${output} compares two sets: name NEW, too, or print findings as ${formats}`);
}
