/** A collection of objects that the operator itself writes: the answer to a write counts before the watch shows it. */
import { type RawObject, versionOf } from '../model/raw.ts';
import { Collection } from './collection.ts';

export class WrittenCollection<View> extends Collection<View> {
  /**
   * The newest resource version that the watch has shown. Resource versions can be compared as numbers (KEP-5504), and
   * the resource versions of etcd always could.
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

  /** @param raw the answer to a write, which may come after the watch has shown a later change or the deletion */
  wrote(raw: RawObject): void {
    if (versionOf(raw) > this.#shown) super.put(raw);
  }

  #show(raw: RawObject): void {
    const version = versionOf(raw);
    if (version > this.#shown) this.#shown = version;
  }
}
