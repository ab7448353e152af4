/** Writes what came of a policy: its status when it differs from what stands there, and Events. */
import { isDeepStrictEqual } from 'node:util';
import { type CapabilityPolicy, type CapabilityPolicyStatus, GROUP, KIND, VERSION } from '../api/capability-policy.ts';
import { type ApiClient, ApiError, pathFor } from '../cluster/client.ts';
import type { KubernetesEvent } from './events.ts';

export type ReportClient = Pick<ApiClient, 'applyStatus' | 'create'>;

/**
 * Events go first: after a crash or an error in between the change is still to be seen, and the Events that exist by
 * then are not made twice. An Event that the API server refuses for good does not keep the status from being written.
 * @param policy as last seen
 * @throws what the client throws; an Event's refusal only after the status is written
 */
export async function writeReport(
  client: ReportClient,
  policy: CapabilityPolicy,
  status: CapabilityPolicyStatus,
  events: readonly KubernetesEvent[],
): Promise<void> {
  const refusals = await writeEvents(client, events);
  if (!isDeepStrictEqual(status, policy.status)) {
    await client.applyStatus(statusObject(policy.metadata?.name ?? '', status));
  }
  if (refusals[0]) throw refusals[0];
}

function statusObject(name: string, status: CapabilityPolicyStatus) {
  return { apiVersion: `${GROUP}/${VERSION}`, kind: KIND, metadata: { name }, status };
}

/** @returns the refusals that trying again will not change */
export async function writeEvents(client: ReportClient, events: readonly KubernetesEvent[]): Promise<ApiError[]> {
  const refusals: ApiError[] = [];
  for (const event of events) {
    try {
      await client.create(pathFor(event.apiVersion, event.kind, event.metadata.namespace), event);
    } catch (error) {
      if (!isFinal(error)) throw error;
      if (!isExpected(error)) refusals.push(error);
    }
  }
  return refusals;
}

function isFinal(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;
}

/** The Event exists already, or its namespace is going or gone. */
function isExpected({ status, causes }: ApiError): boolean {
  return status === 409 || status === 404 || causes.some(({ reason }) => reason === 'NamespaceTerminating');
}
