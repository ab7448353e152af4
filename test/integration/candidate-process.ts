/** Runs candidate-main.ts, and keeps its output. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { waitFor } from '../../hack/controlplane/wait.ts';

const MAIN = join(import.meta.dirname, 'candidate-main.ts');

interface CandidateEvent {
  readonly event: 'leading' | 'wrote' | 'stopped';
  readonly written?: number;
  readonly refused?: number;
  readonly failed?: number;
}

interface CandidateOptions {
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly identity: string;
  readonly leaseDurationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
}

export class CandidateProcess {
  readonly identity: string;
  readonly events: CandidateEvent[] = [];
  readonly #child: ChildProcess;
  #errors = '';

  constructor(options: CandidateOptions) {
    this.identity = options.identity;
    const child = spawn(process.execPath, [MAIN, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => this.events.push(JSON.parse(line)));
    child.stderr.on('data', (text) => {
      this.#errors = (this.#errors + text).slice(-10_000);
    });
    // If a test run crashes, the candidate must also end, even if a signal has stopped the candidate.
    const kill = () => void child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
  }

  /** Waits until the candidate has reported the given event `count` times. */
  async said(event: CandidateEvent['event'], count = 1, timeoutMs = 20_000): Promise<CandidateEvent> {
    const look = () => this.events.filter((one) => one.event === event)[count - 1];
    try {
      return await waitFor(`${this.identity} to say ${event}`, look, { timeoutMs, intervalMs: 10 });
    } catch (error) {
      throw new Error(`${(error as Error).message}; the end of its log:\n${this.#errors}`);
    }
  }

  /**
   * Waits until the candidate has seen another candidate lead. When a candidate sees another leader, the candidate
   * starts its clock for the Lease.
   */
  async seesLeader(): Promise<void> {
    await waitFor(`${this.identity} to see a leader`, () => this.#errors.includes('another leads'), { intervalMs: 10 });
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  /** Ends the candidate. @returns its exit code */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill(signal);
      await exited;
    }
    return this.#child.exitCode;
  }
}
