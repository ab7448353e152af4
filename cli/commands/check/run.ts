/** Runs one check: counts the items, passes them to the reporter, and determines the exit code. */
import { checkedPolicies } from '../../../analysis/check/checked.ts';
import { Tally } from '../../../analysis/check/tally.ts';
import { printableTexts } from '../../../analysis/text/printable-values.ts';
import type { ExitCode, Io } from '../../command.ts';
import { Troubles } from '../../input/troubles.ts';
import { Progress } from '../../output/progress.ts';
import { terminalOf } from '../../output/terminal.ts';
import { type FailOn, fails } from './fail-on.ts';
import type { Listener } from './files.ts';
import { createReporter, type Output } from './reporters/create-reporter.ts';
import { shownOf } from './reporters/shown.ts';

const CHUNK = 64 * 1024;

interface RunOptions {
  readonly output: Output;
  readonly failOn: FailOn;
  /** The evaluated namespaces of a cluster, such as `namespace net`. The value is undefined for files. */
  readonly scope?: string | undefined;
  /** Whether the API server was asked about the workloads by dry run. */
  readonly asked?: boolean;
}

export interface Run extends Listener {
  readonly errors: number;
  /** Prints the summary after all items, and returns the exit code. */
  end(): ExitCode;
}

export async function createRun({ output, failOn, scope, asked = false }: RunOptions, io: Io): Promise<Run> {
  const progress = new Progress(io);
  const troubles = new Troubles(io);
  const stdout = inChunks(io, progress);
  const reporter = await createReporter(output, { cwd: io.cwd, stdout, terminal: terminalOf(io) });
  const tally = new Tally();
  let policies = 0;
  let merged = 0;
  let hidden = 0;
  let failed = false;
  return {
    get errors() {
      return troubles.count;
    },
    begin(context) {
      const all = printableTexts(checkedPolicies(context));
      policies = all.length;
      reporter.begin?.(all);
    },
    item(item) {
      tally.item(item);
      failed ||= fails(item, failOn);
      progress.at(() => `${tally.items} evaluated`);
      const shown = shownOf(printableTexts(item), reporter.wide);
      merged += shown.violations.length;
      hidden += shown.hidden;
      reporter.item(shown);
    },
    skipped: () => tally.skip(),
    notEvaluated: (object) => tally.notEvaluated(printableTexts(object)),
    notKubernetes: (what) => tally.notKubernetes(what),
    trouble(trouble) {
      if (trouble.severity === 'warning') tally.warning();
      progress.clear();
      troubles.trouble(trouble);
      reporter.trouble?.(printableTexts(trouble));
    },
    end() {
      progress.clear();
      const summary = tally.summary(troubles.count);
      reporter.end(summary, { policies, merged, hidden, scope, asked });
      stdout.flush();
      if (summary.errors > 0) return 2;
      const notEvaluated = failOn.has('NotEvaluated') && summary.notEvaluated.length > 0;
      return failed || notEvaluated ? 1 : 0;
    },
  };
}

/**
 * Writes standard output in larger chunks. One system call for each item would take longer than the evaluation of the
 * item.
 */
function inChunks({ stdout }: Pick<Io, 'stdout'>, progress: Progress) {
  let waiting = '';
  const flush = () => {
    if (waiting === '') return;
    progress.clear();
    stdout.write(waiting);
    waiting = '';
  };
  const write = (text: string) => {
    waiting += text;
    if (waiting.length >= CHUNK) flush();
  };
  return { write, flush };
}
