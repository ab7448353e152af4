import assert from 'node:assert/strict';
import { type ApiClient, ApiError } from '../../operator/cluster/client.ts';
import { ClusterState } from '../../operator/controllers/cluster-state.ts';
import type { Context } from '../../operator/controllers/controller.ts';
import { Protection } from '../../operator/controllers/protection.ts';
import { unchanged } from '../../operator/controllers/state-change.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import { policy } from '../support/policies.ts';

/** One API server. A test sets the answer of the API server. */
class Stage {
  /**
   * The refusal in the API server's answer to the probe. `refusal` is undefined if the API server would create the
   * object.
   */
  refusal: string | undefined;
  /** The policies that became dirty after each answer. */
  readonly found: string[][] = [];
  /** The delays in milliseconds after which the controller probes again. */
  readonly again: number[] = [];
  readonly state: ClusterState;
  readonly controller: Protection;

  constructor() {
    const cluster = { policies: () => [policy('a'), policy('b')] } as unknown as Cluster;
    this.state = new ClusterState(cluster, {
      operatorNamespace: 'system',
      excludedNamespaces: [],
      podSecurityDefaults: {},
    });
    const { signal } = new AbortController();
    const found = ({ policies = [] }: { readonly policies?: Iterable<string> }) => this.found.push([...policies]);
    const server = {
      create: async () => {
        if (this.refusal === undefined) return {};
        throw new ApiError({ status: 403, reason: 'Forbidden', message: this.refusal, causes: [] });
      },
    } as unknown as ApiClient;
    const context = { cluster, state: this.state, signal, found } as unknown as Context;
    this.controller = new Protection(context, async () => [server]);
  }

  async look(): Promise<string | undefined> {
    await this.controller.reconcile('all', (ms) => this.again.push(ms));
    return this.state.outcomes.protection.current?.state;
  }
}

const PROTECTED = 'CapabilityPolicy protection in force: operator may write what it protects';

describe('the protection controller', () => {
  let stage: Stage;

  beforeEach(() => {
    stage = new Stage();
  });

  it('the controller probes at the beginning of a term, after a change of API servers, and every minute', async () => {
    assert.deepEqual([...stage.controller.keysFor(unchanged({ of: 'term' }))], ['all']);
    assert.deepEqual([...stage.controller.keysFor(unchanged({ of: 'servers', oldest: false }))], ['all']);
    assert.deepEqual([...stage.controller.keysFor(unchanged({ of: 'rbac' }))], []);
    await stage.look();
    assert.deepEqual(stage.again, [60_000]);
  });

  it('the controller makes the status of every policy dirty only when the answer changes', async () => {
    assert.equal(await stage.look(), 'Unprotected');
    assert.equal(await stage.look(), 'Unprotected');
    stage.refusal = PROTECTED;
    assert.equal(await stage.look(), 'Protected');
    assert.deepEqual(stage.found, [
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  it('the controller keeps the last answer during a restart of an API server, and drops the answer after the third failed probe', async () => {
    stage.refusal = PROTECTED;
    await stage.look();
    stage.refusal = 'the API server is shutting down';
    assert.equal(await stage.look(), 'Protected');
    assert.equal(await stage.look(), 'Protected');
    assert.equal(await stage.look(), 'Unknown');
    assert.deepEqual(stage.again, [60_000, 5_000, 5_000, 60_000]);
  });

  it('forgets the answer of an earlier term', async () => {
    await stage.look();
    const cluster = { policies: () => [], namespaces: () => [] } as unknown as Cluster;
    const state = new ClusterState(cluster, {
      operatorNamespace: 's',
      excludedNamespaces: [],
      podSecurityDefaults: {},
    });
    const current = stage.state.outcomes.protection.current;
    assert.ok(current);
    state.outcomes.protection.current = current;
    state.apply({ of: 'term' });
    assert.equal(state.outcomes.protection.current, undefined);
  });
});
