/** Sends Server-Sent Events to each page. The events contain the changes since the page's last event. */
import { differenceOf } from '../../../analysis/snapshot/difference.ts';
import type { Snapshot } from '../../../analysis/snapshot/document.ts';
import type { ShownContext } from './followed-context.ts';
import { jsonChunks } from './json-chunks.ts';
import { within } from './within.ts';

/**
 * The interval between two heartbeats, in ms. If heartbeats arrive, the page knows that the server is running. If a
 * heartbeat fails, the server knows that the connection is closed.
 */
const HEARTBEAT_MS = 15_000;
/** The time after which a browser tries to connect again, in ms. */
const RETRY_MS = 1_000;

export class Feed {
  readonly #contexts: readonly ShownContext[];
  #next = Promise.withResolvers<void>();

  constructor(contexts: readonly ShownContext[]) {
    this.#contexts = contexts;
  }

  /** Callers must call this method after each change in a context. */
  update(): void {
    const next = this.#next;
    this.#next = Promise.withResolvers();
    next.resolve();
  }

  /**
   * Yields the events for one page, until the signal is aborted. The first events of a page contain whole snapshots.
   * The feed makes an event only after the page has accepted the previous event. If a page is slow, a single event
   * therefore covers several changes.
   */
  async *events(signal: AbortSignal): AsyncGenerator<string> {
    const sent = new Map<string, Snapshot>();
    let states = '';
    yield `retry: ${RETRY_MS}\n\n`;
    while (!signal.aborted) {
      // The feed subscribes to the next change before it reads the state, so that no change is missed.
      const next = this.#next.promise;
      const current = JSON.stringify(this.#contexts.map(({ context, problem }) => ({ context, problem })));
      if (current !== states) yield* event('contexts', JSON.parse(current));
      states = current;
      for (const one of this.#contexts) yield* this.#since(sent, one);
      const came = await within(HEARTBEAT_MS, next, signal);
      if (!came && !signal.aborted) yield ':\n\n';
    }
  }

  *#since(sent: Map<string, Snapshot>, { context, snapshot }: ShownContext): Generator<string> {
    const before = sent.get(context);
    if (!snapshot || snapshot === before) return;
    sent.set(context, snapshot);
    const difference = before && differenceOf(before, snapshot);
    if (!before) yield* event('snapshot', snapshot);
    else if (difference) yield* event('difference', { context, difference });
  }
}

function* event(name: string, content: unknown): Generator<string> {
  yield `event: ${name}\ndata: `;
  yield* jsonChunks(content);
  yield '\n\n';
}
