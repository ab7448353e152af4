/** Finds the lines of fields in a document that is written in block style. */
import type { FieldPath } from '../schema/paths.ts';
import { offsetsInBlockStyle } from './block-style.ts';
import { LineTable } from './line-table.ts';

export class BlockLines {
  readonly #document: ReturnType<typeof offsetsInBlockStyle>;
  readonly #lines: LineTable;

  /** @param text a text that `readBlockStyle` accepted */
  constructor(text: string) {
    this.#document = offsetsInBlockStyle(text);
    this.#lines = new LineTable(text);
  }

  /**
   * The line of the field, where 0 is the first line. If the field is absent, the result is the line of the field's
   * nearest existing parent.
   */
  of(path: FieldPath): number {
    const { value, start, offsets } = this.#document;
    let [part, at] = [value, start];
    for (const step of path) {
      const offset = offsets.get(part)?.get(step);
      if (offset === undefined) break;
      at = offset;
      part = (part as Record<string | number, unknown>)[step];
    }
    return this.#lines.of(at);
  }
}
