/** Pastes the blocks of a page into a shell one after the other, as a reader would. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../hack/controlplane/wait.ts';

const TIMEOUT_MS = 300_000;
/**
 * The timeout in ms of a block that ends with Ctrl-C. All blocks that are pasted before the Ctrl-C must end within the
 * timeout.
 */
const STAYING_MS = 1_200_000;
const GRACE = { timeoutMs: 10_000, intervalMs: 20 };

/**
 * The loop that runs in the shell and executes the pasted blocks. The loop reads from descriptor 3 which file to run
 * and whether the file may fail. The loop reports the result on descriptor 4. The loop survives a Ctrl-C that ends a
 * program, like the shell of a terminal.
 */
const READER = `
trap : INT
while read -r kind block <&3; do
  if [ "$kind" = may-fail ]; then set +e; else set -e; fi
  . "$block" > "$block.out" 2>&1 < /dev/null
  status=$?
  set +e
  echo "$status" >&4
done
`;

interface Ran {
  /** The exit code of the block's last command. */
  readonly status: number;
  /** The text on standard output and standard error, in the order of writing. */
  readonly output: string;
}

interface Started {
  /** Presses Ctrl-C, and waits until the block has ended. */
  interrupt(): Promise<Ran>;
}

export class ShellSession {
  readonly #folder = mkdtempSync(join(tmpdir(), 'pasted-'));
  readonly #shell: ChildProcess;
  readonly #answers: Interface;
  #count = 0;
  #ended: string | undefined;

  /**
   * @param environment the variables of the shell. The variables replace the variables of this process. If
   * `environment` does not set HOME and TMPDIR, these variables name a new folder. The folder is deleted at the end.
   */
  constructor(cwd: string, environment: NodeJS.ProcessEnv) {
    // The shell gets a separate process group. Background processes of the blocks therefore end with the shell.
    this.#shell = spawn('sh', ['-c', READER], {
      cwd,
      env: { HOME: this.#folder, TMPDIR: this.#folder, ...environment },
      stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'pipe'],
      detached: true,
    });
    this.#answers = createInterface({ input: this.#shell.stdio[4] as Readable });
  }

  /**
   * @param mayFail whether a command may fail. If no command may fail, the session ends at the first command that
   * fails, because later blocks depend on the command.
   * @throws an Error with the output if the session has ended or the block takes longer than `timeoutMs`
   */
  async paste(text: string, mayFail = false, timeoutMs = TIMEOUT_MS): Promise<Ran> {
    if (this.#ended !== undefined) throw new Error(`an earlier block failed: ${this.#ended}`);
    this.#count += 1;
    const file = join(this.#folder, `block-${this.#count}.sh`);
    writeFileSync(file, text);
    (this.#shell.stdio[3] as Writable).write(`${mayFail ? 'may-fail' : 'must-pass'} ${file}\n`);
    const answer = await this.#answer(timeoutMs);
    const output = readFileSync(`${file}.out`, 'utf8');
    if (typeof answer === 'number') return { status: answer, output };
    this.#ended = text.split('\n')[0] ?? '';
    throw new Error(`${answer}; it printed:\n${output}`);
  }

  /** Pastes a block that ends with Ctrl-C. */
  start(text: string): Started {
    const pasted = this.paste(text, false, STAYING_MS);
    // interrupt() reports the error. An error is not reported if the test fails before calling interrupt().
    pasted.catch(() => {});
    return {
      interrupt: () => {
        this.#signal('SIGINT');
        return pasted;
      },
    };
  }

  /** Ends the shell, and the processes that the blocks started. */
  async end(): Promise<void> {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (this.#signal(signal)) await waitFor('the session to end', () => !this.#signal(0), GRACE).catch(() => {});
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** @returns the block's status, or the error */
  async #answer(timeoutMs: number): Promise<number | string> {
    const settled = new AbortController();
    const { signal } = settled;
    const answers = [
      once(this.#answers, 'line', { signal }).then(([status]) => Number(status)),
      once(this.#shell, 'exit', { signal }).then(([status]) => `a command ended with ${status}`),
      sleep(timeoutMs, `it did not end within ${timeoutMs / 1000} s`, { signal }),
    ];
    try {
      return await Promise.race(answers);
    } finally {
      settled.abort();
      await Promise.allSettled(answers);
    }
  }

  /** @returns whether the session still has a process that can get the signal */
  #signal(signal: NodeJS.Signals | 0): boolean {
    const { pid } = this.#shell;
    try {
      return pid !== undefined && process.kill(-pid, signal);
    } catch {
      return false;
    }
  }
}
