/** A snapshot in the form that the worker evaluates. */
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { onePodPerGroup } from '../../analysis/snapshot/one-pod-per-group.ts';
import { restoreCluster } from '../../analysis/snapshot/restore.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import { PolicyState } from '../../operator/state/policy-state.ts';

/**
 * A snapshot that is restored and compiled only when a question needs it. A changing cluster sends many snapshots, and
 * nobody asks questions about most of these snapshots.
 */
export class Loaded {
  readonly snapshot: Snapshot;
  /** The time at which the snapshot was taken, in ms since 1970. The policies are evaluated for this time. */
  readonly at: number;
  /** The patterns of the namespaces that no policy reaches. */
  readonly excluded: readonly string[];
  /** Whether all roles and role bindings could be read. */
  readonly usersKnown: boolean;
  #cluster: Cluster | undefined;
  #state: PolicyState | undefined;

  constructor(snapshot: Snapshot) {
    const { operatorNamespace, excludedNamespaces, taken, usersKnown = true } = snapshot;
    this.snapshot = snapshot;
    this.at = Date.parse(taken);
    this.excluded = [operatorNamespace, ...excludedNamespaces];
    this.usersKnown = usersKnown;
  }

  /** The cluster with one pod for each group of equal pods. */
  get cluster(): Cluster {
    this.#cluster ??= restoreCluster(onePodPerGroup(this.snapshot));
    return this.#cluster;
  }

  /** The state of the cluster's policies. All policies are compiled. */
  get state(): PolicyState {
    this.#state ??= this.#accepted();
    return this.#state;
  }

  #accepted(): PolicyState {
    const { operatorNamespace, excludedNamespaces } = this.snapshot;
    const now = () => this.at;
    const { usersKnown } = this;
    const options = { operatorNamespace, excludedNamespaces, usersKnown, now };
    const state = new PolicyState(this.cluster, options);
    state.accept();
    return state;
  }
}
