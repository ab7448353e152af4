/** The controller of promotions on a handmade cluster: the order of its writes, and the text by which it goes. */
import assert from 'node:assert/strict';
import type { CapabilityPolicySpec, CompletePolicy } from '../../operator/api/capability-policy.ts';
import type { ApiClient } from '../../operator/cluster/client.ts';
import { ClusterState } from '../../operator/controllers/cluster-state.ts';
import type { Context } from '../../operator/controllers/controller.ts';
import { Promotion } from '../../operator/controllers/promotion.ts';
import type { Cluster, NamespaceView, RenderedObject } from '../../operator/model/objects.ts';
import type { RolloutLabels } from '../../operator/promotion/rollouts.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policy } from '../support/policies.ts';
import { RecordingLog } from '../support/recording-log.ts';

const OPTIONS = { operatorNamespace: 'system', excludedNamespaces: [], podSecurityDefaults: {}, rollsOut: true };
const LABEL = 'rollout.capabilitypolicy.dev/it';

class Stage {
  readonly policies = new Map<string, CompletePolicy>();
  readonly labels = new Map<string, Readonly<Record<string, string>>>([['a', {}]]);
  readonly writes: string[] = [];
  rendered: readonly RenderedObject[] = [];
  refuses = false;
  readonly state: ClusterState;
  readonly controller: Promotion;

  constructor() {
    const namespace = (name: string): NamespaceView | undefined => {
      const labels = this.labels.get(name);
      return labels && { name, uid: `uid-${name}`, terminating: false, labels, labelOwners: {} };
    };
    const cluster = {
      oldestServer: NEWEST_KNOWN_MINOR,
      policies: () => [...this.policies.values()],
      policy: (name: string) => this.policies.get(name),
      namespaces: () => [...this.labels.keys()].flatMap((name) => namespace(name) ?? []),
      namespace,
      roles: () => [],
      roleBindings: () => [],
      rendered: () => this.rendered,
    } as unknown as Cluster;
    this.state = new ClusterState(cluster, OPTIONS);
    const client = {
      list: async () => '',
      apply: async ({ metadata }: { metadata: { name: string } }) => {
        if (this.refuses) throw new Error('refused');
        this.writes.push(`write ${metadata.name}`);
      },
      remove: async (path: string) => void this.writes.push(`remove ${path.split('/').at(-1)}`),
    } as unknown as ApiClient;
    const { signal } = new AbortController();
    const context = {
      client,
      cluster,
      state: this.state,
      log: new RecordingLog(),
      signal,
      found: (found: object) => this.state.apply({ of: 'found', ...found } as never),
    } as unknown as Context;
    this.controller = new Promotion(context, 'system');
  }

  put(spec: Partial<CapabilityPolicySpec>, generation: number): void {
    const one = policy('it', spec);
    this.policies.set('it', { ...one, metadata: { ...one.metadata, generation } });
    this.state.apply({ of: 'policy', name: 'it' });
  }

  async look(): Promise<void> {
    if (this.state.isStale) this.state.accept();
    await this.controller.reconcile('it', () => {});
    if (this.state.isStale) this.state.accept();
  }

  rolloutLabels(namespace: string): RolloutLabels {
    const labels = this.labels.get(namespace) ?? {};
    return this.state.rolloutLabels({ name: namespace, uid: `uid-${namespace}`, labels } as NamespaceView);
  }

  get parts(): string[] {
    return [...this.state.compiled.rendered.keys()];
  }
}

describe('the controller of promotions', () => {
  it('compiles the enforced part only when the label is seen, and the state is written first', async () => {
    const stage = new Stage();
    stage.put({ rollout: {} }, 1);
    await stage.look();
    assert.deepEqual([stage.parts, stage.writes], [['it/pending'], ['write rollout-0.it']]);
    assert.equal(stage.rolloutLabels('a').set[LABEL], 'pending');
    await stage.look();
    assert.deepEqual(stage.parts, ['it/pending']);
    stage.labels.set('a', { [LABEL]: 'pending' });
    await stage.look();
    assert.deepEqual([stage.parts, stage.writes.length], [['it', 'it/pending'], 2]);
  });

  it('changes no label before its decision is written', async () => {
    const stage = new Stage();
    stage.refuses = true;
    stage.put({ rollout: {} }, 1);
    await assert.rejects(stage.look(), /refused/);
    assert.deepEqual(stage.rolloutLabels('a').set, {});
  });

  it('labels nothing for a policy that was never accepted', async () => {
    const stage = new Stage();
    stage.put({ rollout: {}, levelVersion: 'v1.99' }, 1);
    await stage.look();
    assert.deepEqual([stage.writes, stage.state.promotions.get('it')], [[], undefined]);
  });

  it('goes by the last accepted text of a policy that is not accepted any more', async () => {
    const stage = new Stage();
    stage.put({ rollout: {}, namespaceSelector: { matchLabels: { team: 'a' } } }, 1);
    await stage.look();
    await stage.look();
    stage.put({ rollout: {}, levelVersion: 'v1.99' }, 2);
    await stage.look();
    assert.deepEqual([...(stage.state.promotions.get('it')?.namespaces.keys() ?? [])], []);
    stage.put({ mode: 'Audit', levelVersion: 'v1.99' }, 3);
    await stage.look();
    assert.notEqual(stage.state.promotions.get('it'), undefined);
  });

  it('leaves everything as it is when an edited selector has no room beside other policies', async () => {
    const stage = new Stage();
    const a = { matchLabels: { team: 'a' } };
    const b = { matchLabels: { team: 'b' } };
    for (let index = 0; index < 13; index++) {
      const other = policy(`other-${index}`, { usableBy: 'Bindings', namespaceSelector: a });
      stage.policies.set(`other-${index}`, other);
    }
    stage.labels.set('a', { team: 'a' });
    stage.put({ rollout: {}, usableBy: 'Bindings', namespaceSelector: b }, 1);
    for (let looks = 0; looks < 3; looks++) await stage.look();
    const [state, writes] = [stage.state.promotions.get('it'), stage.writes.length];
    stage.put({ rollout: {}, usableBy: 'Bindings', namespaceSelector: a }, 2);
    for (let looks = 0; looks < 6; looks++) {
      await stage.look();
      assert.equal(stage.state.compiled.refusals.get('it')?.reason, 'TooExpensive', `look ${looks}`);
      stage.labels.set('a', { team: 'a', ...stage.rolloutLabels('a').set });
    }
    assert.deepEqual([stage.state.promotions.get('it'), stage.writes.length], [state, writes]);
  });

  const standing: [string, readonly Partial<CapabilityPolicySpec>[], string][] = [
    ['enforces where somebody set the label before the policy had a roll-out', [{}], 'Enforced'],
    ['takes the label for the state when the state of a roll-out is lost', [{}, { rollout: {} }], 'Pending'],
  ];
  for (const [title, specs, expected] of standing) {
    it(title, async () => {
      const stage = new Stage();
      for (const [index, spec] of specs.entries()) {
        stage.put(spec, index + 1);
        stage.state.accept();
        const objects = stage.state.compiled.rendered.get('it')?.admission?.objects;
        stage.rendered = objects as unknown as RenderedObject[];
      }
      stage.labels.set('a', { [LABEL]: 'pending' });
      stage.put({ rollout: {} }, 3);
      await stage.look();
      assert.equal(stage.state.promotions.get('it')?.namespaces.get('a')?.state, expected);
    });
  }

  it('removes what it keeps when the roll-out is removed from the policy', async () => {
    const stage = new Stage();
    stage.put({ rollout: {} }, 1);
    await stage.look();
    stage.put({}, 2);
    await stage.look();
    assert.deepEqual([stage.writes.at(-1), stage.parts], ['remove rollout-0.it', ['it']]);
  });
});
