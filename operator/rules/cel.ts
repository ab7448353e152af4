/** CEL fragments that several rules share. */
import { all, type Condition, choose, not } from './condition.ts';

/** A JSON value as a CEL literal. JSON is valid CEL, because CEL's string escapes are a superset of JSON's. */
export function literal(value: string | readonly string[]): string {
  return typeof value === 'string'
    ? JSON.stringify(value)
    : `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
}

/** The values as text for messages, such as `NET_RAW, CHOWN` or `none`. */
export function listed(values: readonly string[]): string {
  return values.length === 0 ? 'none' : values.join(', ');
}

/** A CEL expression of type bool: true if the pod asks for its own user namespace (KEP-127). */
export const IN_USER_NAMESPACE = '!variables.spec.?hostUsers.orValue(true)';

/**
 * A CEL expression of type bool: true if the field `os` shows that the pod is for Windows nodes (KEP-2802). The API
 * server refuses Linux-only fields on a pod for Windows nodes.
 */
export const FOR_WINDOWS = 'variables.spec.?os.?name.orValue("") == "windows"';

/**
 * A CEL expression of type bool: whether a text matches one of the patterns.
 * @param text CEL of type string
 * @param patterns a `*` at the end of a pattern matches any ending
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
 * Whether a text matches one of the patterns. This JavaScript function gives the same result as the CEL expression that
 * `matchesAny` returns.
 */
export function isMatch(text: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => (pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern));
}

/** A CEL expression of type list: the pod's containers of every kind. */
export const ALL_CONTAINERS =
  '(variables.spec.?initContainers.orValue([]) + variables.spec.?containers.orValue([]) + variables.spec.?ephemeralContainers.orValue([]))';

/**
 * If a list has at most this length, a message names the wrong items of the list. The message about a longer list says
 * only that the list is longer than this maximum.
 */
export const MOST_NAMED = 256;

/**
 * A CEL expression of type string: the part of a message about the wrong items of a list.
 * @param list CEL of type list
 * @param names CEL of type string: the wrong items as text, computed by iterating over the whole list
 */
export function namedIn(list: string, names: string): string {
  return `(${list}.size() > ${MOST_NAMED} ? "in a list of more than ${MOST_NAMED}" : ${names})`;
}

/**
 * A CEL expression of type optional: a field of the securityContext that applies to a container. If the container's own
 * field is set, this field applies. Otherwise, the pod's field applies.
 */
export function effective(field: string): string {
  return `c.?securityContext.?${field}.or(variables.spec.?securityContext.?${field})`;
}

/** The properties of a fill that expressions about the pod after defaulting need. */
interface Filled {
  readonly applies?: Condition;
  readonly when: string;
  readonly value: string;
}

/**
 * A CEL expression of type optional: a field of the securityContext that applies to a container after defaulting.
 * @param fills the fill of the container, and the fill of the pod. On an existing pod, the fill of the pod has no
 * effect
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
 * A CEL expression of type bool: true if the securityContext of container `c` does not set the field, so the container
 * inherits the pod's field.
 */
export function takesFromPod(field: string): string {
  return `!c.?securityContext.?${field}.hasValue()`;
}

/**
 * A CEL expression of type bool: true if the pod and at least one of its containers leave a field of the
 * securityContext unset. A container whose field is unset would inherit the pod's field. The expression is for fields
 * that defaulting writes on a pod.
 */
export function isUnsetForSome(field: string): string {
  const containers = 'variables.spec.?initContainers.orValue([]) + variables.spec.containers';
  return and(
    `!variables.spec.?securityContext.?${field}.hasValue()`,
    `(${containers}).exists(x, !x.?securityContext.?${field}.hasValue())`,
  );
}

/**
 * A CEL expression of type bool: true if `c` was added to an existing pod. In an existing pod, defaulting can no longer
 * fill in the pod's own fields.
 */
export const IS_EPHEMERAL = 'variables.spec.?ephemeralContainers.orValue([]).exists(e, e.name == c.name)';

/**
 * A CEL expression of type bool: true if the pod is not in a user namespace. From v1.35 on, the Standards make an
 * exception for user namespaces. For earlier versions, the result is undefined.
 */
export function unlessInUserNamespace(minor: number): string | undefined {
  return minor >= 35 ? `!(${IN_USER_NAMESPACE})` : undefined;
}

/** Returns `a || b || …`, with each term in brackets. If there are no terms, the result is empty. */
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
