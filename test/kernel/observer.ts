/**
 * Runs `cappol observe` as a process on this machine. The process runs as root without any capability. The process has
 * its own tracefs. No other process sees this tracefs.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ObservedLine } from '../../analysis/evidence/use.ts';
import type { Needs } from '../../hack/needs.ts';
import { ROOT } from '../support/page.ts';

/** The timeout in ms for the end of an observation. On a busy machine, an observation ends late. */
const END_MS = 60_000;
const MOUNT = 'mount -t tracefs tracefs /sys/kernel/tracing';
/** Starts the observer without capabilities. The pods of `cappol observe --cluster` also have no capabilities. */
const WITHOUT_CAPABILITIES = 'setpriv --bounding-set=-all --inh-caps=-all --no-new-privs';
/** Starts the observer with a root file system without user names, as in an image from scratch. */
const WITHOUT_USERS =
  'for file in passwd nsswitch.conf; do [ ! -e /etc/$file ] || mount --bind /dev/null /etc/$file || exit; done';
const TRACEPOINT = '/sys/kernel/tracing/events/capability/cap_capable';

export const OBSERVER_NEEDS: Needs = {
  root: true,
  programs: {
    runc: 'apt-get install runc',
    setpriv: 'apt-get install util-linux',
    unshare: 'apt-get install util-linux',
  },
  problem: () => {
    const looked = spawnSync('unshare', ['--mount', 'sh', '-c', `${MOUNT} && test -d ${TRACEPOINT}`]);
    return looked.status === 0 ? undefined : 'its kernel has no tracepoint capability:cap_capable: it needs Linux 6.14';
  },
};

export interface Observed {
  readonly lines: readonly ObservedLine[];
  readonly stdout: string;
  readonly stderr: string;
}

export class Observer {
  readonly #process: ChildProcess;
  #stdout = '';
  #stderr = '';

  private constructor(args: readonly string[]) {
    const command = [process.execPath, join(ROOT, 'cli', 'main.ts'), 'observe', ...args];
    this.#process = spawn(
      'unshare',
      ['--mount', 'sh', '-c', `${MOUNT} && ${WITHOUT_USERS} && exec ${WITHOUT_CAPABILITIES} "$@"`, 'sh', ...command],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#process.stdout?.on('data', (text) => (this.#stdout += text));
    this.#process.stderr?.on('data', (text) => (this.#stderr += text));
  }

  /** Starts an observer. Resolves when the observer has begun to observe. */
  static async start(...args: readonly string[]): Promise<Observer> {
    const observer = new Observer(args);
    while (!observer.#stderr.includes('observing')) {
      await Promise.race([
        once(observer.#process.stderr as NodeJS.ReadableStream, 'data'),
        once(observer.#process, 'exit'),
      ]);
      if (observer.#process.exitCode !== null) throw new Error(`observe ended: ${observer.#stderr}`);
    }
    return observer;
  }

  get process(): ChildProcess {
    return this.#process;
  }

  /** Ends the observation as Ctrl-C does. */
  async end(): Promise<Observed> {
    const closed = once(this.#process, 'close', { signal: AbortSignal.timeout(END_MS) });
    this.#process.kill('SIGINT');
    await closed;
    const lines = this.#stdout.split('\n').filter((line) => line.startsWith('{'));
    return { lines: lines.map((line) => JSON.parse(line)), stdout: this.#stdout, stderr: this.#stderr };
  }

  async kill(): Promise<void> {
    const closed = once(this.#process, 'close');
    this.#process.kill('SIGKILL');
    await closed;
  }
}

/** The kernel's tracing instances that observations have created. */
export function instances(): string[] {
  const { stdout } = spawnSync('unshare', ['--mount', 'sh', '-c', `${MOUNT} && ls /sys/kernel/tracing/instances`], {
    encoding: 'utf8',
  });
  return stdout.split('\n').filter((name) => name.startsWith('cappol-'));
}
