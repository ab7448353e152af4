import assert from 'node:assert/strict';
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import type { ClusterState } from '../../operator/controllers/cluster-state.ts';
import type { Context } from '../../operator/controllers/controller.ts';
import { Withdrawal } from '../../operator/controllers/withdrawal.ts';
import type { FinalizingView, NamespaceView } from '../../operator/model/objects.ts';
import { oneNamespace } from '../support/one-namespace.ts';
import { policy } from '../support/policies.ts';
import { RecordingLog } from '../support/recording-log.ts';

const ENFORCE = 'pod-security.kubernetes.io/enforce';
const WAITING: FinalizingView = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  name: 'waiting',
  resourceVersion: '7',
  finalizers: ['capabilitypolicy.dev/withdrawal'],
};

/**
 * A cluster with one policy and one namespace, in the form that watches report. The policy sets labels on the
 * namespace.
 */
class Stage {
  policies: CompletePolicy[] = [policy('net')];
  finalizing: FinalizingView[] = [WAITING];
  labels: Readonly<Record<string, string>> = {};
  /** Changes the cluster when the controller reads the cluster again. */
  onRefresh: () => void = () => {};
  readonly released: unknown[] = [];
  readonly log = new RecordingLog();
  readonly state: ClusterState;
  readonly controller: Withdrawal;
  refreshes = 0;

  constructor() {
    const shown = () => ({ policies: this.policies, namespace: this.#namespace() });
    const { cluster, state } = oneNamespace(36, shown);
    this.state = state;
    this.state.accept();
    this.labels = this.state.wantedLabels(this.#namespace());
    const client = { change: async (path: string) => this.released.push(path) };
    const { signal } = new AbortController();
    const context = { client, cluster, state: this.state, log: this.log, signal } as unknown as Context;
    this.controller = new Withdrawal(context, {
      finalizing: () => this.finalizing,
      refresh: async () => {
        this.refreshes++;
        this.onRefresh();
      },
    });
  }

  /** @returns whether the controller needs another run */
  async look(): Promise<boolean> {
    let asked = false;
    if (this.state.policies.isStale) this.state.accept();
    await this.controller.reconcile('all', () => {
      asked = true;
    });
    return asked;
  }

  deletePolicies(): void {
    this.policies = [];
    this.state.apply({ of: 'policy', name: 'net' });
  }

  #namespace(): NamespaceView {
    const { labels } = this;
    const recorded = Object.keys(labels).length > 0 ? { recorded: JSON.stringify(labels) } : {};
    return { name: 'net', uid: 'uid', terminating: false, labels, labelOwners: {}, ...recorded };
  }
}

describe('the withdrawal controller', () => {
  it('the controller neither refreshes nor releases anything before the labels of a deleted policy are gone', async () => {
    const stage = new Stage();
    assert.ok(stage.labels[ENFORCE]);
    stage.deletePolicies();
    assert.equal(await stage.look(), true);
    assert.deepEqual([stage.released, stage.refreshes], [[], 0]);
    stage.labels = {};
    assert.equal(await stage.look(), false);
    assert.equal(stage.released.length, 1);
  });

  it('the controller refreshes before a release, because a watch may show the deletion of policies late', async () => {
    const stage = new Stage();
    stage.onRefresh = () => {
      if (stage.policies.length > 0) stage.deletePolicies();
    };
    assert.equal(await stage.look(), true);
    assert.equal(await stage.look(), true);
    assert.deepEqual(stage.released, []);
    stage.labels = {};
    assert.equal(await stage.look(), false);
    assert.equal(stage.released.length, 1);
  });

  it('waits for no policy that stays', async () => {
    const stage = new Stage();
    assert.equal(await stage.look(), false);
    assert.equal(stage.released.length, 1);
  });

  it('does nothing while no object waits', async () => {
    const stage = new Stage();
    stage.finalizing = [];
    stage.deletePolicies();
    assert.equal(await stage.look(), false);
    assert.deepEqual([stage.released, stage.refreshes], [[], 0]);
  });

  it('the controller logs the reason of a waiting deletion once, even if the controller runs several times', async () => {
    const stage = new Stage();
    stage.deletePolicies();
    await stage.look();
    await stage.look();
    const said = JSON.stringify(stage.log).match(/deletion waits/g);
    assert.equal(said?.length, 1);
    assert.match(JSON.stringify(stage.log), /ClusterRole\/waiting.*labels of Namespace\/net/);
  });
});
