/**
 * Lists the entries or values of a map in the order of the keys. The order of the results does not depend on the order
 * of insertion into the map.
 */

export function entriesByKey<Value>(map: ReadonlyMap<string, Value>): [string, Value][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

export function valuesByKey<Value>(map: ReadonlyMap<string, Value>): Value[] {
  return entriesByKey(map).map(([, value]) => value);
}
