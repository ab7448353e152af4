/** Values that cannot be changed any more, so that results about them can be remembered. */

/** The same value, with everything in it frozen. */
export function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  for (const key of Object.keys(value)) frozen(value[key as keyof Value]);
  return Object.freeze(value);
}
