/**
 * A worker thread that requests the health of a process again and again. If the test's own thread made the
 * measurements, large objects and the garbage collector would delay the measurements.
 */
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { request } from 'undici';
import { usageOf } from '../../hack/bench/measured-process.ts';

const PAUSE_MS = 20;

/** The time of the slowest answer, and the largest CPU time that the process used during one request. */
export interface Slowest {
  readonly ms: number;
  readonly cpuMs: number;
  readonly answers: number;
}

interface Watched {
  readonly url: string;
  readonly pid: number;
}

/** Requests the health until `stop` is called. `stop` rejects if an answer was not 200. */
export function watchHealth(watched: Watched): { stop(): Promise<Slowest> } {
  const worker = new Worker(new URL(import.meta.url), { workerData: watched });
  // If a test fails before the test calls `stop`, the worker must not keep the process alive.
  worker.unref();
  const slowest = new Promise<Slowest>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  // If the promise `slowest` rejects before `stop` is called, `stop` reports the error.
  slowest.catch(() => {});
  return {
    stop: () => {
      worker.postMessage('stop');
      return slowest;
    },
  };
}

async function watch({ url, pid }: Watched): Promise<void> {
  let watching = true;
  parentPort?.once('message', () => {
    watching = false;
  });
  let slowest: Slowest = { ms: 0, cpuMs: 0, answers: 0 };
  while (watching) {
    const began = performance.now();
    const cpuBefore = cpuMs(pid);
    const answer = await request(url);
    await answer.body.dump();
    if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}`);
    slowest = {
      ms: Math.max(slowest.ms, performance.now() - began),
      cpuMs: Math.max(slowest.cpuMs, cpuMs(pid) - cpuBefore),
      answers: slowest.answers + 1,
    };
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  parentPort?.postMessage(slowest);
}

function cpuMs(pid: number): number {
  const usage = usageOf(pid);
  if (!usage) throw new Error(`process ${pid} has ended`);
  return usage.cpuSeconds * 1_000;
}

if (workerData && 'pid' in workerData) await watch(workerData);
