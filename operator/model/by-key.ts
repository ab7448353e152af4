/** Maps that iterate in the order of their keys, so that no result depends on the order in which they were filled. */

export function entriesByKey<Value>(map: ReadonlyMap<string, Value>): [string, Value][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

export function valuesByKey<Value>(map: ReadonlyMap<string, Value>): Value[] {
  return entriesByKey(map).map(([, value]) => value);
}
