/** A piece is a document of a stream, or an item of a long list. */

/**
 * The maximum number of characters of a piece. No Kubernetes object is larger, because etcd accepts at most 1.5 MiB. A
 * list that does not have kubectl's form is a single piece. The piece with the whole list may be larger than one
 * object.
 */
export const MOST_CHARACTERS = 32 * 1024 * 1024;

export interface Piece {
  readonly text: string;
  /** The line where the text begins. The first line is 1. */
  readonly line: number;
  /**
   * Whether the piece is an item of a list. After the items, the remaining text of the list follows as a separate
   * piece.
   */
  readonly item: boolean;
  /** True if the text was dropped because it was too large to be kept in memory. */
  readonly tooLarge?: boolean;
}

/** The number of line breaks before an offset. */
export function newlinesIn(text: string, end = text.length): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < end; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
