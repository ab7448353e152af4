/** Writes the results for a policy: its status when it differs from the current one, and Events. */
import { isDeepStrictEqual } from 'node:util';
import { type CapabilityPolicy, type CapabilityPolicyStatus, GROUP, KIND, VERSION } from '../api/capability-policy.ts';
import type { ApiClient } from '../cluster/client.ts';
import type { KubernetesEvent } from './events.ts';
import type { EventRecorder } from './recorder.ts';

export type StatusClient = Pick<ApiClient, 'applyStatus'>;

/**
 * Events come first: after a crash or an error in between, the change is still visible, and the existing Events are not
 * created twice. A permanent refusal of an Event does not block the status. @param policy as last seen @throws the
 * client's error; an Event's refusal only after the status is written
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
    await client.applyStatus(statusObject(policy.metadata?.name ?? '', status));
  }
  if (refusals[0]) throw refusals[0];
}

/**
 * The statuses that the watch may not have shown yet. A status that is built on an older one would report transitions
 * again, with a later time. A watch event replaces the object of a policy, so a pending status is dropped together with
 * its object.
 */
export class WrittenStatuses {
  readonly #written = new WeakMap<CapabilityPolicy, CapabilityPolicyStatus>();

  /** @param seen the policy as the watch last showed it */
  add(seen: CapabilityPolicy, status: CapabilityPolicyStatus): void {
    this.#written.set(seen, status);
  }

  /** The policy with its newest status. */
  latest<Policy extends CapabilityPolicy>(seen: Policy): Policy {
    const status = this.#written.get(seen);
    return status ? { ...seen, status } : seen;
  }
}

function statusObject(name: string, status: CapabilityPolicyStatus) {
  return { apiVersion: `${GROUP}/${VERSION}`, kind: KIND, metadata: { name }, status };
}
