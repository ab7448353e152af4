/**
 * A separate instance of the kernel's tracing. The program changes neither other tracing instances nor the events that
 * other programs have enabled. The files of an instance are described in https://docs.kernel.org/trace/ftrace.html and
 * events.html.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { platform, release } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../../command.ts';

const EVENTS = [
  'capability/cap_capable',
  'cgroup/cgroup_attach_task',
  'sched/sched_process_fork',
  'sched/sched_process_exec',
  'sched/sched_process_exit',
];
const CHECK = 'capability/cap_capable';
const PREFIX = 'cappol-';
/**
 * The kernel writes file names into the trace without escaping special characters. A path with a line break could
 * therefore add lines to the trace that look like events. For this reason, the filter ignores programs whose path
 * contains a line break.
 */
const EXEC_FILTER = '!(filename ~ "*\n*")';

export interface TraceOptions {
  /**
   * The mount point of tracefs. If `tracefs` is undefined, the program reads the mount point from the kernel's list of
   * mounts.
   */
  readonly tracefs?: string | undefined;
  /** The size of the kernel's buffer for each processor, in kB. */
  readonly bufferKb: number;
}

export class TraceInstance {
  readonly #folder: string;
  readonly #pipe: number;
  readonly #buffer = Buffer.alloc(1 << 18);
  /** The beginning of the last line. The program has not read the end of the line yet. */
  #rest = Buffer.alloc(0);

  /** @throws UsageError if the kernel, the machine or the user's rights do not permit an observation */
  constructor({ tracefs, bufferKb }: TraceOptions) {
    const root = tracefsOf(tracefs);
    removeAbandoned(root);
    this.#folder = join(root, 'instances', `${PREFIX}${randomBytes(6).toString('hex')}`);
    mkdirSync(this.#folder);
    // The kernel does not remove an instance whose pipe is open. While the pipe is open, other observations therefore
    // cannot remove the instance. The pipe is non-blocking, because a blocked read would keep the Node process from
    // ending.
    this.#pipe = openSync(join(this.#folder, 'trace_pipe'), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      this.#prepare(bufferKb);
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  start(): void {
    this.#set('tracing_on', '1');
  }

  stop(): void {
    this.#set('tracing_on', '0');
  }

  /** Passes on all complete lines. */
  drain(onLine: (line: string) => void): void {
    for (;;) {
      const size = this.#read();
      if (size === 0) return;
      const read = Buffer.concat([this.#rest, this.#buffer.subarray(0, size)]);
      const end = read.lastIndexOf('\n');
      this.#rest = read.subarray(end + 1);
      if (end >= 0) for (const line of read.toString('utf8', 0, end).split('\n')) onLine(line);
    }
  }

  /** Disables all events of the instance. */
  remove(): void {
    closeSync(this.#pipe);
    rmdirSync(this.#folder);
  }

  #prepare(bufferKb: number): void {
    this.#set('tracing_on', '0');
    this.#set('buffer_size_kb', String(bufferKb));
    // The trace uses the same clock as process.hrtime.
    this.#set('trace_clock', 'mono');
    this.#set('events/sched/sched_process_exec/filter', EXEC_FILTER);
    this.#set(`events/${CHECK}/trigger`, 'stacktrace');
    for (const event of EVENTS) this.#set(`events/${event}/enable`, '1');
  }

  #read(): number {
    try {
      return readSync(this.#pipe, this.#buffer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
      throw error;
    }
  }

  #set(file: string, value: string): void {
    try {
      writeFileSync(join(this.#folder, file), value);
    } catch (error) {
      throw new UsageError(
        `this kernel's tracing does not accept ${JSON.stringify(value)} in ${file}: ${(error as Error).message}`,
      );
    }
  }
}

/** Removes the tracing instances of earlier observations whose process was killed. */
function removeAbandoned(root: string): void {
  for (const name of readdirSync(join(root, 'instances')).filter((name) => name.startsWith(PREFIX))) {
    try {
      rmdirSync(join(root, 'instances', name));
    } catch (error) {
      // Either another observation uses the instance now, or another observation has already removed the instance.
      if (!['EBUSY', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
}

/** @throws UsageError if the program cannot use tracefs */
function tracefsOf(given: string | undefined): string {
  if (platform() !== 'linux')
    throw new UsageError(
      '`cappol observe` requires Linux, since the command runs on a node: with --cluster, you can start the command on this machine',
    );
  if (statSync('/proc/self').uid !== 0)
    throw new UsageError(
      '`cappol observe` must run as root, since the command reads the traces of the kernel: run the command with sudo',
    );
  const folder = given ?? mounted();
  if (folder === undefined) {
    throw new UsageError('tracefs is not mounted: run `mount -t tracefs tracefs /sys/kernel/tracing`');
  }
  if (!existsSync(join(folder, 'instances'))) throw new UsageError(`${folder} is not a tracefs file system`);
  if (existsSync(join(folder, 'events', CHECK))) return folder;
  throw new UsageError(
    `this kernel, ${release()}, has no tracepoint capability:cap_capable: observe needs Linux 6.14 or newer, with CONFIG_SECURITY`,
  );
}

function mounted(): string | undefined {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return mounts.map((line) => line.split(' ')).find(([, , type]) => type === 'tracefs')?.[1];
}
