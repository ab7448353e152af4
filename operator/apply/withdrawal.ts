/**
 * Withdraws everything that the operator set for deleted policies. Afterwards, the operator removes its finalizer from
 * each object whose deletion waits for the withdrawal.
 *
 * Argo CD deletes the policies first, and the operator last (config/argocd/operator). After the deletion of the
 * policies and before the deletion of the operator, Argo CD deletes the object that waits for the withdrawal. Before
 * Argo CD deletes the operator, Argo CD waits until the object is gone. See docs/decisions/0018 for the reasons.
 */
import { FIELD_MANAGER, WITHDRAWAL_FINALIZER } from '../api/capability-policy.ts';
import { type ApiClient, isNotFound, pathFor } from '../cluster/client.ts';
import type { Compiled } from '../compile/compile.ts';
import type { Cluster, FinalizingView, NamespaceView } from '../model/objects.ts';
import { rolloutLabel } from '../policy/parts.ts';
import { rolloutLabelsIn } from '../promotion/rollouts.ts';
import { keyOf, liveObjects } from '../state/live.ts';
import { planLabels } from './namespace-labels.ts';
import { unwanted } from './stale.ts';

export interface WithdrawalContext {
  readonly cluster: Pick<Cluster, 'policies' | 'namespaces' | 'rendered'>;
  readonly compiled: Compiled;
  /**
   * Whether the API server refuses to store the compiled objects of a policy. After a refusal, the older objects of the
   * policy remain in force.
   */
  readonly isRefused: boolean;
  wantedLabels(namespace: NamespaceView): Readonly<Record<string, string>>;
}

/**
 * Lists the remains of deleted policies in the cluster: the policies themselves, labels of namespaces, and objects.
 * Each item is a name. The function is pure.
 */
export function leftovers({ cluster, compiled, isRefused, wantedLabels }: WithdrawalContext): string[] {
  const policies = cluster.policies().filter(({ metadata }) => metadata?.deletionTimestamp !== undefined);
  const names = new Set(cluster.policies().map(({ metadata }) => rolloutLabel(metadata?.name ?? '')));
  const namespaces = cluster.namespaces().filter((namespace) => {
    if (namespace.terminating) return false;
    const isLeft = isMarked(namespace) && planLabels(namespace, wantedLabels(namespace)).changes;
    return isLeft || rolloutLabelsIn(namespace.labels).some((label) => !names.has(label));
  });
  const objects = isRefused ? [] : unwanted(compiled, liveObjects(cluster.rendered())).stale;
  return [
    ...policies.map(({ metadata }) => `CapabilityPolicy/${metadata?.name}`),
    ...namespaces.map(({ name }) => `labels of Namespace/${name}`),
    ...objects.map(keyOf),
  ];
}

/**
 * Removes the operator's finalizer from an object whose deletion waits for the withdrawal.
 * @throws ApiError 409 if the object has changed
 */
export async function release(client: Pick<ApiClient, 'change'>, object: FinalizingView): Promise<void> {
  const { apiVersion, kind, name, resourceVersion } = object;
  const finalizers = object.finalizers.filter((finalizer) => finalizer !== WITHDRAWAL_FINALIZER);
  try {
    await client.change(pathFor(apiVersion, kind, undefined, name), { metadata: { resourceVersion, finalizers } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/**
 * Whether the operator has set a label on the namespace. If the operator has set no label on the namespace, the
 * namespace contains nothing of deleted policies. If the plan of labels has a label that the namespace lacks, the label
 * belongs to an existing policy.
 */
function isMarked({ recorded, labelOwners }: NamespaceView): boolean {
  const owners = Object.values(labelOwners).flat();
  return recorded !== undefined || owners.some(({ manager }) => manager === FIELD_MANAGER);
}
