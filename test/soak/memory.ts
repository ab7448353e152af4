/**
 * Checks whether the memory of processes stays constant. The measure is the size of each process's resident set over
 * time.
 */
import { readFileSync } from 'node:fs';

interface Sample {
  readonly minute: number;
  readonly rssMiB: number;
}

export interface MemoryReport {
  readonly peakMiB: number;
  /**
   * The trend of the process with the most samples after the given minute. If no process has enough samples, the field
   * is absent.
   */
  readonly trend?: Trend;
}

interface Trend {
  readonly name: string;
  readonly minutes: number;
  readonly meanMiB: number;
  readonly slopeMiBPerMinute: number;
}

/**
 * The time in minutes that a process needs after its start to reach its heap size. A process needs this time again
 * after the process begins to lead, because a leader does more work.
 */
const WARM_MINUTES = 2;
const FEWEST_SAMPLES = 30;

export class Memory {
  /**
   * The samples by name and process. When a process leads for the first time, its samples start a new entry. The
   * earlier samples of the process stay in a separate entry.
   */
  readonly #samples = new Map<string, Sample[]>();
  readonly #last = new Map<string, number>();
  /** The processes that have led. */
  readonly #led = new Set<number>();

  /**
   * @param pid the ID of the process, or undefined if the process does not run
   * @param leads whether the process has the Lease now
   */
  sample(name: string, pid: number | undefined, minute: number, leads: boolean): void {
    const rssMiB = pid === undefined ? undefined : residentMiB(pid);
    if (pid === undefined || rssMiB === undefined) return;
    if (leads) this.#led.add(pid);
    const key = `${name} ${pid}${this.#led.has(pid) ? ' since it led' : ''}`;
    const known = this.#samples.get(key) ?? [];
    this.#samples.set(key, [...known, { minute, rssMiB }]);
    this.#last.set(name, rssMiB);
  }

  /** The current memory of each replica, as a line of the output. */
  now(): string {
    return `RSS ${[...this.#last.values()].map((one) => one.toFixed(0)).join(' and ')} MiB`;
  }

  /** @param since the minute at which the trend begins */
  report(since: number): MemoryReport {
    const peakMiB = Math.max(0, ...[...this.#samples.values()].flat().map(({ rssMiB }) => rssMiB));
    const warm = [...this.#samples].map(([name, samples]) => ({ name, samples: warmAfter(since, samples) }));
    const longest = warm.reduce((best, one) => (one.samples.length > best.samples.length ? one : best), {
      name: '',
      samples: [] as Sample[],
    });
    if (longest.samples.length < FEWEST_SAMPLES) return { peakMiB };
    return { peakMiB, trend: trendOf(longest.name, longest.samples) };
  }
}

function warmAfter(since: number, samples: readonly Sample[]): Sample[] {
  const begins = Math.max(since, (samples[0]?.minute ?? 0) + WARM_MINUTES);
  return samples.filter(({ minute }) => minute >= begins);
}

/** Computes the trend of the samples by least squares. */
function trendOf(name: string, samples: readonly Sample[]): Trend {
  const mean = (of: (sample: Sample) => number) => samples.reduce((sum, one) => sum + of(one), 0) / samples.length;
  const [minute, meanMiB] = [mean((one) => one.minute), mean((one) => one.rssMiB)];
  const covariance = mean((one) => (one.minute - minute) * (one.rssMiB - meanMiB));
  const variance = mean((one) => (one.minute - minute) ** 2);
  const minutes = (samples.at(-1)?.minute ?? 0) - (samples[0]?.minute ?? 0);
  return { name, minutes, meanMiB, slopeMiBPerMinute: covariance / variance };
}

/** The resident memory of a process. If the process has ended, the result is undefined. */
function residentMiB(pid: number): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  } catch {
    return undefined;
  }
}
