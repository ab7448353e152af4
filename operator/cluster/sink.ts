/** A sink is the target of a reflector, and receives the objects and events that the reflector reads. */
import { keyOf, type RawObject } from '../model/raw.ts';

/**
 * Receives objects. The reflector calls a sink's methods one after the other. The reflector waits until a method of the
 * sink returns. A method must therefore only enqueue work.
 */
export interface Sink {
  /**
   * The reflector calls this method when a list begins. Afterwards, the reflector passes each existing object to `put`,
   * and calls `listed` at the end. If the reflector reads a list again, the reflector may call `listing` a second time
   * before `listed`.
   */
  listing(): void;
  put(raw: RawObject): void;
  remove(raw: RawObject): void;
  /**
   * The reflector calls this method when the reflector has read the whole list. After the first call of `listed`, the
   * sink has the state of the cluster.
   */
  listed(): void;
  /**
   * The reflector calls this method if the server does not serve the kind. In this case, no objects of the kind exist.
   * If a sink has no method `absent`, the sink gets an empty list.
   */
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

/**
 * Passes on a list after the whole list has been read. A partial list would show a state of the cluster that never
 * existed.
 */
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
