/**
 * Some versions of the Standards make these exceptions from rules. One exception is for pods in a user namespace. The
 * other exception is for pods for Windows.
 */
import type { Standard } from '../standards/level-version.ts';
import { FOR_WINDOWS, IN_USER_NAMESPACE } from './cel.ts';
import { all, type Condition, not } from './condition.ts';
import type { Columns, Values } from './values.ts';

/** The column `exempt`, with the exceptions that the version of the Standards makes. */
export function exemptions({ minor }: Standard): Columns {
  return { exempt: [...(minor >= 25 ? ['windows'] : []), ...(minor >= 35 ? ['userNamespaces'] : [])] };
}

/**
 * A CEL expression of type bool: true if the rule applies to the pod. The rule does not apply to a pod in a user
 * namespace if the Standard makes an exception for such pods.
 */
export function isOutsideUserNamespace(values: Values): Condition {
  return not(all(values.includes('exempt', 'userNamespaces'), IN_USER_NAMESPACE));
}

/**
 * A CEL expression of type bool: true if the rule applies to the pod. The rule does not apply to a pod for Windows if
 * the Standard makes an exception for such pods.
 */
export function isForLinux(values: Values): Condition {
  return not(all(values.includes('exempt', 'windows'), FOR_WINDOWS));
}
