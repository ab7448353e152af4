/**
 * A table of the offsets at which the lines of a text begin. With the table, finding the lines of many positions is
 * fast.
 */
export class LineTable {
  readonly #text: string;
  #lineFeeds: readonly number[] | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** The line of a position, where 0 is the first line. */
  of(offset: number): number {
    this.#lineFeeds ??= lineFeedsIn(this.#text);
    return countBelow(this.#lineFeeds, offset);
  }
}

function lineFeedsIn(text: string): number[] {
  const offsets: number[] = [];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) offsets.push(at);
  return offsets;
}

/** The number of entries that are below the limit. @param sorted the numbers in ascending order */
function countBelow(sorted: readonly number[], limit: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
