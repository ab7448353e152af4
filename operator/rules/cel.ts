/** CEL fragments that several rules share. */
import { all, type Condition, choose, not } from './condition.ts';

/** A JSON value as a CEL literal. JSON is valid CEL, because CEL's string escapes are a superset of JSON's. */
export function literal(value: string | readonly string[]): string {
  return typeof value === 'string'
    ? JSON.stringify(value)
    : `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
}

/** The values as text for messages: `NET_RAW, CHOWN`, or `none`. */
export function listed(values: readonly string[]): string {
  return values.length === 0 ? 'none' : values.join(', ');
}

/** CEL, bool: the pod asks for a user namespace of its own (KEP-127). */
export const IN_USER_NAMESPACE = '!variables.spec.?hostUsers.orValue(true)';

/**
 * CEL, bool: the pod is for Windows nodes, by its field `os` (KEP-2802). The API server refuses Linux-only fields on
 * such a pod.
 */
export const FOR_WINDOWS = 'variables.spec.?os.?name.orValue("") == "windows"';

/**
 * CEL, bool: whether a text matches one of the patterns.
 * @param text CEL, string
 * @param patterns `*` at the end matches any ending
 */
export function matchesAny(text: string, patterns: readonly string[]): string {
  const exact = patterns.filter((pattern) => !pattern.endsWith('*'));
  const beginnings = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  const conditions = [
    ...(exact.length > 0 ? [`${text} in ${literal(exact)}`] : []),
    ...beginnings.map((beginning) => `${text}.startsWith(${literal(beginning)})`),
  ];
  return conditions.length === 0 ? 'false' : conditions.join(' || ');
}

/**
 * Whether a text matches one of the patterns. The JavaScript function gives the same result as the CEL of `matchesAny`.
 */
export function isMatch(text: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => (pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern));
}

/** CEL, list: the pod's containers of every kind. */
export const ALL_CONTAINERS =
  '(variables.spec.?initContainers.orValue([]) + variables.spec.?containers.orValue([]) + variables.spec.?ephemeralContainers.orValue([]))';

/**
 * The length of the longest list whose wrong items a message lists. A message about a longer list only reports that the
 * list is longer.
 */
export const MOST_NAMED = 256;

/**
 * CEL, string: the fragment of a message with the wrong items of a list.
 * @param list CEL, list
 * @param names CEL, string: the wrong items as text, computed by iterating over the whole list
 */
export function namedIn(list: string, names: string): string {
  return `(${list}.size() > ${MOST_NAMED} ? "in a list of more than ${MOST_NAMED}" : ${names})`;
}

/** CEL, optional: a field of the securityContext that a container gets: its own field, or else the pod's field. */
export function effective(field: string): string {
  return `c.?securityContext.?${field}.or(variables.spec.?securityContext.?${field})`;
}

/** The fields of a fill that an expression about the pod after defaulting needs. */
interface Filled {
  readonly applies?: Condition;
  readonly when: string;
  readonly value: string;
}

/**
 * CEL, optional: a field of the securityContext that a container gets after defaulting.
 * @param fills the fill of the container, and the fill of the pod, which has no effect on an existing pod
 */
export function effectiveAfterFilling(
  field: string,
  { container, pod }: Readonly<Record<'container' | 'pod', Filled | undefined>>,
): string {
  const filled = (one: Filled | undefined, otherwise: string, unless: Condition = false) =>
    one
      ? choose(all(one.applies ?? true, not(unless), one.when), `optional.of(dyn(${one.value}))`, otherwise)
      : otherwise;
  const ofPod = filled(pod, `variables.spec.?securityContext.?${field}`, IS_EPHEMERAL);
  return filled(container, `c.?securityContext.?${field}.or(${ofPod})`);
}

/**
 * CEL, bool: the securityContext of container `c` does not set the field, so the container inherits the pod's field.
 */
export function takesFromPod(field: string): string {
  return `!c.?securityContext.?${field}.hasValue()`;
}

/**
 * CEL, bool: the pod leaves a field of the securityContext unset, and so does at least one container, which would
 * inherit the field. The expression is for fields that defaulting writes on a pod.
 */
export function isUnsetForSome(field: string): string {
  const containers = 'variables.spec.?initContainers.orValue([]) + variables.spec.containers';
  return and(
    `!variables.spec.?securityContext.?${field}.hasValue()`,
    `(${containers}).exists(x, !x.?securityContext.?${field}.hasValue())`,
  );
}

/** CEL, bool: `c` was added to an existing pod, so the pod's own fields cannot be filled any more. */
export const IS_EPHEMERAL = 'variables.spec.?ephemeralContainers.orValue([]).exists(e, e.name == c.name)';

/**
 * CEL, bool: the pod is not in a user namespace. From v1.35 on, the Standards make an exception for user namespaces;
 * undefined in earlier versions.
 */
export function unlessInUserNamespace(minor: number): string | undefined {
  return minor >= 35 ? `!(${IN_USER_NAMESPACE})` : undefined;
}

/** Returns `a || b || …`, with each term in brackets; empty if there are no terms. */
export function or(...conditions: readonly string[]): string {
  return conditions.map((condition) => `(${condition})`).join(' || ');
}

/** Returns `a && b && …`, with each term in brackets and without undefined terms. */
export function and(...conditions: readonly (string | undefined)[]): string {
  return conditions
    .filter((condition) => condition !== undefined)
    .map((condition) => `(${condition})`)
    .join(' && ');
}
