/** Calculates, from the values of the capability rules, which capabilities a container may end up holding. */
import { type AllowedBounding, allowedBounding } from '../../operator/rules/allowed-bounding.ts';
import { capabilities } from '../../operator/rules/capabilities.ts';
import type { Capabilities } from '../../operator/rules/capability-lists.ts';
import { privileged } from '../../operator/rules/privileged.ts';
import { CAPABILITIES, RUNTIME_DEFAULT } from '../../operator/standards/capabilities.ts';

/** The IDs of the rules that together determine which capabilities a container may hold. */
export const CAPABILITY_RULES: readonly string[] = [capabilities.id, allowedBounding.id, privileged.id];

export interface Holdable {
  /**
   * The capabilities that an admitted container can hold. Either the container adds the capability, or the container
   * runtime gives the capability.
   */
  readonly names: readonly string[];
  /** Whether a container may be privileged. A privileged container holds all capabilities. */
  readonly privileged: boolean;
}

/** @param values the values of the rules, by rule ID @param inUserNamespace whether the pod has `hostUsers: false` */
export function holdable(values: Readonly<Record<string, unknown>>, inUserNamespace: boolean): Holdable {
  const lists = values[capabilities.id] as Capabilities;
  const bounding = values[allowedBounding.id] as AllowedBounding;
  const mapped = inUserNamespace ? [...(lists.allowedAddInUserNamespace ?? []), ...bounding.inUserNamespace] : [];
  const isIn = (names: readonly string[], name: string) =>
    names.includes('*') || names.includes('ALL') || names.includes(name);
  // A container that drops ALL keeps the capabilities that it adds. If a container drops a capability by name, the
  // container does not keep this capability.
  const mustDrop = (name: string) => lists.dropByName === true && lists.requiredDrop.includes(name);
  const mayAdd = (name: string) => !mustDrop(name) && (isIn(lists.allowedAdd, name) || isIn(mapped, name));
  const mayKeep = (name: string) => RUNTIME_DEFAULT.includes(name) && !isIn(lists.requiredDrop, name);
  const mayBound = (name: string) => isIn(bounding.allowed, name) || isIn(mapped, name);
  return {
    names: CAPABILITIES.filter((name) => (mayAdd(name) || mayKeep(name)) && mayBound(name)),
    privileged: values[privileged.id] === true && CAPABILITIES.every(mayBound),
  };
}
