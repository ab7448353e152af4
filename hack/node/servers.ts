/**
 * Starts the programs of the node. Each program has its own log. Some programs run beside the control plane, and all
 * other programs run in the sandbox.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ServerProcess, type Watchdog } from '../controlplane/server-process.ts';
import { waitFor } from '../controlplane/wait.ts';
import type { Command, Sandbox } from './sandbox.ts';

const run = promisify(execFile);
const READY_MS = 180_000;

export class NodeServers {
  readonly #folder: string;
  readonly #watchdog: Watchdog;
  readonly #sandbox: Sandbox;
  readonly #servers: ServerProcess[] = [];

  constructor(folder: string, watchdog: Watchdog, sandbox: Sandbox) {
    this.#folder = folder;
    this.#watchdog = watchdog;
    this.#sandbox = sandbox;
  }

  launch(name: string, command: Command): void {
    const server = new ServerProcess({ name, ...command, logFile: join(this.#folder, `${name}.log`) }, this.#watchdog);
    server.onCrash((message) => process.stderr.write(`node: ${message}\n`));
    this.#servers.push(server);
  }

  launchInside(name: string, command: Command): void {
    this.launch(name, this.#sandbox.enter(command));
  }

  /** Runs containerd's command-line client. */
  async ctr(...args: readonly string[]): Promise<void> {
    const { path, flags } = this.#sandbox.enter({ path: 'ctr', flags: args });
    await run(path, flags, { timeout: READY_MS });
  }

  /** Waits until `look` returns true. @throws an error with the end of a server's log, if the server has ended */
  async waitFor(what: string, look: () => Promise<boolean>): Promise<void> {
    const lookAtRunning = () => {
      for (const server of this.#servers) server.assertRunning();
      return look();
    };
    try {
      await waitFor(what, lookAtRunning, { timeoutMs: READY_MS });
    } catch (error) {
      throw new Error(`${(error as Error).message}; the end of the log:\n${this.#servers.at(-1)?.logEnd()}`);
    }
  }

  async stop(): Promise<void> {
    // The programs are killed. Killing the programs is quick. Nothing uses the data of the programs later, so the
    // programs need no orderly end.
    await Promise.all([...this.#servers.map((server) => server.stop('SIGKILL')), this.#sandbox.stop()]);
  }
}
