/** Finds out, from the lines of trace_pipe, which capabilities each container used. */
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import type { CapabilityUse, ContainerWatch, Noise, ObservedContainer } from '../evidence/use.ts';
import { type CallSite, callSiteOf } from './call-site.ts';
import { type ContainerGroup, containerIn } from './cgroup-path.ts';
import { type LookUp, type Task, Tasks } from './tasks.ts';
import { readTraceLine, type TraceLine } from './trace-line.ts';

/** Evidence about a container whose name is not known yet. */
type Unnamed<Named> = Omit<Named, keyof ObservedContainer> & { readonly group: ContainerGroup };
export type UnnamedUse = Unnamed<CapabilityUse>;
export type UnnamedWatch = Unnamed<ContainerWatch>;

export interface Observed {
  readonly uses: readonly UnnamedUse[];
  readonly watches: readonly UnnamedWatch[];
  readonly counts: Counts;
}

export interface Counts {
  /** The number of all checks, including checks by processes outside containers. */
  readonly checks: number;
  /** The number of events that the kernel dropped because its buffer was full. */
  readonly lost: number;
  /** The number of checks by processes whose container could not be found. */
  readonly unplaced: number;
}

interface Options {
  readonly lookUp: LookUp;
  /** Converts a time of the trace's clock to milliseconds since 1970. */
  readonly epochMs: (seconds: number) => number;
  /** The path of a control group. Every group NAMESPACE/POD/CONTAINER below this path counts as a container, too. */
  readonly below?: string | undefined;
  /** Called at the first event of a container, while the container starts. */
  readonly onContainer?: (group: ContainerGroup) => void;
}

interface Check {
  readonly task: Task & { readonly container: ContainerGroup };
  readonly capability: number;
  readonly namespace: string;
  readonly granted: boolean;
  readonly time: number;
  readonly command: string;
  readonly frames: string[];
}

interface Watched {
  readonly group: ContainerGroup;
  readonly from: number;
  /** Whether the container's first program started after the observation began. */
  readonly started: boolean;
  ended?: number | undefined;
  /**
   * The user namespaces of the node and of the pod. While the runtime set up the container, the kernel made checks in
   * these user namespaces.
   */
  readonly namespaces: Set<string>;
}

type Use = { -readonly [Key in keyof UnnamedUse]: UnnamedUse[Key] };

export class Observation {
  readonly #options: Options;
  readonly #tasks: Tasks;
  readonly #uses = new Map<string, Use>();
  readonly #watches = new Map<string, Watched>();
  /**
   * The last check of each process. The stack of the check follows as a separate event. The events of several
   * processors can be mixed.
   */
  readonly #open = new Map<number, Check>();
  /**
   * The previous check of each process. Only refused checks are kept. After a refused check, the kernel may check
   * another capability. The kernel may grant this second check.
   */
  readonly #refused = new Map<number, Check>();
  /** The check whose stack is being read. */
  #stack: Check | undefined;
  readonly #sites = new Map<string, CallSite>();
  readonly #counts = { checks: 0, lost: 0, unplaced: 0 };

  constructor(options: Options) {
    this.#options = options;
    this.#tasks = new Tasks(options.lookUp);
  }

  get counts(): Counts {
    return { ...this.#counts };
  }

  get containers(): number {
    return this.#watches.size;
  }

  /** Adds a process that existed before the observation. @param now the time by the trace's clock */
  existing(pid: number, task: Task, now: number): void {
    this.#tasks.existing(pid, task);
    if (task.container) this.#watch(task.container, now, false);
  }

  read(text: string): void {
    // Most stacks belong to processes outside containers.
    if (!this.#stack && text.startsWith(' => ')) return;
    const line = readTraceLine(text);
    if (line.is === 'frame') this.#stack?.frames.push(line.frame);
    else {
      this.#stack = line.is === 'stack' ? this.#open.get(line.pid) : undefined;
      this.#event(line);
    }
  }

  /** The whole result of the observation. @param now the time by the trace's clock */
  finished(now: number): Observed {
    for (const pid of [...this.#open.keys()]) this.#close(pid);
    for (const pid of [...this.#refused.keys()]) this.#settle(pid);
    const { lost } = this.#counts;
    const watches = [...this.#watches.values()].map(({ group, from, started, ended = now }) => ({
      group,
      instance: group.id,
      from: this.#iso(from),
      to: this.#iso(ended),
      started,
      ...(lost > 0 && { lost }),
    }));
    return { uses: [...this.#uses.values()], watches, counts: this.counts };
  }

  #event(line: TraceLine) {
    switch (line.is) {
      case 'check':
        return this.#check(line);
      case 'attach': {
        const container = containerIn(line.path, this.#options.below);
        if (!container) return;
        this.#close(line.pid);
        this.#tasks.attached(line.pid, container);
        return this.#watch(container, line.time, true);
      }
      case 'fork':
        return this.#tasks.forked(line.pid, line.child);
      case 'exec':
        this.#close(line.before);
        return this.#tasks.executed(line.pid, line.before, line.file);
      case 'exit':
        return this.#exit(line.pid, line.time);
      case 'lost':
        this.#counts.lost += line.events;
    }
  }

  #check({ pid, time, command, ...check }: Extract<TraceLine, { is: 'check' }>): void {
    this.#counts.checks += 1;
    this.#close(pid);
    const task = this.#tasks.get(pid);
    if (!task) this.#counts.unplaced += 1;
    const container = task?.container;
    if (!container) return;
    if (task.setup) this.#watches.get(container.id)?.namespaces.add(check.namespace);
    this.#open.set(pid, { task: { ...task, container }, ...check, time, command, frames: [] });
  }

  #exit(pid: number, time: number): void {
    this.#close(pid);
    this.#settle(pid);
    const empty = this.#tasks.exited(pid);
    const watched = empty && this.#watches.get(empty.id);
    if (watched) watched.ended = time;
  }

  /**
   * Records the last check of a process. When a process makes another check, the stack of its previous check is
   * complete.
   */
  #close(pid: number): void {
    const check = this.#open.get(pid);
    if (!check) return;
    this.#open.delete(pid);
    const before = this.#refused.get(pid);
    if (before) this.#settle(pid, isInPlaceOf(check, before) ? 'OtherCapability' : undefined);
    if (check.granted || check.task.setup) this.#record(check);
    else this.#refused.set(pid, check);
  }

  #settle(pid: number, noise?: Noise): void {
    const check = this.#refused.get(pid);
    if (check) this.#record(check, noise);
    this.#refused.delete(pid);
  }

  #record(check: Check, known?: Noise): void {
    const { task, capability, granted, time, command, frames } = check;
    const name = CAPABILITIES[capability] ?? `${capability}`;
    const outcome = granted ? 'granted' : 'refused';
    const site = this.#site(frames, capability);
    const noise = task.setup ? 'RuntimeSetup' : (known ?? site.noise ?? this.#noiseBySpace(check));
    const { container: group } = task;
    const key = [group.id, name, outcome, noise].join(' ');
    const at = this.#iso(time);
    const use = this.#uses.get(key);
    if (use) {
      use.count += 1;
      use.last = at;
      return;
    }
    const example = { command: nameOf(task, command), ...(site.text !== '' && { callSite: site.text }) };
    const times = { count: 1, first: at, last: at };
    this.#uses.set(key, { group, capability: name, outcome, ...(noise && { noise }), ...times, example });
  }

  /**
   * Whether the check is noise because a process created the check's user namespace. If the kernel made no check in a
   * user namespace while the runtime set up the container, a process created this user namespace. If the set-up was not
   * observed, the check does not count as noise.
   */
  #noiseBySpace({ task, namespace }: Check): Noise | undefined {
    const { started, namespaces } = this.#watches.get(task.container.id) ?? {};
    return started && namespaces?.size && !namespaces.has(namespace) ? 'OwnUserNamespace' : undefined;
  }

  #watch(group: ContainerGroup, from: number, started: boolean): void {
    const watched = this.#watches.get(group.id);
    // A process was started in a container whose watch had ended, for example by `kubectl exec`.
    if (watched) watched.ended = undefined;
    else {
      this.#watches.set(group.id, { group, from, started, namespaces: new Set() });
      this.#options.onContainer?.(group);
    }
  }

  /** The call site of a check. Call sites are cached, because processes make many checks at the same places. */
  #site(frames: readonly string[], capability: number): CallSite {
    const key = `${capability} ${frames.join(' ')}`;
    const known = this.#sites.get(key);
    if (known) return known;
    const site = callSiteOf(frames, capability);
    this.#sites.set(key, site);
    return site;
  }

  #iso(seconds: number): string {
    return new Date(this.#options.epochMs(seconds)).toISOString();
  }
}

/**
 * Whether `check` is a second check that the kernel made after a refused check. Sometimes a process needs only one of
 * several capabilities. The kernel refuses the first capability, and then checks the next capability.
 */
function isInPlaceOf(check: Check, { frames, capability }: Check): boolean {
  return (
    check.granted &&
    check.capability !== capability &&
    frames.length > 0 &&
    frames.length === check.frames.length &&
    frames.every((frame, index) => frame === check.frames[index])
  );
}

/** The name of a process. The kernel prints `<...>` for a process whose name is no longer stored. */
function nameOf({ program }: Task, command: string): string {
  const name = command.trim();
  return name === '<...>' && program !== undefined ? program.slice(program.lastIndexOf('/') + 1) : name;
}
