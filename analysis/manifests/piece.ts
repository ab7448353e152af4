/** A document of a stream, or an item of a long list. */

/** No Kubernetes object is larger: etcd accepts 1.5 MiB. A list in a form other than kubectl's may contain some. */
export const MOST_CHARACTERS = 32 * 1024 * 1024;

export interface Piece {
  readonly text: string;
  /** The line of its beginning, from 1. */
  readonly line: number;
  /** It is an item of a list, and the list's own text remains around it. */
  readonly item: boolean;
  /** Replaces a text that is too large to be kept in memory. */
  readonly tooLarge?: boolean;
}

/** The number of line breaks before an offset. */
export function newlinesIn(text: string, end = text.length): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < end; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
