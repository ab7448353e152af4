/** One run of check: counts the items, passes them to the reporter, and determines the exit code. */
import type { ExitCode, Io } from '../../command.ts';
import { type Trouble, Troubles } from '../../input/trouble.ts';
import { type Modes, modesOf } from '../../output/merged.ts';
import { printableTexts } from '../../output/printable.ts';
import { Progress } from '../../output/progress.ts';
import { terminalOf } from '../../output/terminal.ts';
import type { PolicyContext } from '../../policies/context.ts';
import { checkedPolicies } from './checked.ts';
import { type FailOn, fails } from './fail-on.ts';
import type { Listener } from './files.ts';
import { createReporter, type Output } from './reporters/create-reporter.ts';
import type { Reporter } from './reporters/reporter.ts';
import { shownOf } from './reporters/shown.ts';
import type { CheckedItem, NotJudged } from './result.ts';
import { Tally } from './tally.ts';

const PIECE = 64 * 1024;

/** Standard output in larger chunks: a system call for each item would take longer than judging it. */
class Written {
  readonly #stdout: Io['stdout'];
  readonly #progress: Progress;
  #text = '';

  constructor({ stdout }: Pick<Io, 'stdout'>, progress: Progress) {
    this.#stdout = stdout;
    this.#progress = progress;
  }

  write(text: string): void {
    this.#text += text;
    if (this.#text.length >= PIECE) this.flush();
  }

  flush(): void {
    if (this.#text === '') return;
    this.#progress.clear();
    this.#stdout.write(this.#text);
    this.#text = '';
  }
}

interface RunOptions {
  readonly output: Output;
  readonly failOn: FailOn;
}

interface RunParts {
  readonly troubles: Troubles;
  readonly progress: Progress;
  readonly written: Written;
  readonly reporter: Reporter;
  readonly failOn: FailOn;
}

export class Run implements Listener {
  readonly #parts: RunParts;
  readonly #tally = new Tally();
  #modes: Modes = new Map();
  #merged = 0;
  #hidden = 0;
  #failed = false;

  private constructor(parts: RunParts) {
    this.#parts = parts;
  }

  static async create({ output, failOn }: RunOptions, io: Io): Promise<Run> {
    const progress = new Progress(io);
    const written = new Written(io, progress);
    const reporter = await createReporter(output, { cwd: io.cwd, stdout: written, terminal: terminalOf(io) });
    return new Run({ troubles: new Troubles(io), progress, written, reporter, failOn });
  }

  get errors(): number {
    return this.#parts.troubles.count;
  }

  begin(context: PolicyContext): void {
    const policies = printableTexts(checkedPolicies(context));
    this.#modes = modesOf(policies);
    this.#parts.reporter.begin?.(policies);
  }

  item(item: CheckedItem): void {
    const { reporter, progress, failOn } = this.#parts;
    this.#tally.item(item);
    this.#failed ||= fails(item, this.#modes, failOn);
    progress.at(() => `${this.#tally.items} judged`);
    const shown = shownOf(printableTexts(item), this.#modes, reporter.wide);
    this.#merged += shown.violations.length;
    this.#hidden += shown.hidden;
    reporter.item(shown);
  }

  skipped(): void {
    this.#tally.skip();
  }

  notJudged(object: Pick<NotJudged, 'kind' | 'makesPods'>): void {
    this.#tally.notJudged(printableTexts(object));
  }

  notKubernetes(what: string): void {
    this.#tally.notKubernetes(what);
  }

  readonly trouble = (trouble: Trouble): void => {
    const { reporter, progress, troubles } = this.#parts;
    if (trouble.severity === 'warning') this.#tally.warning();
    progress.clear();
    troubles.trouble(trouble);
    reporter.trouble?.(printableTexts(trouble));
  };

  end(): ExitCode {
    const { reporter, progress, written, failOn } = this.#parts;
    progress.clear();
    const summary = this.#tally.summary(this.errors);
    reporter.end(summary, { policies: this.#modes.size, merged: this.#merged, hidden: this.#hidden });
    written.flush();
    if (summary.errors > 0) return 2;
    const unjudged = failOn.has('Unjudged') && summary.notJudged.length > 0;
    return this.#failed || unjudged ? 1 : 0;
  }
}
