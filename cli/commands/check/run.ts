/** One run of check: counts the items, passes them to the reporter, and determines the exit code. */
import type { ExitCode, Io } from '../../command.ts';
import { type Trouble, troubleText } from '../../input/trouble.ts';
import { printableTexts } from '../../output/printable.ts';
import { Progress } from '../../output/progress.ts';
import { terminalOf } from '../../output/terminal.ts';
import type { PolicyContext } from '../../policies/context.ts';
import { checkedPolicies } from './checked.ts';
import { type FailOn, fails } from './fail-on.ts';
import type { Listener } from './files.ts';
import { createReporter, type Output } from './reporters/create-reporter.ts';
import type { Reporter } from './reporters/reporter.ts';
import type { CheckedItem, CheckedPolicy, NotJudged } from './result.ts';
import { Tally } from './tally.ts';

const PIECE = 64 * 1024;

/** Problems of the input go to standard error, one line each, as they are found. */
export class Troubles {
  readonly #stderr: Io['stderr'];
  #count = 0;

  constructor({ stderr }: Pick<Io, 'stderr'>) {
    this.#stderr = stderr;
  }

  get count(): number {
    return this.#count;
  }

  readonly trouble = (trouble: Trouble): void => {
    if (trouble.severity !== 'warning') this.#count += 1;
    this.#stderr.write(`cappol: ${troubleText(trouble)}\n`);
  };
}

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
  readonly reporter: Reporter;
  readonly written: Written;
  readonly progress: Progress;
  readonly failOn: FailOn;
}

export class Run implements Listener {
  readonly #tally = new Tally();
  readonly #troubles: Troubles;
  readonly #progress: Progress;
  readonly #reporter: Reporter;
  readonly #written: Written;
  readonly #failOn: FailOn;
  #modes: ReadonlyMap<string, CheckedPolicy['mode']> = new Map();
  #failed = false;

  private constructor({ reporter, written, progress, failOn }: RunParts, io: Io) {
    this.#reporter = reporter;
    this.#written = written;
    this.#progress = progress;
    this.#failOn = failOn;
    this.#troubles = new Troubles(io);
  }

  static async create({ output, failOn }: RunOptions, io: Io): Promise<Run> {
    const progress = new Progress(io);
    const written = new Written(io, progress);
    const reporter = await createReporter(output, { cwd: io.cwd, stdout: written, terminal: terminalOf(io) });
    return new Run({ reporter, written, progress, failOn }, io);
  }

  get errors(): number {
    return this.#troubles.count;
  }

  begin(context: PolicyContext): void {
    const policies = checkedPolicies(context);
    this.#modes = new Map(policies.map(({ name, mode }) => [name, mode]));
    this.#reporter.begin(printableTexts(policies));
  }

  item(item: CheckedItem): void {
    this.#tally.item(item);
    this.#failed ||= fails(item, this.#modes, this.#failOn);
    this.#progress.at(() => `${this.#tally.items} judged`);
    this.#reporter.item(printableTexts(item));
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
    if (trouble.severity === 'warning') this.#tally.warning();
    this.#progress.clear();
    this.#troubles.trouble(trouble);
    this.#reporter.trouble(printableTexts(trouble));
  };

  async end(): Promise<ExitCode> {
    this.#progress.clear();
    const summary = this.#tally.summary(this.errors);
    await this.#reporter.end(summary);
    this.#written.flush();
    if (summary.errors > 0) return 2;
    const unjudged = this.#failOn.has('Unjudged') && summary.notJudged.length > 0;
    return this.#failed || unjudged ? 1 : 0;
  }
}
