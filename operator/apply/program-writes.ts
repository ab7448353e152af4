/** Writes the objects of a program or a canary. A write replaces an existing admission policy in place. */
import { type Canary, isProbeBinding, objectsOfProgram, type Program, TEXT_LABEL } from '../compile/program.ts';
import type { Clock } from '../runtime/clock.ts';
import { heldBy, keyOf, type Live, labelOf } from '../state/live.ts';
import type { InForce, Text } from './in-force.ts';
import type { Writes } from './writes.ts';

type Objects = Pick<Program | Canary, 'policy' | 'bindings'>;

/**
 * The minimum time between two writes of a large admission policy. Each API server decodes and compiles the whole
 * policy, and every watcher receives the whole policy.
 */
const LARGE = { bytes: 300_000, everyMs: 3_000 };

export class ProgramWrites {
  readonly #writes: Writes;
  readonly #clock: Pick<Clock, 'now'>;
  /** The time of the last write of each large admission policy. The key is the name of the admission policy. */
  readonly #largeAt = new Map<string, number>();

  constructor(writes: Writes, clock: Pick<Clock, 'now'>) {
    this.#writes = writes;
    this.#clock = clock;
  }

  isWritten(program: Objects, live: Live): boolean {
    return objectsOfProgram(program).every((object) => this.#writes.isCurrent(object, live));
  }

  /**
   * Writes every object that is missing or has drifted. The method writes the admission policy first, and the binding
   * of the probe last.
   */
  async write(program: Objects, text: Text, inForce: InForce, live: Live): Promise<void> {
    const { policy, bindings } = program;
    if (this.isWritten(program, live)) return;
    const before = live.get(keyOf(policy));
    const isCurrent = this.#writes.isCurrent(policy, live);
    const probed = bindings.some((binding) => isProbeBinding(binding) && live.has(keyOf(binding)));
    const isBound = before !== undefined && bindings.every((binding) => this.#writes.isCurrent(binding, live));
    inForce.exists(before && labelOf(before, TEXT_LABEL));
    inForce.writes(text, isBound || !probed);
    if (!isCurrent && JSON.stringify(policy).length > LARGE.bytes) this.#largeAt.set(text.name, this.#clock.now());
    for (const object of objectsOfProgram(program)) await this.#writes.ensure(object, live);
  }

  /**
   * Whether the write has to wait. After a write of a large admission policy, the next write of the same policy waits
   * for some time.
   */
  mustWait(program: Objects, name: string, live: Live): boolean {
    return this.largeMs(name) > 0 && !this.isWritten(program, live);
  }

  /** The next write of a large admission policy has to wait for this time in ms. */
  largeMs(name: string): number {
    const last = this.#largeAt.get(name);
    return last === undefined ? 0 : Math.max(0, last + LARGE.everyMs - this.#clock.now());
  }
}

/**
 * Looks among the program's objects for an object that is being deleted. Returns the name and the finalizers of the
 * found object. The result is undefined if no object is being deleted. An object that is being deleted may disappear at
 * any time.
 */
export function deletion(program: Objects, live: Live): string | undefined {
  const [held] = objectsOfProgram(program).flatMap((manifest) => {
    const object = live.get(keyOf(manifest));
    const by = object && heldBy(object);
    return by === undefined ? [] : [`${keyOf(manifest)} is being deleted, held by finalizers: ${by}`];
  });
  return held;
}
