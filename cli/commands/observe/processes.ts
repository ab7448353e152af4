/** Reads the processes of the node from /proc. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { containerOfProcess } from '../../../analysis/observe/cgroup-path.ts';
import type { LookUp, Task } from '../../../analysis/observe/tasks.ts';

/** The link to the first PID namespace, with its inode (PROC_PID_INIT_INO in linux/proc_ns.h). */
const FIRST_NAMESPACE = 'pid:[4026531836]';
/**
 * Matches the name of a container runtime's process that has not yet executed the first program of the container. A
 * process of a runtime may rename itself, for example to `runc:[2:INIT]`.
 */
const RUNTIME = /^(runc|crun|conmon)/;

/** Whether /proc and the kernel's events use the same process IDs. */
export function seesAllProcesses(): boolean {
  return readlinkSync('/proc/self/ns/pid') === FIRST_NAMESPACE;
}

/** @param below the path of a control group, as in the function `containerIn` */
export function lookUpIn(below: string | undefined): LookUp {
  return (pid) => {
    try {
      const container = containerOfProcess(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), below);
      const setup = container !== undefined && RUNTIME.test(readFileSync(`/proc/${pid}/comm`, 'utf8'));
      return { container, setup };
    } catch {
      return undefined;
    }
  };
}

/** Yields all threads that exist now. */
export function* existingTasks(lookUp: LookUp): Generator<[number: number, task: Task]> {
  for (const pid of numbersIn('/proc')) {
    const task = lookUp(pid);
    if (task) for (const thread of numbersIn(`/proc/${pid}/task`)) yield [thread, task];
  }
}

function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder).map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}
