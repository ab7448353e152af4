/** Deletes objects of rulesets that are no longer wanted. */
import { type ApiClient, ApiError, isNotFound, pathOf } from '../cluster/client.ts';
import type { RenderedObject } from '../model/objects.ts';
import { inParallel } from '../runtime/in-parallel.ts';
import type { Records } from './record.ts';
import { isAdmission, policyOf, rulesetOf, type Unwanted, usesAsked } from './standing.ts';
import type { OnWrite, Writes } from './writes.ts';

interface RemovalOptions {
  readonly onWrite: OnWrite;
  /** Ends it before its next deletion, with its reason. */
  readonly signal?: AbortSignal;
}

/** The number of sets that are removed in parallel. */
const SETS_AT_ONCE = 8;

export class Removal {
  readonly #client: ApiClient;
  readonly #writes: Writes;
  readonly #records: Records;
  readonly #options: RemovalOptions;

  constructor(client: ApiClient, writes: Writes, records: Records, options: RemovalOptions) {
    this.#client = client;
    this.#writes = writes;
    this.#records = records;
    this.#options = options;
  }

  /** Step 4. Sets are removed in parallel, the objects of each in order. */
  async removeOld({ stale }: Unwanted): Promise<void> {
    const sets = Map.groupBy(stale.filter(isAdmission), (object) => `${policyOf(object)}/${rulesetOf(object)}`);
    await inParallel(sets.values(), SETS_AT_ONCE, async (objects) => {
      for (const object of objects) await this.removeIfAllowed(object);
    });
  }

  /** A set that somebody's admission policy keeps must not block all others. */
  async removeIfAllowed(object: RenderedObject): Promise<void> {
    try {
      await this.remove(object);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#records.of(policyOf(object)).unremoved = error;
    }
  }

  async remove(object: RenderedObject): Promise<void> {
    const { name, uid } = object.metadata;
    const { onWrite, signal } = this.#options;
    signal?.throwIfAborted();
    this.#writes.forget(object);
    const policy = policyOf(object);
    try {
      await this.#client.remove(pathOf(object), uid === undefined ? {} : { uid });
      onWrite('deleted', { kind: object.kind, name, policy });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    this.#writes.deleted(object);
    const ruleset = rulesetOf(object);
    const mutates = object.kind.startsWith('Mutating');
    if (ruleset) this.#records.of(policy).left({ policy, ruleset, mutates, uses: usesAsked(object) });
  }
}
