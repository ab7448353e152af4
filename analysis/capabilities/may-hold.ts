/**
 * The capabilities that a container in a policy's namespace may end up holding. Only views use this estimate. Admission
 * decides by CEL.
 */
import type { Container } from '../../operator/model/objects.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { isMatch } from '../../operator/rules/cel.ts';
import { type Holdable, holdable } from './holdable.ts';

/** @param inUserNamespace whether the pod has `hostUsers: false` */
export function mayHold(policy: ResolvedPolicy, container: Container, inUserNamespace: boolean): Holdable {
  return holdable({ ...policy.values, ...entryOf(policy, container)?.values }, inUserNamespace);
}

/** The entry of `spec.containers` that applies to the container; undefined if no entry applies. */
function entryOf({ containers }: ResolvedPolicy, { name, image }: Container) {
  const reference = typeof image === 'string' ? image : '';
  return containers.find(({ names, images }) => names.includes(name) && (!images || isMatch(reference, images)));
}
