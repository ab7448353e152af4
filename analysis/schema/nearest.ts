/** Finds known names that the author of an unknown name may have meant. */

/** At most this fraction of a name's letters may differ. */
const CLOSE = 1 / 3;
const MOST = 3;

/**
 * The known names that differ from the given text by the fewest edits. If all names need too many edits, the result has
 * the names that contain the given text as a word. The list is empty if no name contains the given text.
 */
export function nearest(text: string, names: readonly string[], most = text.length * CLOSE): string[] {
  const distances = names.map((name) => ({ name, edits: edits(text, name) }));
  const least = Math.min(...distances.map(({ edits: count }) => count));
  if (least <= most) {
    return distances
      .filter(({ edits: count }) => count === least)
      .map(({ name }) => name)
      .slice(0, MOST);
  }
  return names.filter((name) => text !== '' && name.split('_').includes(text)).slice(0, MOST);
}

/**
 * The maximum length of a name to compare. Every known name is shorter. Without a limit, a comparison of long names
 * would take too much time.
 */
const LONGEST = 100;
/**
 * The maximum number of edits between a misspelt name and the name that the author meant. With more edits, the name is
 * a different word. For example, `mirrorVolumeMounts` does not mean `volumeMounts`.
 */
const MISTYPED = 2;

/** The known name that the author of a misspelt word meant. Upper and lower case are not distinguished. */
export function meantBy(text: string, names: readonly string[]): string | undefined {
  if (text.length > LONGEST) return undefined;
  const lower = names.map((name) => name.toLowerCase());
  const [found = ''] = nearest(text.toLowerCase(), lower, Math.min(MISTYPED, text.length * CLOSE));
  return names[lower.indexOf(found)];
}

/**
 * The number of letters that must be added, removed, replaced or swapped with a neighbour (optimal string alignment).
 */
function edits(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
