/**
 * Parses a line of tracefs' trace_pipe. The format of the lines is defined in kernel/trace/trace_output.c and in the
 * `print fmt` of each event.
 *
 * The kernel prints process names without escaping line breaks, so a hostile process can break a line in two. A process
 * name has at most 15 bytes, so it cannot contain a whole line of the trace. Each fragment of a broken line is parsed
 * as `unreadable`. An unreadable line ends the stack that is being read.
 */

/** A time in seconds. The tracing instance determines the clock. */
type Seconds = number;

export type TraceLine =
  | ({ readonly is: 'check'; readonly pid: number; readonly time: Seconds; readonly command: string } & Check)
  | { readonly is: 'stack'; readonly pid: number }
  | { readonly is: 'frame'; readonly frame: string }
  | { readonly is: 'attach'; readonly pid: number; readonly time: Seconds; readonly path: string }
  | { readonly is: 'fork'; readonly pid: number; readonly child: number }
  | { readonly is: 'exec'; readonly pid: number; readonly before: number; readonly file: string }
  | { readonly is: 'exit'; readonly pid: number; readonly time: Seconds }
  | { readonly is: 'lost'; readonly events: number }
  | { readonly is: 'unreadable' };

interface Check {
  /** The number of the capability. */
  readonly capability: number;
  /** The user namespace of the check. Equal strings mean the same namespace. */
  readonly namespace: string;
  readonly granted: boolean;
}

const UNREADABLE: TraceLine = { is: 'unreadable' };
const FRAME = /^ => (\S+)(?: \[\S+\])?$/;
/** Matches an event. The thread group is in parentheses, and exists only if the option record-tgid is set. */
const EVENT = /^\s*(.{1,16})-(\d+)\s+(?:\([^)]*\)\s+)?\[\d+\]\s+\S+\s+([\d.]+): (?:(\w+): |(<stack trace>))(.*)$/s;
const LOST = /^CPU:\d+ \[LOST (\d+) EVENTS\]$/;

export function readTraceLine(text: string): TraceLine {
  const frame = FRAME.exec(text);
  if (frame) return { is: 'frame', frame: frame[1] as string };
  const event = EVENT.exec(text);
  if (!event) {
    const lost = LOST.exec(text);
    return lost ? { is: 'lost', events: Number(lost[1]) } : UNREADABLE;
  }
  const [, command = '', pid, time, name = '', stack, rest = ''] = event;
  if (stack) return { is: 'stack', pid: Number(pid) };
  const fields = READERS[name]?.(rest);
  return fields ? ({ pid: Number(pid), time: Number(time), command, ...fields } as TraceLine) : UNREADABLE;
}

/**
 * The parsers of events. The key is the name of the event. If a parser returns a `pid`, the event is about the process
 * with this ID, and not about the process that caused the event.
 */
const READERS: Readonly<Record<string, (rest: string) => object | undefined>> = {
  cap_capable: matching(/target_ns (\S+),.* cap (\d+), ret (-?\d+)$/, (namespace, capability, returned) => ({
    is: 'check',
    namespace,
    capability: Number(capability),
    granted: returned === '0',
  })),
  cgroup_attach_task: matching(/dst_path=(\S+) pid=(\d+) comm=/, (path, pid) => ({
    is: 'attach',
    path,
    pid: Number(pid),
  })),
  sched_process_fork: matching(/ child_pid=(\d+)$/, (child) => ({ is: 'fork', child: Number(child) })),
  sched_process_exec: matching(/^filename=(.*) pid=(\d+) old_pid=(\d+)$/, (file, pid, before) => ({
    is: 'exec',
    file,
    pid: Number(pid),
    before: Number(before),
  })),
  sched_process_exit: () => ({ is: 'exit' }),
};

function matching(pattern: RegExp, fields: (...groups: string[]) => object) {
  return (rest: string) => {
    const match = pattern.exec(rest);
    return match ? fields(...match.slice(1)) : undefined;
  };
}
