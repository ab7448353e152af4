/** Runs the operator as a child process. The class keeps the log of the process for the output of failing tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { waitFor } from '../../hack/controlplane/wait.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'operator', 'main.ts');
const KEPT_LINES = 5_000;

interface LogEntry {
  readonly level: string;
  readonly message: string;
  readonly [key: string]: unknown;
}

export class OperatorProcess {
  readonly #args: readonly string[];
  readonly #nodeFlags: readonly string[];
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  /** The log since the first start. Restarts do not clear the log. */
  readonly log: LogEntry[] = [];

  /**
   * @param args the operator's flags, without the flags about the log
   * @param environment the variables to add to the environment variables of the test
   */
  constructor(
    args: readonly string[],
    nodeFlags: readonly string[] = [],
    environment: Readonly<Record<string, string>> = {},
  ) {
    this.#args = args;
    this.#nodeFlags = nodeFlags;
    this.#environment = environment;
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  /** The ID of the process. The ID is undefined while the operator does not run. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  /**
   * Starts the operator. The promise resolves when the process runs. The promise `watching` resolves when the operator
   * has read the cluster and has begun to work.
   */
  async start(): Promise<void> {
    if (this.#child) return;
    const child = spawn(process.execPath, [...this.#nodeFlags, MAIN, ...this.#args, '--log-format', 'json'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...this.#environment },
    });
    this.#child = child;
    createInterface({ input: child.stderr }).on('line', (line) => this.#keep(line));
    // A test run that crashes must not leave the operator behind.
    const kill = () => void child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => {
      process.off('exit', kill);
      if (this.#child === child) this.#child = undefined;
    });
    await once(child, 'spawn');
  }

  /** Starts the operator, and waits until the operator has read the cluster. */
  async startAndWatch(): Promise<void> {
    const before = this.log.length;
    await this.start();
    await waitFor(
      'the operator to have read the cluster',
      () => {
        if (!this.#child) throw new Error(`the operator ended:\n${this.logEnd()}`);
        return this.log.slice(before).some(({ message }) => message === 'watching');
      },
      { intervalMs: 20 },
    );
  }

  /**
   * Ends the operator with SIGTERM, or at once with SIGKILL. Waits until the process has ended and its whole log has
   * been read.
   *
   * @returns the exit code. If the operator did not run or a signal killed the operator, the result is undefined.
   */
  async stop(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' = 'SIGTERM'): Promise<number | undefined> {
    const child = this.#child;
    if (!child) return undefined;
    const closed = once(child, 'close');
    child.kill(signal);
    const [code] = await closed;
    return code ?? undefined;
  }

  /** The last lines of the operator's log, for the output of a failed test. */
  logEnd(lines = 25): string {
    return this.log
      .slice(-lines)
      .map((entry) => JSON.stringify(entry))
      .join('\n');
  }

  #keep(line: string): void {
    try {
      this.log.push(JSON.parse(line));
    } catch {
      this.log.push({ level: 'raw', message: line });
    }
    if (this.log.length > KEPT_LINES) this.log.splice(0, this.log.length - KEPT_LINES);
  }
}
