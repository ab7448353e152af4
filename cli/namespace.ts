/** Validates the flag -n of commands that read a cluster. A command that would check nothing must fail. */
import type { Cluster } from '../operator/model/objects.ts';
import { isExcluded } from '../operator/policy/deciding.ts';
import { UsageError } from './command.ts';

interface NamespaceOptions {
  readonly operatorNamespace: string;
  readonly excludedNamespaces: readonly string[];
}

/** @throws UsageError for a namespace that does not exist */
export function checkExists(cluster: Pick<Cluster, 'namespace'>, namespace: string | undefined): void {
  if (namespace !== undefined && !cluster.namespace(namespace)) {
    throw new UsageError(`no namespace ${JSON.stringify(namespace)} in the cluster`);
  }
}

/** @throws UsageError for a namespace that no policy reaches */
export function checkReached(
  { operatorNamespace, excludedNamespaces }: NamespaceOptions,
  namespace: string | undefined,
): void {
  if (namespace !== undefined && isExcluded(namespace, [operatorNamespace, ...excludedNamespaces])) {
    throw new UsageError(
      `no policy reaches namespace ${namespace}: it is the operator's namespace (--operator-namespace) or an excluded namespace (--excluded-namespaces)`,
    );
  }
}
