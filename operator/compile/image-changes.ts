/**
 * Changes of images: the API server lets people change the image of a running container. Where `spec.containers` names
 * images, a change that concerns a named container is judged like the creation of the pod; no other change is.
 */
import { literal } from '../rules/cel.ts';
import type { CandidatePolicy } from './decision-cel.ts';
import { POD_UPDATES, PODS, RESOURCE } from './match.ts';
import { EPHEMERAL } from './pod-cel.ts';

interface ImageChanges {
  /** The requests about pods that the admission policy and its binding match. */
  readonly pods: typeof PODS;
  /** CEL, bools: the changes that no policy judges. */
  readonly skipped: readonly string[];
}

export function imageChanges(candidates: readonly CandidatePolicy[]): ImageChanges {
  const names = candidates.flatMap(({ policy }) =>
    policy.containers.filter(({ images }) => images !== undefined).flatMap((entry) => entry.names),
  );
  if (names.length === 0) return { pods: PODS, skipped: [] };
  const kept = `!${containersOf('object')}.exists(c, c.name in ${literal([...new Set(names)].sort())} && !${containersOf('oldObject')}.exists(o, o.name == c.name && o.?image.orValue("") == c.?image.orValue("")))`;
  return {
    pods: [...PODS, ...POD_UPDATES],
    skipped: [`request.operation == "UPDATE" && ${RESOURCE} == "pods" && !(${EPHEMERAL}) && ${kept}`],
  };
}

/** Without ephemeral containers, whose images nobody can change. */
function containersOf(object: string): string {
  return `(dyn(${object}).spec.?initContainers.orValue([]) + dyn(${object}).spec.containers)`;
}
