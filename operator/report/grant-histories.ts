/**
 * Records when workloads stopped needing the grants of each policy. The list of unused grants in the status needs these
 * times.
 */
import type { CompletePolicy } from '../api/capability-policy.ts';
import { grantNeeds } from '../evaluate/grant-needs.ts';
import type { NamespaceVerdicts } from '../evaluate/namespace.ts';
import type { Area } from '../policy/coverage.ts';
import { type GrantHistory, listedGrants, nextHistory, type UnusedGrant, untilListed } from './unused-grants.ts';

export interface Unused {
  readonly grants: readonly UnusedGrant[];
  /** The time in ms until the list of unused grants gets another grant, if nothing changes in the cluster. */
  readonly untilNextMs: number | undefined;
}

export class GrantHistories {
  readonly #histories = new Map<string, GrantHistory>();

  /**
   * Returns the unused grants of a policy. The result is undefined until all namespaces of the policy have been
   * evaluated.
   *
   * @param policy the policy with its previous status
   * @param now the current time, in milliseconds since 1970
   */
  look(
    { metadata, status }: CompletePolicy,
    areas: readonly Area[],
    verdicts: ReadonlyMap<string, NamespaceVerdicts>,
    now: number,
  ): Unused | undefined {
    const { name = '', generation = 0 } = metadata ?? {};
    const needs = grantNeeds(name, areas, verdicts);
    if (!needs) return undefined;
    const history = nextHistory(this.#histories.get(name) ?? new Map(), needs, { generation, status }, now);
    this.#histories.set(name, history);
    const { unneeded } = needs;
    return { grants: listedGrants(unneeded, history, now), untilNextMs: untilListed(unneeded, history, now) };
  }

  forget(policy: string): void {
    this.#histories.delete(policy);
  }
}
