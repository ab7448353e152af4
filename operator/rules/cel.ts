/** Words that the rules' CEL texts share. */

/** A CEL literal of a JSON value: CEL's string escapes are a superset of JSON's. */
export function literal(value: string | readonly string[]): string {
  return typeof value === 'string'
    ? JSON.stringify(value)
    : `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
}

/** For messages: `NET_RAW, CHOWN`, or `none`. */
export function listed(values: readonly string[]): string {
  return values.length === 0 ? 'none' : values.join(', ');
}

/** The pod asks for a user namespace of its own (KEP-127). */
export const IN_USER_NAMESPACE = '!variables.spec.?hostUsers.orValue(true)';

/** The pod says that it is for Windows nodes (KEP-2802): the API server refuses Linux-only fields on it. */
export const FOR_WINDOWS = 'variables.spec.?os.?name.orValue("") == "windows"';

/** `a && b && …`, each in brackets; leaves out what is undefined. */
export function and(...conditions: readonly (string | undefined)[]): string {
  return conditions
    .filter((condition) => condition !== undefined)
    .map((condition) => `(${condition})`)
    .join(' && ');
}
