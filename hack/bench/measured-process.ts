/**
 * Starts a Node process, and measures its time, CPU and memory from outside. The kernel counts the process's time, CPU
 * and memory.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Usage {
  /** The number of seconds since the start of the process. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** The maximum resident set size, in MiB. */
  readonly rssMiB: number;
}

/** The unit of times in /proc (USER_HZ), which is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** The resources that a process has used until now. The result is undefined if the process has ended. */
export function usageOf(pid: number): Omit<Usage, 'seconds'> | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The array `fields` begins after the program's name. The program's name is in brackets and may contain any
    // characters. Field 14 is utime, and field 15 is stime (man proc_pid_stat).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return peak === undefined ? undefined : { cpuSeconds: ticks / TICKS_PER_SECOND, rssMiB: Number(peak) / 1024 };
  } catch {
    return undefined;
  }
}

export class MeasuredProcess {
  readonly #child: ChildProcess;
  readonly #started = performance.now();
  readonly #ended: Promise<number | null>;
  readonly #output: string[] = [];

  constructor(script: string, args: readonly string[], nodeFlags: readonly string[] = []) {
    this.#child = spawn(process.execPath, [...nodeFlags, script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#output.push(line));
    }
    const kill = () => void this.#child.kill('SIGKILL');
    process.once('exit', kill);
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        process.off('exit', kill);
        resolve(code);
      });
    });
  }

  /** The lines that the process wrote. */
  get output(): readonly string[] {
    return this.#output;
  }

  /** The resources that the process has used until now. @throws if the process has ended */
  usage(): Usage {
    const usage = usageOf(this.#child.pid ?? 0);
    if (!usage) throw new Error('the process has ended');
    return { seconds: (performance.now() - this.#started) / 1000, ...usage };
  }

  /** Resolves when the process has used less than 2 % of a processor for 2 s. @throws if the process has ended */
  async idle(): Promise<void> {
    let before = this.usage();
    for (;;) {
      await sleep(2_000);
      const after = this.usage();
      if (after.cpuSeconds - before.cpuSeconds < 0.02 * (after.seconds - before.seconds)) return;
      before = after;
    }
  }

  /**
   * Waits for `work`.
   *
   * @throws an error if the process ends before `work` is done. The error contains the end of the process's output
   */
  async during<Result>(work: Promise<Result>): Promise<Result> {
    const ended = this.#ended.then((code): never => {
      throw new Error(`the process ended with ${code}:\n${this.#output.slice(-20).join('\n')}`);
    });
    return Promise.race([ended, work]);
  }

  /** Waits for the line `done`, which is the last line that the process writes before it ends. */
  async done(): Promise<Usage> {
    const written = new Promise<void>((resolve) => {
      createInterface({ input: this.#child.stdout as Readable }).on('line', (line) => line === 'done' && resolve());
    });
    await this.during(written);
    return this.usage();
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    this.#child.kill(signal);
    await this.#ended;
  }
}
