/**
 * Finds, from events, the container of each process on the node. A process that lives for milliseconds has ended before
 * /proc can be read.
 */
import type { ContainerGroup } from './cgroup-path.ts';

export interface Task {
  /** The container of the process; undefined for a process outside containers. */
  readonly container?: ContainerGroup | undefined;
  /** Whether the runtime is still setting up the container. The container's first program has not started yet. */
  readonly setup: boolean;
  /**
   * The program that the process executed last. The field is undefined if the process executed its program before the
   * observation.
   */
  readonly program?: string;
}

/** Looks up a process that no event has mentioned. The result is undefined if the process has ended. */
export type LookUp = (pid: number) => Task | undefined;

/**
 * Matches the programs of a container runtime. runc first executes a copy of itself, and then the container's first
 * program.
 */
const RUNTIME = /^(\/proc\/self\/(exe|fd\/\d+)|\/dev\/fd\/\d+|memfd:.*|(.*\/)?(runc|crun|runc-dmz))$/;
const OUTSIDE: Task = { setup: false };

export class Tasks {
  readonly #byPid = new Map<number, Task>();
  /** The number of running processes in each container. The key is the container's ID. */
  readonly #running = new Map<string, number>();
  readonly #lookUp: LookUp;

  constructor(lookUp: LookUp) {
    this.#lookUp = lookUp;
  }

  /** The task of a process; undefined for a process that existed before the observation and has ended. */
  get(pid: number): Task | undefined {
    const known = this.#byPid.get(pid);
    if (known) return known;
    const found = this.#lookUp(pid);
    if (found) this.#put(pid, found);
    return found;
  }

  /**
   * Adds a process that existed before the observation. If events have already reported the process, the information
   * from the events is kept.
   */
  existing(pid: number, task: Task): void {
    if (!this.#byPid.has(pid)) this.#put(pid, task);
  }

  attached(pid: number, container: ContainerGroup): void {
    const before = this.#byPid.get(pid);
    if (before?.container?.id === container.id) return;
    this.#put(pid, { ...before, container, setup: true });
  }

  forked(parent: number, child: number): void {
    const task = this.#byPid.get(parent);
    if (task) this.#put(child, task);
    // The process ID may have belonged to another process whose end was not reported.
    else this.exited(child);
  }

  /**
   * Records that a process executed a program.
   *
   * @param before the ID of the thread that executes the program. The thread then gets the ID of its process
   */
  executed(pid: number, before: number, program: string): void {
    const task = this.#byPid.get(before) ?? this.#byPid.get(pid);
    if (before !== pid) this.exited(before);
    const runtime = RUNTIME.test(program);
    // A runtime can start a process in the container's group (CLONE_INTO_CGROUP), and no event reports this start.
    const entered = !runtime && !task?.container && RUNTIME.test(task?.program ?? '') ? this.#lookUp(pid) : undefined;
    const { container, setup } = entered ?? task ?? this.#lookUp(pid) ?? OUTSIDE;
    this.#put(pid, { container, setup: setup && runtime, program });
  }

  /**
   * Records the end of a process.
   *
   * @returns the container of the process, if no other process of the container is left
   */
  exited(pid: number): ContainerGroup | undefined {
    const container = this.#byPid.get(pid)?.container;
    this.#byPid.delete(pid);
    return container && this.#leave(container) === 0 ? container : undefined;
  }

  #put(pid: number, task: Task): void {
    const before = this.#byPid.get(pid)?.container;
    if (before) this.#leave(before);
    this.#byPid.set(pid, task);
    if (task.container) this.#running.set(task.container.id, (this.#running.get(task.container.id) ?? 0) + 1);
  }

  #leave({ id }: ContainerGroup): number {
    const left = (this.#running.get(id) ?? 1) - 1;
    if (left === 0) this.#running.delete(id);
    else this.#running.set(id, left);
    return left;
  }
}
