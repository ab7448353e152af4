/**
 * Combines what the workloads of all namespaces need from a policy. The result shows the grants that no workload in any
 * namespace needs.
 */
import type { Area } from '../policy/coverage.ts';
import { type Grant, keyOf } from './grants.ts';
import type { NamespaceVerdicts } from './namespace.ts';
import { WHOLE } from './namespace-needs.ts';

/**
 * The grants of a policy in two lists. `needed` has each grant that some workload needs in a namespace where the policy
 * decides. `unneeded` has all other grants.
 */
export interface GrantNeeds {
  readonly needed: readonly Grant[];
  readonly unneeded: readonly Grant[];
}

/**
 * @param areas the namespaces where the policy decides, and the verdicts of these namespaces
 * @returns undefined if some of these namespaces have not been evaluated yet. If there are no workloads, no grant
 * counts as unneeded
 */
export function grantNeeds(
  policy: string,
  areas: readonly Area[],
  verdicts: ReadonlyMap<string, NamespaceVerdicts>,
): GrantNeeds | undefined {
  const evaluated = areas.flatMap(({ mode, namespaces }) =>
    namespaces.map((namespace) => {
      const result = verdicts.get(namespace);
      const ofMode = result?.modes[mode];
      return ofMode?.deciding.includes(policy) ? { workloads: ofMode.workloads, needs: result?.needs.get(policy) } : {};
    }),
  );
  if (evaluated.some(({ needs }) => !needs)) return undefined;
  const needs = evaluated.flatMap((one) => one.needs ?? []);
  const isException = needs.every((one) => one.isException);
  const all = [...(isException ? [{ path: WHOLE }] : []), ...(needs[0]?.grants ?? [])];
  if (!evaluated.some(({ workloads = [] }) => workloads.length > 0)) return { needed: all, unneeded: [] };
  const isNeeded = (grant: Grant) => needs.some(({ needed }) => needed.has(keyOf(grant)));
  return { needed: all.filter(isNeeded), unneeded: all.filter((grant) => !isNeeded(grant)) };
}

/** Returns only the grants that are not part of another grant in the list. */
export function outermost<One extends Grant>(grants: readonly One[]): One[] {
  const wholes = grants.filter(({ path, entry }) => entry === undefined && path !== WHOLE);
  return grants.filter(
    (grant) => !wholes.some((whole) => whole !== grant && (grant.path === whole.path || isInside(grant, whole))),
  );
}

function isInside({ path }: Grant, whole: Grant): boolean {
  return path.startsWith(`${whole.path}.`);
}
