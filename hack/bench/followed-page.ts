/** Follows the events of cappol ui without a browser, and keeps the snapshot that the events describe. */
import { type Difference, withDifference } from '../../analysis/snapshot/difference.ts';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { readEvents, type UiSession } from './ui-events.ts';

export class FollowedPage {
  #snapshot: Snapshot | undefined;
  #asked: { isThere(snapshot: Snapshot): boolean; found(at: number): void } | undefined;

  get snapshot(): Snapshot {
    if (!this.#snapshot) throw new Error('the page has no snapshot yet');
    return this.#snapshot;
  }

  open(link: string | UiSession): Promise<UiSession> {
    const apply = (name: string, data: string) => {
      const at = performance.now();
      if (name === 'snapshot') this.#snapshot = JSON.parse(data) as Snapshot;
      if (name === 'difference' && this.#snapshot) {
        const { difference } = JSON.parse(data) as { difference: Difference };
        this.#snapshot = withDifference(this.#snapshot, difference);
      }
      this.#look(at);
    };
    return readEvents(link, ({ name, data }) => apply(name, data));
  }

  /**
   * Waits until the snapshot fulfils a condition. @returns the arrival time of the event that made the snapshot fulfil
   * the condition
   */
  until(isThere: (snapshot: Snapshot) => boolean): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#asked = { isThere, found: resolve };
    this.#look(performance.now());
    return promise;
  }

  #look(at: number): void {
    const asked = this.#asked;
    if (!asked || !this.#snapshot || !asked.isThere(this.#snapshot)) return;
    this.#asked = undefined;
    asked.found(at);
  }
}
