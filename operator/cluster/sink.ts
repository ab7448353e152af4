/** Where a reflector puts what it reads. */
import { keyOf, type RawObject } from './raw.ts';

/** Takes what is read. Its calls come one after the other, and must only hand over: they hold up the reading. */
export interface Sink {
  /** A list begins: what is not put until `listed` does not exist. May be called again before `listed`. */
  listing(): void;
  put(raw: RawObject): void;
  remove(raw: RawObject): void;
  /** The list has been read; the first time, the sink is in step with the cluster. */
  listed(): void;
  /** The server has no such kind, nor anything of it. A sink that does not ask is given an empty list. */
  absent?(): void;
}

/** One sink that hands everything to several. */
export function together(sinks: readonly Sink[]): Sink {
  return {
    listing: () => sinks.forEach((sink) => void sink.listing()),
    put: (raw) => sinks.forEach((sink) => void sink.put(raw)),
    remove: (raw) => sinks.forEach((sink) => void sink.remove(raw)),
    listed: () => sinks.forEach((sink) => void sink.listed()),
  };
}

/** Hands a list on once all of it has been read: half of one, where it breaks off, is a state that never was. */
export function whole(sink: Sink): Sink {
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
