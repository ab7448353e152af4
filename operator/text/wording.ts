/** Writes counts and lists for people to read. */

/** Returns the first items as text, followed by the number of further items, such as `a, b, c and 2 more`. */
export function firstOf(items: readonly string[], count: number, separator = ', '): string {
  const rest = items.length - count;
  return items.slice(0, count).join(separator) + (rest > 0 ? ` and ${rest} more` : '');
}

/** Returns a number with its noun, such as `1 workload`, `2 workloads` or `2 policies`. */
export function counted(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : `${noun.replace(/y$/, 'ie')}s`}`;
}
