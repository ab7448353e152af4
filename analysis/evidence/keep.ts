/** A pod whose containers keep the capabilities that they used, and drop the rest. */
import { placedContainers, withContainers } from '../../operator/model/containers.ts';
import type { Container, PodSpec } from '../../operator/model/objects.ts';
import { arrayOf, objectOf } from '../../operator/model/raw.ts';
import type { ComparedContainer, ContainerEvidence } from './compare.ts';

/** Containers without evidence, and privileged ones, stay as they are. */
export function keepUsed(spec: PodSpec, compared: readonly ComparedContainer[]): PodSpec {
  const byName = new Map(compared.map((one) => [one.name, one]));
  const kept = (container: Container): Container => {
    const lists = keptLists(byName.get(container.name));
    const { securityContext } = container;
    return lists ? { ...container, securityContext: { ...objectOf(securityContext), capabilities: lists } } : container;
  };
  return withContainers(spec, (list) => list.map(kept));
}

/** A change of one list of a container that keeps what it used. */
export interface KeptChange {
  readonly container: string;
  /** In the pod: `['spec', 'containers', 0]`. */
  readonly part: readonly (string | number)[];
  readonly field: readonly ['securityContext', 'capabilities', 'add' | 'drop'];
  /** Undefined: the field is removed. */
  readonly value: readonly string[] | undefined;
  readonly evidence: ContainerEvidence;
}

/** Only lists that differ from what they should be, in whatever order. */
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
        part: ['spec', list, index],
        field: ['securityContext', 'capabilities', name] as const,
        value: lists[name],
        evidence,
      }));
  });
}

function isSame(now: unknown, then: readonly string[] = []): boolean {
  return JSON.stringify([...arrayOf(now)].sort()) === JSON.stringify([...then].sort());
}

/** `securityContext.capabilities` of such a container; undefined if it stays as it is. */
function keptLists(compared: ComparedContainer | undefined): { drop: string[]; add?: string[] } | undefined {
  if (!compared?.evidence || compared.privileged) return undefined;
  const add = compared.evidence.used.map(({ capability }) => capability);
  return { drop: ['ALL'], ...(add.length > 0 && { add }) };
}
