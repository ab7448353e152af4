/** A pod whose containers keep the capabilities that they used, and drop the rest. */

import type { Container, PodSpec } from '../model/objects.ts';
import { objectOf } from '../model/raw.ts';
import type { ComparedContainer } from './compare.ts';

const LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const;

/** Containers without evidence, and privileged ones, stay as they are. */
export function keepUsed(spec: PodSpec, compared: readonly ComparedContainer[]): PodSpec {
  const byName = new Map(compared.map((one) => [one.name, one]));
  const kept = (container: Container): Container => {
    const lists = keptLists(byName.get(container.name));
    const { securityContext } = container;
    return lists ? { ...container, securityContext: { ...objectOf(securityContext), capabilities: lists } } : container;
  };
  const lists = LISTS.flatMap((list) => (spec[list] ? [[list, spec[list].map(kept)] as const] : []));
  return { ...spec, ...Object.fromEntries(lists) };
}

/** `securityContext.capabilities` of such a container; undefined if it stays as it is. */
export function keptLists(compared: ComparedContainer | undefined): { drop: string[]; add?: string[] } | undefined {
  if (!compared?.evidence || compared.privileged) return undefined;
  const add = compared.evidence.used.map(({ capability }) => capability);
  return { drop: ['ALL'], ...(add.length > 0 && { add }) };
}
