/** Changes a pod so that its containers keep the capabilities that they used, and drop all other capabilities. */
import { placedContainers, withContainers } from '../../operator/model/containers.ts';
import type { Container, PodSpec } from '../../operator/model/objects.ts';
import { arrayOf, objectOf } from '../../operator/model/raw.ts';
import type { ComparedContainer, ContainerEvidence } from './compare.ts';

/**
 * The pod whose containers keep only the capabilities that they used. Containers without evidence and privileged
 * containers stay unchanged.
 */
export function keepUsed(spec: PodSpec, compared: readonly ComparedContainer[]): PodSpec {
  const byName = new Map(compared.map((one) => [one.name, one]));
  const kept = (container: Container): Container => {
    const lists = keptLists(byName.get(container.name));
    const { securityContext } = container;
    return lists ? { ...container, securityContext: { ...objectOf(securityContext), capabilities: lists } } : container;
  };
  return withContainers(spec, (list) => list.map(kept));
}

/**
 * The change of one capability list. If all changes of capability lists are made, a container keeps the capabilities
 * that it used.
 */
export interface KeptChange {
  readonly container: string;
  /** The path of the container in the pod: `['spec', 'containers', 0]`. */
  readonly parent: readonly (string | number)[];
  readonly field: readonly ['securityContext', 'capabilities', 'add' | 'drop'];
  /** The new list; undefined if the field is removed. */
  readonly value: readonly string[] | undefined;
  readonly evidence: ContainerEvidence;
}

/** The changes of the capability lists in a pod. If only the order of a list would change, the list stays unchanged. */
export function keptChanges(spec: PodSpec, compared: readonly ComparedContainer[]): KeptChange[] {
  const byName = new Map(compared.map((one) => [one.name, one]));
  return placedContainers(spec).flatMap(({ list, index, container }) => {
    const found = byName.get(container.name);
    const lists = keptLists(found);
    if (!lists || !found?.evidence) return [];
    const { evidence } = found;
    const now = objectOf(objectOf(container.securityContext).capabilities);
    return (['drop', 'add'] as const)
      .filter((name) => !isSame(now[name], lists[name]))
      .map((name) => ({
        container: container.name,
        parent: ['spec', list, index],
        field: ['securityContext', 'capabilities', name] as const,
        value: lists[name],
        evidence,
      }));
  });
}

function isSame(now: unknown, then: readonly string[] = []): boolean {
  return JSON.stringify([...arrayOf(now)].sort()) === JSON.stringify([...then].sort());
}

/** The new `securityContext.capabilities` of the container; undefined if the container is not changed. */
function keptLists(compared: ComparedContainer | undefined): { drop: string[]; add?: string[] } | undefined {
  if (!compared?.evidence || compared.privileged) return undefined;
  const add = compared.evidence.used.map(({ capability }) => capability);
  return { drop: ['ALL'], ...(add.length > 0 && { add }) };
}
