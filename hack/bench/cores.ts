/** The machine's cores, divided between a control plane and its clients as between machines. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { ControlPlane } from '../controlplane/controlplane.ts';

/**
 * The control plane gets the first half of the cores; this process, and all that it starts from now on, the others. With a
 * single core nothing changes.
 *
 * @returns gives this process back all its cores
 */
export function divideCores({ pids }: ControlPlane): () => void {
  const cores = ownCores();
  const half = Math.floor(cores.length / 2);
  if (half === 0) return () => {};
  for (const pid of pids) assign(pid, cores.slice(0, half));
  assign(process.pid, cores.slice(half));
  return () => assign(process.pid, cores);
}

/** Those that this process may run on (man proc_pid_status, Cpus_allowed_list): `0-3,8` → 0, 1, 2, 3, 8. */
function ownCores(): number[] {
  const [, list = ''] = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** All threads. Those that they start later have the same cores. */
function assign(pid: number, cores: readonly number[]): void {
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', cores.join(','), String(pid)], { stdio: 'ignore' });
}
