/**
 * A collection of objects that the operator itself writes. The collection uses the answer to a write before the watch
 * shows the write.
 */
import { type RawObject, versionOf } from '../model/raw.ts';
import { Collection } from './collection.ts';

export class WrittenCollection<View> extends Collection<View> {
  /**
   * The newest resource version that the watch has shown. Resource versions can be compared as numbers (KEP-5504). The
   * resource versions of etcd were always comparable.
   */
  #shown = 0n;

  override put(raw: RawObject): void {
    super.put(raw);
    this.#show(raw);
  }

  override remove(raw: RawObject): void {
    super.remove(raw);
    this.#show(raw);
  }

  /** @param raw the answer to a write. The watch may already have shown a later change or the deletion of the object */
  wrote(raw: RawObject): void {
    if (versionOf(raw) > this.#shown) super.put(raw);
  }

  #show(raw: RawObject): void {
    const version = versionOf(raw);
    if (version > this.#shown) this.#shown = version;
  }
}
