/** A document of a stream, or an item of a long list. */

/** No object is as large: etcd takes 1.5 MiB. A list in another form than kubectl's may hold some. */
export const MOST_CHARACTERS = 32 * 1024 * 1024;

export interface Piece {
  readonly text: string;
  /** The line of its beginning, from 1. */
  readonly line: number;
  /** It is an item of a list, and the list's form remains around it. */
  readonly item: boolean;
  /** What comes instead of a text that is too large to be held. */
  readonly tooLarge?: boolean;
}

/** The number of line breaks before an offset. */
export function newlinesIn(text: string, end = text.length): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < end; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
