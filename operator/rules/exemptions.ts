/** The exceptions from rules that the Standards make, by their version: for pods in a user namespace, and for Windows. */
import type { Standard } from '../standards/level-version.ts';
import { FOR_WINDOWS, IN_USER_NAMESPACE } from './cel.ts';
import { all, type Condition, not } from './condition.ts';
import type { Columns, Values } from './values.ts';

/** The column that the conditions below read. */
export function exemptions({ minor }: Standard): Columns {
  return { exempt: [...(minor >= 25 ? ['windows'] : []), ...(minor >= 35 ? ['userNamespaces'] : [])] };
}

/** Whether the exception for pods in a user namespace leaves the pod to the rule. */
export function isOutsideUserNamespace(values: Values): Condition {
  return not(all(values.includes('exempt', 'userNamespaces'), IN_USER_NAMESPACE));
}

/** Whether the exception for pods for Windows leaves the pod to the rule. */
export function isForLinux(values: Values): Condition {
  return not(all(values.includes('exempt', 'windows'), FOR_WINDOWS));
}
