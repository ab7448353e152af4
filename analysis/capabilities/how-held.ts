/**
 * Says how a container came to hold a capability. Either the container is privileged, or the container adds the
 * capability, or the runtime gives the capability.
 */
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import { bareName, type CapabilityRequest, granted } from './held-by-runtime.ts';
import { CONTAINER_RUNTIMES, CONTAINERD, type ContainerRuntime, upperCase } from './runtimes.ts';

/**
 * Privileged: the container is privileged, so it holds all capabilities. Added: the container adds the capability.
 * ByDefault: the container runtime gives the capability to every container.
 */
export type Way = 'Privileged' | 'Added' | 'ByDefault';

/**
 * The ways of holding a capability. The ways are sorted by the number of requested capabilities. The way that requests
 * the most capabilities comes first. The last way requests no capability.
 */
export const WAYS: readonly Way[] = ['Privileged', 'Added', 'ByDefault'];

/**
 * Returns a function that says how the container came to hold a capability. The caller must know that the container
 * holds the capability on the given runtime.
 */
export function wayOn(
  { name }: Pick<ContainerRuntime, 'name'>,
  { privileged, add }: Pick<CapabilityRequest, 'privileged' | 'add'>,
): (capability: string) => Way {
  // containerd reads CAP_CHOWN as CAP_CAP_CHOWN, and ignores this unknown name.
  const added = new Set(add.map(name === CONTAINERD.name ? upperCase : bareName));
  return (capability) =>
    privileged ? 'Privileged' : added.has(capability) || added.has('ALL') ? 'Added' : 'ByDefault';
}

/** How a container holds a capability, and on which runtimes the container holds the capability. */
export interface HowHeld {
  /**
   * The way of holding the capability. If the container holds the capability in different ways on different runtimes,
   * the value is the way that requests the most capabilities.
   */
  readonly way: Way;
  readonly runtimes: readonly ContainerRuntime['name'][];
}

/** @returns undefined if the container holds the capability on no runtime */
export function howHeld(request: CapabilityRequest, capability: string): HowHeld | undefined {
  return allHeld(request).get(capability);
}

/** The capabilities that the container holds on at least one runtime, in the order of the kernel's numbers. */
export function allHeld(request: CapabilityRequest): ReadonlyMap<string, HowHeld> {
  const grants = CONTAINER_RUNTIMES.flatMap((runtime) => {
    const grant = granted(runtime, request);
    const wayOf = wayOn(runtime, request);
    return 'error' in grant ? [] : [{ name: runtime.name, wayOf, capabilities: new Set(grant.capabilities) }];
  });
  const held = new Map<string, HowHeld>();
  for (const capability of CAPABILITIES) {
    const found = grants.filter(({ capabilities }) => capabilities.has(capability));
    const ways = found.map(({ wayOf }) => wayOf(capability));
    const way = WAYS.find((one) => ways.includes(one));
    if (way) held.set(capability, { way, runtimes: found.map(({ name }) => name) });
  }
  return held;
}
