/** A snapshot in the form in which it is compared with another snapshot of the cluster. */
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
  /** By name, the verdicts of the namespaces that policies reach. */
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

/** Both snapshots, with one object for each shape that they share. So a shape is restored and evaluated once. */
export function withSharedShapes(old: Snapshot, now: Snapshot): readonly [Snapshot, Snapshot] {
  const known = new Map(old.shapes.map((shape) => [keyOf(shape), shape]));
  return [old, { ...now, shapes: now.shapes.map((shape) => known.get(keyOf(shape)) ?? shape) }];
}

/** The capabilities and findings of a shape follow from its content. */
function keyOf({ annotations, spec }: Shape): string {
  return JSON.stringify([annotations, spec]);
}
