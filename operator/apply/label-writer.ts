/** Applies a label plan to a namespace. */
import { RECORD } from '../api/capability-policy.ts';
import { type ApiClient, ApiError, pathFor } from '../cluster/client.ts';
import type { NamespaceView } from '../model/objects.ts';
import type { RolloutLabels } from '../promotion/rollouts.ts';
import { differingLabels, type LabelPlan } from './namespace-labels.ts';
import type { LabelRefusal } from './outcome.ts';

const NO_ROLLOUT: RolloutLabels = { set: {}, remove: [] };

/**
 * Writes the planned labels by server-side apply, and removes the labels that are due to be removed. The labels in
 * `plan.kept` stay for the field managers that apply them.
 *
 * @returns whether anything had to be changed
 * @throws ApiError 409 if somebody changed a label or deleted the namespace after the operator made the plan. After an
 * error 409, the caller has to make a new plan
 */
export async function writeLabels(
  client: ApiClient,
  namespace: NamespaceView,
  plan: LabelPlan,
  rollout: RolloutLabels = NO_ROLLOUT,
): Promise<boolean> {
  const differing = Object.keys(rollout.set).filter((label) => namespace.labels[label] !== rollout.set[label]);
  if (!plan.changes && differing.length === 0 && rollout.remove.length === 0) return false;
  const labels = { ...plan.labels, ...rollout.set };
  const { metadata } = await client.apply(
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name: namespace.name,
        // If the apply contained no uid, it would recreate a deleted namespace. With the uid of a deleted namespace,
        // the API server answers with a conflict.
        uid: namespace.uid,
        // If the apply contained an empty map of labels, the operator would stay the owner of the field `labels`.
        ...(Object.keys(labels).length > 0 && { labels }),
        ...(plan.record === undefined ? {} : { annotations: { [RECORD]: plan.record } }),
      },
    } as Parameters<ApiClient['apply']>[0],
    { force: plan.force || differing.some((label) => namespace.labels[label] !== undefined) },
  );
  // Server-side apply does not remove a field that has a second owner. The record, the labels of rollouts and the labels
  // in `plan.remove` belong to the operator, even if another field manager also owns these fields, for example after a
  // restore. So the operator removes them explicitly.
  const record = plan.record === undefined && metadata?.annotations?.[RECORD] !== undefined;
  const kept = [...plan.remove, ...rollout.remove].filter((label) => metadata?.labels?.[label] !== undefined);
  if (record || kept.length > 0) {
    await client.change(pathFor('v1', 'Namespace', undefined, namespace.name), {
      metadata: {
        resourceVersion: metadata?.resourceVersion,
        ...(record && { annotations: { [RECORD]: null } }),
        ...(kept.length > 0 && { labels: Object.fromEntries(kept.map((label) => [label, null])) }),
      },
    });
  }
  return true;
}

/**
 * The HTTP status codes of errors that do not mean a refusal of the write. The codes have three possible meanings: the
 * object is gone or has changed, the server is overloaded, or a proxy got no answer from the server.
 */
const PASSING = new Set([404, 409, 429, 502, 503, 504]);

/** Returns the API server's refusal with its reason. The result is undefined for an error that may be temporary. */
export function labelRefusal(
  error: unknown,
  namespace: NamespaceView,
  plan: LabelPlan,
  rollout: RolloutLabels,
): LabelRefusal | undefined {
  if (!(error instanceof ApiError) || PASSING.has(error.status)) return undefined;
  const { set, remove } = differingLabels(namespace, plan);
  const differing = Object.keys(rollout.set).filter((label) => namespace.labels[label] !== rollout.set[label]);
  return {
    set: [...set, ...differing].sort(),
    remove: [...remove, ...rollout.remove].sort(),
    message: error.message,
  };
}
