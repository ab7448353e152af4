/** Makes lines of trace_pipe in the form of Linux 6.18. */

/** @param command the name of the command as the kernel prints it, with at most 15 bytes */
export function event(pid: number, time: number, rest: string, command = 'sh'): string {
  const task = `${command.padStart(16)}-${String(pid).padEnd(7)}`;
  return `${task} [000] .....   ${time.toFixed(6)}: ${rest}`;
}

const POINTERS = 'cred 000000008c22b744, target_ns 00000000b42656a9, capable_ns 00000000b42656a9';

export function check(pid: number, time: number, capability: number, returned: 0 | -1, command?: string): string {
  return event(pid, time, `cap_capable: ${POINTERS}, cap ${capability}, ret ${returned}`, command);
}

/** @param frames the frames of the stack, innermost first, without the tracepoint's own frames */
export function stack(pid: number, time: number, frames: readonly string[], command?: string): string[] {
  const all = ['trace_event_raw_event_cap_capable', 'cap_capable', ...frames, 'do_syscall_64'];
  return [event(pid, time, '<stack trace>', command), ...all.map((frame) => ` => ${frame}`)];
}

export function attach(pid: number, time: number, path: string): string {
  return event(7, time, `cgroup_attach_task: dst_root=5 dst_id=44 dst_level=4 dst_path=${path} pid=${pid} comm=runc`);
}

export function fork(parent: number, time: number, child: number): string {
  return event(parent, time, `sched_process_fork: comm=sh pid=${parent} child_comm=sh child_pid=${child}`);
}

export function exec(pid: number, time: number, file: string, before = pid): string {
  return event(pid, time, `sched_process_exec: filename=${file} pid=${pid} old_pid=${before}`);
}

export function exit(pid: number, time: number): string {
  return event(pid, time, `sched_process_exit: comm=sh pid=${pid} prio=120 group_dead=true`);
}

export const UID = '6f1c3b52-0d2f-4a5e-9c1b-6a2f0e8d7c31';
export const ID = 'ab'.repeat(32);
export const PATH = `/kubepods/besteffort/pod${UID}/${ID}`;
