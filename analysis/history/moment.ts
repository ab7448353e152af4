/** A snapshot, prepared for a comparison with another snapshot of the same cluster. */
import type { NamespaceVerdicts } from '../../operator/evaluate/namespace.ts';
import type { Evaluator } from '../../operator/evaluate/violations.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import { PolicyState } from '../../operator/state/policy-state.ts';
import { evaluateCluster } from '../policies/evaluate-cluster.ts';
import type { Shape, Snapshot } from '../snapshot/document.ts';
import { onePodPerGroup } from '../snapshot/one-pod-per-group.ts';
import { restoreCluster } from '../snapshot/restore.ts';

export interface Moment {
  readonly snapshot: Snapshot;
  readonly cluster: Cluster;
  /** The policies at the time of the snapshot. */
  readonly state: PolicyState;
  /** The verdicts of the namespaces that policies reach. The key is the namespace's name. */
  readonly verdicts: ReadonlyMap<string, NamespaceVerdicts>;
}

/** Evaluates a snapshot at the time at which it was taken. */
export function momentOf(snapshot: Snapshot, evaluator: Evaluator): Moment {
  const { operatorNamespace, excludedNamespaces, usersKnown = true, taken } = snapshot;
  const cluster = restoreCluster(onePodPerGroup(snapshot));
  const now = () => Date.parse(taken);
  const state = new PolicyState(cluster, { operatorNamespace, excludedNamespaces, usersKnown, now, renders: false });
  state.accept();
  const evaluated = evaluateCluster(cluster, state, { evaluator, use: state.use });
  return { snapshot, cluster, state, verdicts: new Map([...evaluated].map((one) => [one.namespace, one])) };
}

/**
 * Returns both snapshots. A shape that occurs in both snapshots is represented by one shared object. Each shape is
 * therefore restored and evaluated only once.
 */
export function withSharedShapes(old: Snapshot, now: Snapshot): readonly [Snapshot, Snapshot] {
  const known = new Map(old.shapes.map((shape) => [keyOf(shape), shape]));
  return [old, { ...now, shapes: now.shapes.map((shape) => known.get(keyOf(shape)) ?? shape) }];
}

/** The key leaves out the capabilities and findings of a shape, because the content of the shape determines them. */
function keyOf({ annotations, spec }: Shape): string {
  return JSON.stringify([annotations, spec]);
}
