/** Evaluates the running workloads of a cluster, one namespace after another. */
import { evaluateNamespace, type NamespaceVerdicts } from '../../operator/evaluate/namespace.ts';
import type { EvaluationContext } from '../../operator/evaluate/verdict.ts';
import type { Cluster, NamespaceView } from '../../operator/model/objects.ts';
import { deciding } from '../../operator/policy/deciding.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';

interface Selecting {
  /** The policies that select the namespace. */
  selecting(namespace: string): readonly ResolvedPolicy[];
  /** Whether the pods and workloads of the namespace are evaluated. */
  isReached(namespace: NamespaceView): boolean;
}

interface ClusterOptions {
  /** The only namespace to evaluate. By default, all namespaces are evaluated. */
  readonly only?: string | undefined;
  /** Returns the Enforce policies that decide in the cluster, if the policies are not in the cluster. */
  readonly live?: ((namespace: string) => readonly ResolvedPolicy[]) | undefined;
}

export function* evaluateCluster(
  cluster: Cluster,
  policies: Selecting,
  evaluation: EvaluationContext,
  { only, live }: ClusterOptions = {},
): Generator<NamespaceVerdicts> {
  for (const namespace of cluster.namespaces()) {
    const { name } = namespace;
    if (!policies.isReached(namespace) || (only !== undefined && name !== only)) continue;
    const selecting = policies.selecting(name);
    const decidedSince = {
      Program: changedAt(deciding(selecting, 'Enforce', namespace.labels), cluster),
      PodSecurity: 0,
    };
    yield evaluateNamespace(namespace, selecting, cluster, evaluation, { decidedSince, live: live?.(name) });
  }
}

/**
 * The last time at which a policy was created, or began to be in force, in milliseconds since 1970. Both times come from
 * the clock of the cluster, as the times of Events do, and have a resolution of seconds.
 */
function changedAt(policies: readonly Pick<ResolvedPolicy, 'name'>[], cluster: Pick<Cluster, 'policy'>): number {
  const times = policies.flatMap(({ name }) => {
    const { metadata, status } = cluster.policy(name) ?? {};
    const programmed = status?.conditions?.find((one) => one.type === 'Programmed' && one.status === 'True');
    return [metadata?.creationTimestamp, programmed?.lastTransitionTime].map((time) => Date.parse(String(time)));
  });
  return Math.max(0, ...times.filter((time) => !Number.isNaN(time)));
}
