/** The containers of a pod, including init and ephemeral containers. */
import type { Container, PodSpec } from './objects.ts';

/** The fields of a PodSpec that list containers. Messages mention containers in the order of these fields. */
export const CONTAINER_LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const;

export interface PlacedContainer {
  readonly list: (typeof CONTAINER_LISTS)[number];
  readonly index: number;
  readonly container: Container;
}

export function placedContainers(spec: PodSpec): PlacedContainer[] {
  return CONTAINER_LISTS.flatMap((list) => (spec[list] ?? []).map((container, index) => ({ list, index, container })));
}

export function containersOf(spec: PodSpec): Container[] {
  return CONTAINER_LISTS.flatMap((list) => spec[list] ?? []);
}

/** Returns a copy of the PodSpec in which `change` has replaced each list of containers. */
export function withContainers(
  spec: PodSpec,
  change: (containers: readonly Container[]) => readonly Container[],
): PodSpec {
  const lists = CONTAINER_LISTS.flatMap((list) => (spec[list] ? [[list, change(spec[list])] as const] : []));
  return { ...spec, ...Object.fromEntries(lists) };
}
