/** Divides the machine's cores between a control plane and its clients, as if the two were on separate machines. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { ControlPlane } from '../controlplane/controlplane.ts';

/**
 * Gives the first half of the cores to the control plane. This process, and every process that it starts from now on,
 * gets the other half of the cores. On a machine with a single core, nothing changes.
 *
 * @returns a function that restores the original cores of this process
 */
export function divideCores({ pids }: ControlPlane): () => void {
  const cores = ownCores();
  const half = Math.floor(cores.length / 2);
  if (half === 0) return () => {};
  for (const pid of pids) assign(pid, cores.slice(0, half));
  assign(process.pid, cores.slice(half));
  return () => assign(process.pid, cores);
}

/**
 * The cores on which this process may run (man proc_pid_status, Cpus_allowed_list). For example, `0-3,8` means 0, 1, 2,
 * 3 and 8.
 */
function ownCores(): number[] {
  const [, list = ''] = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** Assigns cores to all threads of the process. Threads that the process starts later use the same cores. */
function assign(pid: number, cores: readonly number[]): void {
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', cores.join(','), String(pid)], { stdio: 'ignore' });
}
