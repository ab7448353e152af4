/**
 * Measures the cost of a page: the CPU time of its main thread's tasks, and the memory of its process. Other programs
 * on the machine do not lengthen the CPU time.
 */
import { readFileSync } from 'node:fs';
import type { Browser, Page } from './browser.ts';

/** A task with its CPU time and its elapsed time, in ms. */
export interface Task {
  readonly cpu: number;
  readonly wall: number;
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** The duration in µs. */
  readonly dur?: number;
  /** The CPU time of the thread in µs. */
  readonly tdur?: number;
}

const CATEGORIES = ['toplevel', 'disabled-by-default-devtools.timeline', 'blink.user_timing'];
const MARK = 'the-main-thread';

/** The tasks that the page's main thread runs during `work`. The shortest tasks are left out. */
export async function mainThreadTasks(
  browser: Browser,
  page: Page,
  work: () => Promise<void>,
): Promise<readonly Task[]> {
  await browser.startTracing(page, { categories: CATEGORIES });
  await work();
  await page.evaluate((mark) => performance.mark(mark), MARK);
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const mark = traceEvents.find(({ name }) => name === MARK);
  if (!mark) throw new Error('the trace has no mark of the main thread');
  return traceEvents
    .filter(({ name, pid, tid, dur = 0 }) => name === 'RunTask' && pid === mark.pid && tid === mark.tid && dur >= 1_000)
    .map(({ dur = 0, tdur = dur }) => ({ cpu: tdur / 1_000, wall: dur / 1_000 }));
}

export function totalCpu(tasks: readonly Task[]): number {
  return tasks.reduce((sum, { cpu }) => sum + cpu, 0);
}

/** The task that took the most CPU time. */
export function longest(tasks: readonly Task[]): Task {
  return tasks.reduce((worst, task) => (task.cpu > worst.cpu ? task : worst), { cpu: 0, wall: 0 });
}

const ROWS = 1_000;
const DRAWS = 5;

/**
 * The CPU time for drawing one row of plain text, in ms. This CPU time measures the machine's current speed. The
 * function returns the median of some draws in a separate page.
 */
export async function cpuOfRow(browser: Browser): Promise<number> {
  const page = await browser.newPage();
  const draw = () =>
    page.locator('body').evaluate((body, rows) => {
      const list = body.ownerDocument.createElement('div');
      list.innerHTML = Array.from({ length: rows }, (_, row) => `<div><b>${row}</b> <i>row</i> of text</div>`).join('');
      body.append(list);
      list.getBoundingClientRect();
      list.remove();
    }, ROWS);
  // The first draw is not measured. In the first draw, the browser compiles the page's program and loads the fonts.
  await draw();
  const times: number[] = [];
  for (let round = 0; round < DRAWS; round++) times.push(longest(await mainThreadTasks(browser, page, draw)).cpu);
  await page.close();
  return (times.toSorted((one, other) => one - other)[Math.floor(DRAWS / 2)] ?? 0) / ROWS;
}

export interface Memory {
  /** The memory that belongs only to the process of the tab, in MB. */
  readonly process: number;
  /** The size of the JavaScript objects in use in the page, in MB. */
  readonly page: number;
}

/** The memory of a page after a garbage collection. */
export async function memoryOf(browser: Browser, page: Page): Promise<Memory> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return { process: (await privateKilobytes(browser)) / 1_000, page: usedSize / 1e6 };
}

/** The memory of the largest renderer process. Only the page in the largest renderer has a cluster open. */
async function privateKilobytes(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const renderers = processInfo.filter(({ type }) => type === 'renderer');
  const sizes = renderers.map(({ id }) =>
    Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1]),
  );
  return Math.max(...sizes);
}
