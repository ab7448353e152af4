/**
 * Starts the servers of a control plane as child processes. The servers end when the process that started them has
 * ended.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const GRACE_MS = 10_000;
const LOG_LINES = 20;

/**
 * The watchdog is a process that runs until this process has ended. After the end of this process, the watchdog ends
 * the servers, and removes the registered folders (see watchdog.ts).
 */
export class Watchdog {
  readonly #process: ChildProcess;

  constructor() {
    // The watchdog has its own session. In a terminal, Ctrl-C signals a whole process group. The signal must not reach
    // the watchdog.
    this.#process = spawn(process.execPath, [fileURLToPath(new URL('watchdog.ts', import.meta.url))], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    // If the watchdog itself is killed, stop() still ends the servers.
    this.#process.stdin?.on('error', () => {});
    this.#process.unref();
    (this.#process.stdin as unknown as { unref(): void }).unref();
  }

  get pid(): number {
    return this.#process.pid as number;
  }

  serverStarted(pid: number): void {
    this.#process.stdin?.write(`+${pid}\n`);
  }

  serverEnded(pid: number): void {
    this.#process.stdin?.write(`-${pid}\n`);
  }

  removeAtTheEnd(folder: string): void {
    this.#process.stdin?.write(`${folder}\n`);
  }

  /** Tells the watchdog to end, and waits for its end. */
  async release(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.ref();
      const ended = once(this.#process, 'exit');
      this.#process.stdin?.end();
      await ended;
    }
  }
}

export interface ServerCommand {
  /** The name of the server in messages, such as `etcd` or `kube-apiserver`. */
  readonly name: string;
  readonly path: string;
  readonly flags: readonly string[];
  readonly logFile: string;
  /** The environment of the server. The default is the environment of this process. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** A running server. The output of the server goes to a log file. */
export class ServerProcess {
  readonly command: ServerCommand;
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  #stopping = false;
  #running = true;

  constructor(command: ServerCommand, watchdog: Watchdog) {
    this.command = command;
    const log = openSync(command.logFile, 'a');
    this.#process = spawn(command.path, command.flags, {
      stdio: ['ignore', log, log],
      detached: true,
      env: command.environment ?? process.env,
    });
    closeSync(log);
    const pid = this.#process.pid;
    if (pid !== undefined) {
      watchdog.serverStarted(pid);
    }
    this.#ended = new Promise((resolve) => {
      const ended = () => {
        this.#running = false;
        if (pid !== undefined) {
          watchdog.serverEnded(pid);
        }
        resolve();
      };
      this.#process.once('exit', ended);
      this.#process.once('error', ended);
    });
    // A running server must not keep this process alive. This process can therefore end without a call of stop(). The
    // watchdog then ends the servers.
    this.#process.unref();
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get running(): boolean {
    return this.#running;
  }

  /**
   * Checks that the server runs.
   *
   * @throws an error with the last lines of the server's log, if the server does not run
   */
  assertRunning(): void {
    if (!this.#running) {
      throw new Error(`${this.command.name} ended early (${this.#ending()}); the end of its log:\n${this.logEnd()}`);
    }
  }

  /** Calls `listener` if the server ends without stop(). */
  onCrash(listener: (message: string) => void): void {
    void this.#ended.then(() => {
      if (!this.#stopping) {
        listener(`${this.command.name} ended by itself (${this.#ending()}):\n${this.logEnd()}`);
      }
    });
  }

  logEnd(): string {
    const lines = readFileSync(this.command.logFile, 'utf8').trimEnd().split('\n');
    return lines.slice(-LOG_LINES).join('\n');
  }

  /** Sends a signal to the server. If the server has not ended within 10 s, it gets SIGKILL. */
  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#stopping = true;
    if (!this.#running) {
      return;
    }
    this.#process.ref();
    this.#process.kill(signal);
    const impatience = setTimeout(() => this.#process.kill('SIGKILL'), GRACE_MS);
    await this.#ended;
    clearTimeout(impatience);
  }

  #ending(): string {
    const { exitCode, signalCode } = this.#process;
    return signalCode ?? (exitCode === null ? 'it could not be started' : `exit code ${exitCode}`);
  }
}
