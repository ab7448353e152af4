/** Finds the namespaces in which policies of mode Enforce began or stopped deciding. */
import { decidersIn } from '../explain/answers.ts';
import type { Moment } from './moment.ts';

export interface EnforcedNamespace {
  readonly namespace: string;
  /** The names of the policies that are enforced, or were enforced, in the namespace. */
  readonly policies: readonly string[];
}

/**
 * The namespaces that exist in both snapshots. Policies of mode Enforce decide in these namespaces only in the snapshot
 * `here`.
 */
export function enforcedOnlyIn(here: Moment, there: Moment): EnforcedNamespace[] {
  const others = enforcersByNamespace(there);
  return [...enforcersByNamespace(here)]
    .filter(([namespace, policies]) => policies.length > 0 && others.get(namespace)?.length === 0)
    .map(([namespace, policies]) => ({ namespace, policies }))
    .sort((a, b) => (a.namespace < b.namespace ? -1 : 1));
}

/**
 * For each namespace that is not terminating, the policies of mode Enforce that decide there. The key is the name of
 * the namespace.
 */
function enforcersByNamespace({ cluster, state }: Moment): ReadonlyMap<string, readonly string[]> {
  const namespaces = cluster.namespaces().filter(({ terminating }) => !terminating);
  return new Map(
    namespaces.map((namespace) => {
      const enforcing = decidersIn(namespace, state).filter(({ mode }) => mode === 'Enforce');
      return [namespace.name, enforcing.map(({ name }) => name).sort()];
    }),
  );
}
