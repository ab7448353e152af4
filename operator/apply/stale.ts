/** Finds rendered objects in the cluster that no policy needs any more. The functions are pure. */
import type { Compiled } from '../compile/compile.ts';
import { POLICY_LABEL } from '../compile/objects.ts';
import { ENFORCING, objectsOfProgram, PROGRAM_LABEL, rowsIn } from '../compile/program.ts';
import { objectsOfGrant } from '../compile/rbac.ts';
import type { RenderedObject } from '../model/objects.ts';
import { arrayOf } from '../model/raw.ts';
import { perObject } from '../policy/memo.ts';
import { hasText, inOrderOfRemoval, isNamedByUs, keyOf, type Live, labelOf } from '../state/live.ts';

/**
 * The existing objects that are no longer rendered. The lists leave out the canaries of programs that are still
 * rendered.
 */
export interface Unwanted {
  /** The stale objects that may be deleted, in order. */
  readonly stale: readonly RenderedObject[];
  /**
   * The objects of earlier releases without programs. The objects' policies have no row in any program, because the
   * operator currently cannot compile the policies.
   */
  readonly kept: readonly RenderedObject[];
}

export function unwanted(compiled: Compiled, live: Live): Unwanted {
  const wanted = wantedKeys(compiled);
  const isUnwanted = (object: RenderedObject) => !wanted.has(keyOf(object)) && isNamedByUs(object);
  const { kept = [], stale = [] } = Object.groupBy([...live.values()].filter(isUnwanted), (object) =>
    isKept(object, compiled) ? 'kept' : 'stale',
  );
  return { stale: inOrderOfRemoval(stale), kept };
}

/**
 * The unwanted objects of Enforce programs. These objects only refuse pods, so their deletion has to wait only for the
 * Enforce programs that may take over their rows. A policy must not stay in force if an administrator deleted the
 * policy, or if its mode is no longer Enforce. The deletion of the objects must therefore not wait for any other program
 * that cannot come into force.
 */
export function unwantedEnforce({ stale, kept }: Unwanted): Unwanted {
  const isOfEnforce = (object: RenderedObject) => labelOf(object, PROGRAM_LABEL)?.startsWith(ENFORCING) === true;
  return { stale: stale.filter(isOfEnforce), kept: [...kept, ...stale.filter((object) => !isOfEnforce(object))] };
}

function isKept(object: RenderedObject, { policies, refusals, uids }: Compiled): boolean {
  const name = labelOf(object, POLICY_LABEL) ?? '';
  if (!refusals.has(name) || policies.some((policy) => policy.name === name)) return false;
  const owners = arrayOf(object.metadata.ownerReferences) as { readonly uid?: string }[];
  return owners.some(({ uid }) => uid === uids.get(name));
}

/**
 * The names of the CapabilityPolicies in a stale admission policy. API servers may still enforce these
 * CapabilityPolicies.
 */
export function policiesIn(object: RenderedObject): ReadonlySet<string> {
  if (!hasText(object)) return new Set();
  return labelOf(object, PROGRAM_LABEL) === undefined ? new Set([labelOf(object, POLICY_LABEL) ?? '']) : rowsIn(object);
}

/** The keys of all objects that the compiled policies need. */
export const wantedKeys = perObject(({ programs, grants }: Compiled): ReadonlySet<string> => {
  const texts = programs.flatMap((program) => [program, ...(program.canary ? [program.canary] : [])]);
  return new Set([...texts.flatMap(objectsOfProgram), ...[...grants.values()].flatMap(objectsOfGrant)].map(keyOf));
});
