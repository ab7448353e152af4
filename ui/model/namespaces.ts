/** Finds the state of a namespace, such as enforced or pending, and the word for the state. */
import type { Snapshot, SnapshotNamespace } from '../../analysis/snapshot/document.ts';
import { isReached } from '../../operator/policy/deciding.ts';

/**
 * Enforced: an Enforce policy decides. Pending: after the promotion of the namespace, an Enforce policy will decide.
 * Watched: only Warn and Audit policies decide. Open: no policy decides. Leaving: the namespace is being deleted.
 */
export const STATES = ['enforced', 'pending', 'watched', 'open', 'leaving', 'excluded'] as const;
export type NamespaceState = (typeof STATES)[number];

export const STATE_TITLES: Readonly<Record<NamespaceState, string>> = {
  enforced: 'Enforced',
  pending: 'Pending',
  watched: 'Only reported',
  open: 'No policy',
  leaving: 'Being deleted',
  excluded: 'Excluded',
};

/**
 * Whether namespaces, pods and workloads could be read. If the user may not read all of these objects, every namespace
 * looks like an excluded namespace.
 */
export function isEvaluated({ namespaces, operatorNamespace, excludedNamespaces }: Snapshot): boolean {
  if (namespaces.some(({ reached }) => reached)) return true;
  // In a cluster with only system namespaces, all namespaces are excluded, even if the user may read everything.
  const excluded = [operatorNamespace, ...excludedNamespaces];
  return namespaces.length > 0 && !namespaces.some((namespace) => isReached(namespace, excluded));
}

/** @param enforcing the names of the policies of mode Enforce, including pending policies */
export function stateOf(
  { reached, terminating, deciding }: SnapshotNamespace,
  enforcing: ReadonlySet<string>,
): NamespaceState {
  if (!reached) return terminating ? 'leaving' : 'excluded';
  const { Enforce = [], Warn = [], Audit = [] } = deciding;
  if (Enforce.length > 0) return 'enforced';
  // In a pending namespace, a policy decides in another mode than `spec.mode`.
  if ([...Warn, ...Audit].some((name) => enforcing.has(name))) return 'pending';
  return Warn.length + Audit.length > 0 ? 'watched' : 'open';
}

export function enforcingPolicies({ policies }: Snapshot): ReadonlySet<string> {
  return new Set(
    policies.filter(({ spec, accepted }) => (accepted ?? spec).mode === 'Enforce').map(({ name }) => name),
  );
}
