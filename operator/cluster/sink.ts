/** The target of a reflector: receives the objects and events that the reflector reads. */
import { keyOf, type RawObject } from '../model/raw.ts';

/** Receives objects. Calls come one after the other. A call must only enqueue, because it blocks the reading. */
export interface Sink {
  /**
   * Called when a list begins. An object that is not put before `listed` does not exist. May be called again before
   * `listed`.
   */
  listing(): void;
  put(raw: RawObject): void;
  remove(raw: RawObject): void;
  /** The list has been read. After the first call, the sink is in step with the cluster. */
  listed(): void;
  /** The server does not serve this kind, so no objects of it exist. A sink without this method gets an empty list. */
  absent?(): void;
}

/** A sink that passes everything to several sinks. */
export function fanOut(sinks: readonly Sink[]): Sink {
  return {
    listing: () => sinks.forEach((sink) => void sink.listing()),
    put: (raw) => sinks.forEach((sink) => void sink.put(raw)),
    remove: (raw) => sinks.forEach((sink) => void sink.remove(raw)),
    listed: () => sinks.forEach((sink) => void sink.listed()),
  };
}

/** Passes on a list after all of it has been read: a partial list is a state that never existed. */
export function bufferUntilListed(sink: Sink): Sink {
  let held: Map<string, RawObject> | undefined;
  return {
    listing() {
      held = new Map();
    },
    put(raw) {
      if (held) held.set(keyOf(raw).join('/'), raw);
      else sink.put(raw);
    },
    remove(raw) {
      if (held) held.delete(keyOf(raw).join('/'));
      else sink.remove(raw);
    },
    listed() {
      const list = [...(held?.values() ?? [])];
      held = undefined;
      sink.listing();
      for (const raw of list) sink.put(raw);
      sink.listed();
    },
  };
}
