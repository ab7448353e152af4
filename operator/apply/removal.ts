/** Deletes stale objects. Records the deleted admission policies that API servers may still enforce. */
import type { ApiClient } from '../cluster/client.ts';
import { PROGRAM_LABEL } from '../compile/program.ts';
import type { RenderedObject } from '../model/objects.ts';
import type { Clock } from '../runtime/clock.ts';
import { inParallel } from '../runtime/in-parallel.ts';
import { hasText, heldBy, isAdmission, keyOf, labelOf } from '../state/live.ts';
import { usesOf } from './grants.ts';
import { COMPILED_MS, type InForce } from './in-force.ts';
import { everywhere, type Probed } from './probe.ts';
import type { Refusals } from './refusals.ts';
import { policiesIn, type Unwanted } from './stale.ts';
import type { Writes } from './writes.ts';

/** A deleted admission policy that API servers may still enforce. */
interface Leaving {
  readonly policies: ReadonlySet<string>;
  /**
   * How to probe the admission policy. The field is undefined for an admission policy of an old release that had no
   * programs.
   */
  readonly probed: Probed | undefined;
  readonly inForce: InForce;
  /**
   * The earliest time at which a probe proves that API servers no longer enforce the admission policy. An earlier probe
   * proves nothing, because an API server may have loaded the admission policy without the binding of the probe.
   */
  readonly trustedFrom: number;
}

const AT_ONCE = 8;

export class Removal {
  readonly #writes: Writes;
  readonly #refusals: Refusals;
  readonly #clock: Pick<Clock, 'now'>;
  /** The deleted admission policies that API servers may still enforce. The key is the name of the admission policy. */
  readonly #leaving = new Map<string, Leaving>();
  /** The start of this term. Shortly before the start, another process may have deleted admission policies. */
  readonly #begun: number;

  constructor(writes: Writes, refusals: Refusals, clock: Pick<Clock, 'now'>) {
    this.#writes = writes;
    this.#refusals = refusals;
    this.#clock = clock;
    this.#begun = clock.now();
  }

  /**
   * Whether API servers may still enforce a deleted admission policy that contains a row of the given CapabilityPolicy.
   * The admission policy was deleted by this process, or by another process shortly before this term.
   */
  mayEnforce(policy: string): boolean {
    if (this.#clock.now() < this.#begun + COMPILED_MS) return true;
    return this.#leaving.values().some(({ policies }) => policies.has(policy));
  }

  /** Whether a deleted admission policy may still be in force, or a stale role or binding still exists. */
  isWaiting(stale: readonly RenderedObject[]): boolean {
    return this.#leaving.size > 0 || stale.some((object) => !isAdmission(object));
  }

  /**
   * Returns the stale or deleted admission policies that API servers may still enforce. The key is the name of a
   * CapabilityPolicy. The value is the name of an admission policy that contains this CapabilityPolicy.
   */
  older(stale: readonly RenderedObject[]): Map<string, string> {
    const texts = [
      ...stale.map((object) => [object.metadata.name, policiesIn(object)] as const),
      ...[...this.#leaving].map(([name, { policies }]) => [name, policies] as const),
    ];
    return new Map(texts.flatMap(([name, policies]) => [...policies].map((policy) => [policy, name])));
  }

  /**
   * Deletes stale objects. Call this method when all wanted programs are in force. A role grants the verb `use` on a
   * policy, and an admission policy may require this verb. The method deletes the role when no API server can enforce
   * an admission policy that requires the verb.
   *
   * @param inForce returns the `InForce` object of the admission policy with the given name
   */
  async remove({ stale, kept }: Unwanted, inForce: (name: string) => InForce): Promise<void> {
    const admission = stale.filter(isAdmission);
    const texts = Map.groupBy(admission, ({ spec, metadata }) => boundBy(spec) ?? metadata.name);
    await inParallel(texts.values(), AT_ONCE, async (objects) => {
      for (const object of objects) await this.#remove(object, inForce);
    });
    if (this.#leaving.size > 0 || this.#clock.now() < this.#begun + COMPILED_MS) return;
    const asked = usesOf([...admission, ...kept]);
    const roles = stale.filter((object) => !isAdmission(object) && !asked.has(roleOf(object)));
    await inParallel(roles, AT_ONCE, (object) => this.#remove(object, inForce));
  }

  /** Probes whether API servers still enforce the deleted admission policies. */
  async ask(servers: readonly ApiClient[]): Promise<void> {
    for (const [name, { probed, trustedFrom, inForce }] of this.#leaving) {
      if (this.#clock.now() < trustedFrom) continue;
      if (probed && !(await everywhere(servers, probed, '')).holds) continue;
      inForce.gone();
      this.#leaving.delete(name);
    }
  }

  /** Forgets a deleted program when a policy needs the program again. */
  comesBack(name: string): void {
    this.#leaving.delete(name);
  }

  async #remove(object: RenderedObject, inForceOf: (name: string) => InForce): Promise<void> {
    if (heldBy(object) !== undefined) return;
    const { name } = object.metadata;
    const written = await this.#refusals.attempt(keyOf(object), object, () => this.#writes.remove(object));
    if (!written || !hasText(object)) return;
    const inForce = inForceOf(name);
    const isProgram = labelOf(object, PROGRAM_LABEL) !== undefined;
    const kind = object.kind === 'MutatingAdmissionPolicy' ? 'Defaulting' : 'Enforce';
    const trustedFrom = isProgram && inForce.wasSeen ? 0 : this.#clock.now() + COMPILED_MS;
    const probed = isProgram ? ({ name, kind } as const) : undefined;
    this.#leaving.set(name, { policies: policiesIn(object), probed, inForce, trustedFrom });
    inForce.deleted();
  }
}

function boundBy(spec: unknown): string | undefined {
  return (spec as { readonly policyName?: string } | undefined)?.policyName;
}

function roleOf({ metadata }: RenderedObject): string {
  return metadata.name.slice(metadata.name.lastIndexOf(':') + 1);
}
