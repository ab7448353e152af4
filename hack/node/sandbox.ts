/**
 * Runs processes in the namespaces of a node: mount, network, PID, UTS and IPC namespaces. When the namespaces end, all
 * processes in the namespaces end.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess, type Watchdog } from '../controlplane/server-process.ts';
import { waitFor } from '../controlplane/wait.ts';

const INIT = join(import.meta.dirname, 'init.sh');
/** The maximum time in ms to wait for the start. The time is long, because a busy machine starts processes slowly. */
const START_MS = 60_000;

export interface Command {
  readonly path: string;
  readonly flags: readonly string[];
}

export class Sandbox {
  readonly #outer: ServerProcess;
  readonly #init: number;

  private constructor(outer: ServerProcess, init: number) {
    this.#outer = outer;
    this.#init = init;
  }

  /** Starts the sandbox. @param folder the folder for the log, which is visible inside and outside the sandbox */
  static async start(
    folder: string,
    watchdog: Watchdog,
    { service, node }: { readonly service: string; readonly node: string },
  ): Promise<Sandbox> {
    const outer = new ServerProcess(
      {
        name: 'the namespaces of the node',
        path: 'unshare',
        flags: [
          ...['--mount', '--net', '--pid', '--uts', '--ipc', '--fork', '--mount-proc'],
          // When the parent ends, the kernel ends the first process of the PID namespace. After the end of the first
          // process, the kernel also ends all other processes in the namespace.
          '--kill-child=SIGKILL',
          ...['sh', INIT, folder, service, node],
        ],
        logFile: join(folder, 'namespaces.log'),
      },
      watchdog,
    );
    await waitFor(
      'the namespaces of the node',
      () => {
        outer.assertRunning();
        return existsSync(join(folder, 'ready'));
      },
      { timeoutMs: START_MS },
    );
    return new Sandbox(outer, childOf(outer.pid as number));
  }

  /** Returns a command that runs the given command in the namespaces. */
  enter({ path, flags }: Command): Command {
    const namespaces = ['--mount', '--net', '--pid', '--uts', '--ipc'];
    return { path: 'nsenter', flags: [`--target=${this.#init}`, ...namespaces, '--wd=/', '--', path, ...flags] };
  }

  /** Ends all processes in the namespaces. */
  async stop(): Promise<void> {
    await this.#outer.stop('SIGKILL');
  }
}

function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}
