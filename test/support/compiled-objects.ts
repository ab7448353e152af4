/** Lists the objects that the operator writes to a cluster for the compiled policies. */
import type { Compiled } from '../../operator/compile/compile.ts';
import type { Manifest } from '../../operator/compile/objects.ts';
import { objectsOfProgram } from '../../operator/compile/program.ts';
import { objectsOfGrant } from '../../operator/compile/rbac.ts';
import type { RenderedObject } from '../../operator/model/objects.ts';

export function compiledObjects(compiled: Pick<Compiled, 'programs' | 'grants'>): RenderedObject[] {
  return manifestsOf(compiled) as unknown as RenderedObject[];
}

/**
 * Lists the compiled objects. The first objects are the roles and the bindings of the roles. The next objects are
 * admission policies and their bindings, including the bindings of probes.
 */
export function manifestsOf({ programs, grants }: Pick<Compiled, 'programs' | 'grants'>): Manifest[] {
  return [...[...grants.values()].flatMap(objectsOfGrant), ...programs.flatMap(objectsOfProgram)];
}
