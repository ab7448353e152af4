/** Freezes values, so that functions can cache results that they compute from a value. */

/** Freezes the value and everything inside the value, and returns the value. */
export function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  for (const key of Object.keys(value)) frozen(value[key as keyof Value]);
  return Object.freeze(value);
}
