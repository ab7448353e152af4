/** Writes the results for a policy: Events, and the new status if it differs from the current status. */
import { isDeepStrictEqual } from 'node:util';
import { type CapabilityPolicy, type CapabilityPolicyStatus, GROUP, KIND, VERSION } from '../api/capability-policy.ts';
import { type ApiClient, pathFor } from '../cluster/client.ts';
import type { KubernetesEvent } from './events.ts';
import type { EventRecorder } from './recorder.ts';

export type StatusClient = Pick<ApiClient, 'replaceStatus'>;

/**
 * Writes the Events and then the status. If the process crashes between the two writes, the next attempt sees the same
 * change of the status. The next attempt does not create the existing Events again. If the API server refuses an Event
 * permanently, the function still writes the status.
 * @param policy the last seen policy
 * @throws the client's error, for example if another policy with the same name has replaced the policy. If the API
 * server refused an Event, the function throws the refusal after it has written the status
 */
export async function writeReport(
  client: StatusClient,
  tell: EventRecorder['tell'],
  policy: CapabilityPolicy,
  status: CapabilityPolicyStatus,
  events: readonly KubernetesEvent[],
): Promise<void> {
  const refusals = await tell(events);
  if (!isDeepStrictEqual(status, policy.status)) {
    const path = pathFor(`${GROUP}/${VERSION}`, KIND, undefined, nameOf(policy));
    // After the operator read the policy, somebody may have deleted the policy and created another policy with the same
    // name and generation.
    await client.replaceStatus(path, policy.metadata?.uid ?? '', status);
  }
  if (refusals[0]) throw refusals[0];
}

interface Pending {
  /** The policy's uid. The uid changes if the policy is deleted and created again. */
  readonly uid: string | undefined;
  /**
   * The first item is the last status from the watch. The other items are the statuses that the operator has written
   * after the first item.
   */
  readonly statuses: readonly (CapabilityPolicyStatus | undefined)[];
}

/**
 * The statuses that the operator has written and that the watch may not have shown yet. The operator must not base a
 * new status on an older status from the watch. A status that is based on an older status would report transitions
 * again, with a later time.
 */
export class WrittenStatuses {
  readonly #pending = new Map<string, Pending>();

  /** @param seen the last version of the policy that the watch showed */
  add(seen: CapabilityPolicy, status: CapabilityPolicyStatus): void {
    const statuses = this.#statuses(seen) ?? [seen.status];
    if (!isDeepStrictEqual(statuses.at(-1), status)) this.#keep(seen, [...statuses, status]);
  }

  /** The policy with the status that the operator wrote last. */
  latest<Policy extends CapabilityPolicy>(seen: Policy): Policy {
    const statuses = this.#statuses(seen) ?? [];
    const shown = statuses.findLastIndex((status) => isDeepStrictEqual(status, seen.status));
    const newest = statuses.at(-1);
    // The watch has shown all statuses that the operator wrote, or has shown a status that somebody else wrote.
    if (shown === -1 || shown === statuses.length - 1) this.forget(nameOf(seen));
    else this.#keep(seen, statuses.slice(shown));
    return shown === -1 || newest === undefined ? seen : { ...seen, status: newest };
  }

  forget(policy: string): void {
    this.#pending.delete(policy);
  }

  #keep(seen: CapabilityPolicy, statuses: Pending['statuses']): void {
    this.#pending.set(nameOf(seen), { uid: seen.metadata?.uid, statuses });
  }

  #statuses(seen: CapabilityPolicy): Pending['statuses'] | undefined {
    const pending = this.#pending.get(nameOf(seen));
    return pending?.uid === seen.metadata?.uid ? pending?.statuses : undefined;
  }
}

function nameOf({ metadata }: CapabilityPolicy): string {
  return metadata?.name ?? '';
}
