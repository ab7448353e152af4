/** Evaluates the running workloads of a cluster, one namespace after another. */
import { evaluateNamespace, type NamespaceVerdicts } from '../../operator/evaluate/namespace.ts';
import type { EvaluationContext } from '../../operator/evaluate/verdict.ts';
import type { Cluster, NamespaceView } from '../../operator/model/objects.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';

interface Selecting {
  /** The policies that select the namespace. */
  selecting(namespace: string): readonly ResolvedPolicy[];
  /** Whether the pods and workloads of the namespace are evaluated. */
  isReached(namespace: NamespaceView): boolean;
}

/** @param only the only namespace to evaluate; undefined for all namespaces */
export function* evaluateCluster(
  cluster: Cluster,
  policies: Selecting,
  evaluation: EvaluationContext,
  only?: string,
): Generator<NamespaceVerdicts> {
  for (const namespace of cluster.namespaces()) {
    const { name } = namespace;
    if (!policies.isReached(namespace) || (only !== undefined && name !== only)) continue;
    yield evaluateNamespace(namespace, policies.selecting(name), cluster, evaluation);
  }
}
