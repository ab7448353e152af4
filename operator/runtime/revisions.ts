/**
 * Notices that the storage of the API servers went back to an earlier revision. A restore of etcd without
 * `--bump-revision` does this. The watches then go on from a revision of the future, and show no change until the
 * storage reaches this revision again.
 */
import type { Clock } from './clock.ts';

/** The time in ms between two reads of the revision. */
const FOLLOW_MS = 2_000;

export class Revisions {
  readonly #wentBack: (seen: string, found: string) => void;
  #newest: bigint | undefined;

  /** @param wentBack receives the newest resourceVersion that was seen, and the older one that was found */
  constructor(wentBack: (seen: string, found: string) => void) {
    this.#wentBack = wentBack;
  }

  /**
   * Asks for an answer, and looks at its resourceVersion. The request must be a write, or a read without a
   * resourceVersion. Such a request never shows less than what was seen before it began. A watch cache may.
   */
  async asking<Answer>(
    ask: () => Promise<Answer>,
    versionOf: (answer: NonNullable<Answer>) => string | undefined,
  ): Promise<Answer> {
    const before = this.#newest;
    const answer = await ask();
    const found = answer === undefined || answer === null ? undefined : numberIn(versionOf(answer));
    if (found !== undefined) this.#found(found, before);
    return answer;
  }

  /** Reads the revision again and again, until `signal` is aborted. A failed read is tried again. */
  async follow(
    read: () => Promise<string | undefined>,
    signal: AbortSignal,
    clock: Pick<Clock, 'sleep'>,
  ): Promise<void> {
    while (!signal.aborted) {
      // The client reports its own failures, and the next read may succeed.
      await this.asking(read, (version) => version).catch(() => {});
      await clock.sleep(FOLLOW_MS, signal);
    }
  }

  #found(found: bigint, before: bigint | undefined): void {
    const newest = this.#newest;
    if (newest === undefined || found > newest) this.#newest = found;
    // Several requests may be under way. Only the first answer from the older storage reports it.
    else if (before !== undefined && found < before && before <= newest) {
      this.#newest = found;
      this.#wentBack(String(newest), String(found));
    }
  }
}

/** Resource versions of API servers that use etcd are numbers. Others cannot be compared. */
function numberIn(version: string | undefined): bigint | undefined {
  return version !== undefined && /^\d+$/.test(version) ? BigInt(version) : undefined;
}
