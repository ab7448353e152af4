/** Finds the containers that something added to a pod, and names them in messages. */
import { type PlacedContainer, placedContainers } from '../model/containers.ts';
import type { PodSpec } from '../model/objects.ts';
import { perObject } from '../policy/memo.ts';
import { firstOf } from '../text/wording.ts';
import { type WorkloadName, workloadText } from './workloads.ts';

export interface AddedContainer {
  readonly name: string;
  readonly list: PlacedContainer['list'];
  /** The image. A manifest may lack it. */
  readonly image?: string;
}

const NONE: readonly AddedContainer[] = Object.freeze([]);

/**
 * The containers that a pod has and its template lacks, by name. Names are unique in a pod, so a container that moved to
 * another list is not an added container. Equal pods of equal templates share one list.
 */
export function addedContainers(pod: PodSpec, template: PodSpec): readonly AddedContainer[] {
  return pod === template ? NONE : addedTo(template)(pod);
}

const addedTo = perObject((template: PodSpec) => {
  const known = new Set(placedContainers(template).map(({ container }) => container.name));
  return perObject((pod: PodSpec): readonly AddedContainer[] => {
    const added = placedContainers(pod).filter(({ container }) => !known.has(container.name));
    return added.length === 0 ? NONE : added.map(addedContainer);
  });
});

function addedContainer({ list, container: { name, image } }: PlacedContainer): AddedContainer {
  return { name, list, ...(typeof image === 'string' && { image }) };
}

const NAMED = 3;

/**
 * Says where containers come from, such as `container "istio-init" is not in the template of Deployment net/pinger:
 * something injects it`. An ephemeral container was added to a running pod.
 *
 * @param added at least one container
 */
export function addedText(added: readonly AddedContainer[], workload: WorkloadName): string {
  const injected = added.filter(({ list }) => list !== 'ephemeralContainers');
  const one = (injected.length > 0 ? injected : added).length === 1;
  const how =
    injected.length > 0
      ? `something injects ${one ? 'it' : 'them'}`
      : `added to ${one ? 'a running pod' : 'running pods'}`;
  const names = firstOf(
    (injected.length > 0 ? injected : added).map(({ name }) => JSON.stringify(name)),
    NAMED,
  );
  return `${one ? 'container' : 'containers'} ${names} ${one ? 'is' : 'are'} not in the template of ${workloadText(workload)}: ${how}`;
}
