/** Observes the containers of the node on which the program runs. */
import { hrtime } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerGroup } from '../../../analysis/observe/cgroup-path.ts';
import { Observation, type Observed } from '../../../analysis/observe/observation.ts';
import type { RawProgress } from '../../../analysis/observe/raw-log.ts';
import type { Io } from '../../command.ts';
import { existingTasks, lookUpIn, seesAllProcesses } from './processes.ts';
import { TraceInstance, type TraceOptions } from './trace-instance.ts';

/**
 * The pause between two reads of the buffer, in ms. The pause is so short that the kernel's buffer does not overflow,
 * and so long that the program uses little CPU time.
 */
const EVERY_MS = 50;
/** The time that the kernel gets for writing the last checks to the buffer. */
const SETTLE_MS = 100;

export interface NodeOptions extends TraceOptions {
  /**
   * The duration of the observation. If the duration is undefined, the observation lasts until the signal is aborted.
   */
  readonly forMs: number | undefined;
  readonly below?: string | undefined;
  readonly onContainer?: (group: ContainerGroup) => void;
  /** Called when the observation has begun. All later checks are observed. */
  readonly onBegin?: () => void;
  /** Called after each read. */
  readonly onRead?: (progress: RawProgress) => void;
}

export interface NodeObserved extends Observed {
  readonly seconds: number;
  /** Whether the observation includes containers that were already running at its beginning. */
  readonly sawAll: boolean;
}

/**
 * Observes the node until the time is over or the signal is aborted. Returns everything that was observed before the
 * end.
 */
export async function observeNode({ signal }: Pick<Io, 'signal'>, options: NodeOptions): Promise<NodeObserved> {
  const { forMs, below, onContainer, onBegin, onRead } = options;
  const trace = new TraceInstance(options);
  const sawAll = seesAllProcesses();
  const lookUp = sawAll ? lookUpIn(below) : () => undefined;
  const offset = Date.now() - monotonicMs();
  const epochMs = (seconds: number) => seconds * 1000 + offset;
  try {
    const observation = new Observation({ lookUp, epochMs, below, ...(onContainer && { onContainer }) });
    const line = (text: string) => observation.read(text);
    const begin = monotonicMs();
    trace.start();
    onBegin?.();
    // Events wait in the buffer until the program has read the tasks that already exist. No event is therefore lost.
    if (sawAll) for (const [pid, task] of existingTasks(lookUp)) observation.existing(pid, task, begin / 1000);
    while (!signal.aborted && (forMs === undefined || monotonicMs() < begin + forMs)) {
      trace.drain(line);
      onRead?.({
        seconds: (monotonicMs() - begin) / 1000,
        containers: observation.containers,
        counts: observation.counts,
      });
      await sleep(EVERY_MS, undefined, { signal }).catch(() => {});
    }
    await sleep(SETTLE_MS);
    trace.stop();
    trace.drain(line);
    const end = monotonicMs();
    return { ...observation.finished(end / 1000), seconds: (end - begin) / 1000, sawAll };
  } finally {
    trace.remove();
  }
}

/** The current time by the clock of the trace. */
function monotonicMs(): number {
  return Number(hrtime.bigint()) / 1e6;
}
