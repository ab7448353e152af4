/** -n of a command that reads a cluster: what looks at nothing must not look like a success. */
import type { Cluster } from '../cluster/objects.ts';
import { isExcluded } from '../policy/deciding.ts';
import { UsageError } from './command.ts';

export interface NamespaceOptions {
  readonly namespace?: string;
  readonly operatorNamespace: string;
  readonly excludedNamespaces: readonly string[];
}

/**
 * @param cluster undefined where its namespaces cannot be read
 * @throws UsageError for a namespace that isn't there, or that no policy reaches
 */
export function checkNamespace(
  cluster: Pick<Cluster, 'namespace'> | undefined,
  { namespace, operatorNamespace, excludedNamespaces }: NamespaceOptions,
): void {
  if (namespace === undefined) return;
  if (isExcluded(namespace, [operatorNamespace, ...excludedNamespaces])) {
    throw new UsageError(
      `no policy reaches namespace ${namespace}: it is the operator's (--operator-namespace) or an excluded one (--excluded-namespaces)`,
    );
  }
  if (cluster && !cluster.namespace(namespace)) {
    throw new UsageError(`no namespace ${JSON.stringify(namespace)} in the cluster`);
  }
}
