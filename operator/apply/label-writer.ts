/** Carries out a label plan. */
import { RECORD } from '../api/capability-policy.ts';
import { type ApiClient, pathFor } from '../cluster/client.ts';
import type { NamespaceView } from '../model/objects.ts';
import type { LabelPlan } from './namespace-labels.ts';

/**
 * Server-side apply: a label that is not in the plan is removed if only we own it, and kept if somebody else states it
 * too.
 *
 * @throws ApiError 409 when somebody changed a label meanwhile or the namespace was deleted: plan again
 */
export async function writeLabels(client: ApiClient, namespace: NamespaceView, plan: LabelPlan): Promise<void> {
  if (!plan.changes) return;
  const { metadata } = await client.apply(
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name: namespace.name,
        // Apply would recreate a namespace that was deleted meanwhile: with its uid that is a conflict.
        uid: namespace.uid,
        // If we stated it as empty, the field would stay ours.
        ...(Object.keys(plan.labels).length > 0 && { labels: plan.labels }),
        ...(plan.record === undefined ? {} : { annotations: { [RECORD]: plan.record } }),
      },
    } as Parameters<ApiClient['apply']>[0],
    { force: plan.force },
  );
  // Apply keeps fields that another field manager also owns. Only we write the record.
  if (plan.record !== undefined || metadata?.annotations?.[RECORD] === undefined) return;
  await client.change(pathFor('v1', 'Namespace', undefined, namespace.name), {
    metadata: { resourceVersion: metadata.resourceVersion, annotations: { [RECORD]: null } },
  });
}
