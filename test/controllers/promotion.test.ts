/**
 * Tests the controller of promotions on a cluster that the test sets up. The tests check the order of the controller's
 * writes. The tests also check which admission policies the controller uses to evaluate namespaces.
 */
import assert from 'node:assert/strict';
import { mock } from 'node:test';
import type { CapabilityPolicySpec, CompletePolicy } from '../../operator/api/capability-policy.ts';
import type { ApiClient } from '../../operator/cluster/client.ts';
import type { Compiled } from '../../operator/compile/compile.ts';
import { PROGRAM_LABEL, rowOf } from '../../operator/compile/program.ts';
import { ClusterState } from '../../operator/controllers/cluster-state.ts';
import type { Context } from '../../operator/controllers/controller.ts';
import { Evaluation } from '../../operator/controllers/evaluation.ts';
import { Promotion } from '../../operator/controllers/promotion.ts';
import type { Cluster, NamespaceView, PodView, RenderedObject, RoleBindingView } from '../../operator/model/objects.ts';
import type { RolloutLabels } from '../../operator/promotion/rollouts.ts';
import type { Entry, RolloutState } from '../../operator/promotion/state.ts';
import type { KubernetesEvent } from '../../operator/report/events.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { app } from '../support/pods.ts';
import { policy } from '../support/policies.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { binding, ownedBy, podView, useRole } from '../support/views.ts';

const OPTIONS = { operatorNamespace: 'system', excludedNamespaces: [], podSecurityDefaults: {}, rollsOut: true };
const LABEL = 'rollout.capabilitypolicy.dev/it';

const SOAKING: Partial<CapabilityPolicySpec> = { level: 'baseline', rollout: { soak: '10s' } };
const START = 1_800_000_000_000;

class Stage {
  readonly policies = new Map<string, CompletePolicy>();
  readonly labels = new Map<string, Readonly<Record<string, string>>>([['a', {}]]);
  readonly writes: string[] = [];
  readonly events: string[] = [];
  readonly configMaps = new Map<string, object>();
  readonly pods = new Map<string, PodView>();
  readonly bindings: RoleBindingView[] = [];
  rendered: readonly RenderedObject[] = [];
  refuses = false;
  /** Writes of ConfigMaps wait for this promise. */
  held: Promise<void> | undefined;
  readonly state: ClusterState;
  controller: Promotion;
  readonly evaluation: Evaluation;

  readonly begin: () => Promotion;

  constructor({ oldestServer = NEWEST_KNOWN_MINOR } = {}) {
    const namespace = (name: string): NamespaceView | undefined => {
      const labels = this.labels.get(name);
      return labels && { name, uid: `uid-${name}`, terminating: false, labels, labelOwners: {} };
    };
    const cluster = {
      pods: () => this.pods.values(),
      workloads: () => [],
      workload: () => undefined,
      oldestServer,
      policies: () => [...this.policies.values()],
      policy: (name: string) => this.policies.get(name),
      namespaces: () => [...this.labels.keys()].flatMap((name) => namespace(name) ?? []),
      namespace,
      roles: () => [useRole('exception')],
      roleBindings: () => this.bindings,
      rendered: () => this.rendered,
    } as unknown as Cluster;
    this.state = new ClusterState(cluster, OPTIONS);
    const client = {
      list: async (_path: string, _options: object, onPage: (page: object) => void) =>
        onPage({ items: [...this.configMaps.values()] }),
      apply: async (configMap: { metadata: { name: string } }) => {
        const { name } = configMap.metadata;
        await this.held;
        if (this.refuses) throw new Error('refused');
        this.writes.push(`write ${name}`);
        this.configMaps.set(name, configMap);
      },
      remove: async (path: string) => {
        if (this.refuses) throw new Error('refused');
        this.writes.push(`remove ${path.split('/').at(-1)}`);
      },
    } as unknown as ApiClient;
    const { signal } = new AbortController();
    const context = {
      client,
      cluster,
      state: this.state,
      log: new RecordingLog(),
      recorder: {
        later: (event: KubernetesEvent) => this.events.push(event.reason),
        tell: async (events: readonly KubernetesEvent[]) => {
          this.events.push(...events.map(({ reason }) => reason));
          return [];
        },
      },
      instance: 'test',
      signal,
      found: (found: object) => this.state.apply({ of: 'found', ...found } as never),
    } as unknown as Context;
    this.begin = () => new Promotion(context, 'system');
    this.controller = this.begin();
    this.evaluation = new Evaluation(context);
  }

  put(spec: Partial<CapabilityPolicySpec>, generation: number, uid = 'uid-of-it'): void {
    const one = policy('it', spec);
    this.policies.set('it', { ...one, metadata: { ...one.metadata, uid, generation } });
    this.state.apply({ of: 'policy', name: 'it' });
  }

  lead(): void {
    this.state.apply({ of: 'term' });
    this.controller = this.begin();
  }

  async look(): Promise<void> {
    if (this.state.policies.isStale) this.state.accept();
    await this.controller.reconcile('it', () => {});
    if (this.state.policies.isStale) this.state.accept();
  }

  async evaluate(): Promise<void> {
    if (this.state.policies.isStale) this.state.accept();
    await this.evaluation.reconcile('a');
  }

  /** Brings every compiled program into force. */
  settle(): void {
    if (this.state.policies.isStale) this.state.accept();
    const { compiled } = this.state.policies;
    for (const policy of compiled.policies.toReversed()) {
      const servers = { inForce: 1, answering: 1 };
      const outcome = { state: 'InForce', row: rowOf(policy, compiled), servers, message: '' } as const;
      this.state.outcomes.programs.set(policy.name, outcome);
    }
  }

  /** Adds a running pod to the cluster, in the form of a watch event. */
  run(pod: PodView): void {
    this.pods.set(pod.name, pod);
    this.state.apply({ of: 'pod', namespace: 'a', name: pod.name, seen: [pod] });
  }

  end(name: string): void {
    const pod = this.pods.get(name);
    this.pods.delete(name);
    this.state.apply({ of: 'pod', namespace: 'a', name, seen: pod ? [pod] : [] });
  }

  /** Begins a rollout with one soaking namespace. */
  async soak(spec: Partial<CapabilityPolicySpec> = {}): Promise<void> {
    for (const name of this.labels.keys()) this.labels.set(name, { [LABEL]: 'pending' });
    this.put({ ...SOAKING, ...spec }, 1);
    for (let looks = 0; looks < 3; looks++) {
      await this.evaluate();
      await this.look();
      this.settle();
      this.stand();
    }
    assert.equal(this.entry?.state, 'Soaking');
  }

  /** Puts the compiled roles and admission policies into the cluster. */
  stand(): void {
    this.state.accept();
    const { programs, grants } = this.state.policies.compiled;
    const objects = [...[...grants.values()].map(({ role }) => role), ...programs.map(({ policy }) => policy)];
    this.rendered = objects as unknown as RenderedObject[];
  }

  /** The number of namespaces that the status counts as enforced. */
  get enforced(): number {
    const namespaces = this.state.outcomes.progress.get('it')?.namespaces.values() ?? [];
    return [...namespaces].filter(({ state }) => state === 'Enforced').length;
  }

  get entry(): Entry | undefined {
    return this.state.promotions.get('it')?.namespaces.get('a');
  }

  rolloutLabels(namespace: string): RolloutLabels {
    const labels = this.labels.get(namespace) ?? {};
    return this.state.rolloutLabels({ name: namespace, uid: `uid-${namespace}`, labels } as NamespaceView);
  }

  get parts(): string[] {
    return this.state.policies.compiled.policies.map(({ id }) => id);
  }
}

const fine = (name: string) => podView(name, { namespace: 'a' });
const bad = (name: string) => podView(name, { namespace: 'a', ...app({ securityContext: { privileged: true } }) });

describe('the saved record of a soaking namespace', () => {
  let stage: Stage;

  beforeEach(async () => {
    mock.timers.enable({ apis: ['Date'], now: START });
    stage = new Stage();
    await stage.soak();
  });
  afterEach(() => mock.timers.reset());

  const edits: [string, () => void | Promise<void>][] = [
    ['an edit of a field that no rule reads', () => stage.put({ ...SOAKING, reason: 'a ticket' }, 2)],
    ['an edit that admits the pod', () => stage.put({ ...SOAKING, level: 'privileged' }, 2)],
    ['a change of leaders', () => stage.lead()],
  ];
  for (const [what, edit] of edits) {
    it(`remembers a pod that violated and is gone, over ${what}`, async () => {
      mock.timers.tick(8_000);
      stage.run(bad('brief'));
      stage.end('brief');
      await stage.evaluate();
      await edit();
      stage.settle();
      mock.timers.tick(3_000);
      await stage.evaluate();
      await stage.look();
      assert.deepEqual([stage.entry?.state, stage.entry?.since], ['Soaking', START + 8_000]);
    });
  }

  it('a violation stays in the record even if an edit of the policy later admits the pod', async () => {
    mock.timers.tick(8_000);
    stage.run(bad('lasting'));
    await stage.evaluate();
    stage.put({ ...SOAKING, level: 'privileged' }, 2);
    stage.settle();
    mock.timers.tick(3_000);
    await stage.evaluate();
    await stage.look();
    assert.deepEqual([stage.entry?.state, stage.entry?.since], ['Soaking', START + 11_000]);
  });

  it('a namespace without violations continues to soak after an edit of the policy', async () => {
    mock.timers.tick(8_000);
    stage.put({ ...SOAKING, reason: 'a ticket' }, 2);
    stage.settle();
    await stage.evaluate();
    await stage.look();
    assert.deepEqual([stage.entry?.state, stage.entry?.since], ['Soaking', START]);
  });

  it('the controller promotes a namespace even if the pods of the namespace change all the time', async () => {
    mock.timers.tick(11_000);
    stage.run(fine('busy'));
    await stage.look();
    assert.equal(stage.entry?.state, 'Enforced');
  });

  it('the controller does not promote a namespace if a pod violated the policy since the last evaluation', async () => {
    mock.timers.tick(9_000);
    stage.run(bad('brief'));
    stage.end('brief');
    mock.timers.tick(2_000);
    await stage.look();
    assert.deepEqual([stage.entry?.state, stage.entry?.since], ['Soaking', START + 9_000]);
  });

  describe('when an exception admits a pod', () => {
    const excepted = { ...bad('excepted'), ...ownedBy('ReplicaSet', 'web') };
    const grant = binding('capabilitypolicy.dev:use:exception', {
      kind: 'ServiceAccount',
      name: 'default',
      namespace: 'a',
    });
    const losses: [string, () => void][] = [
      [
        'the namespace left it',
        () => {
          stage.labels.set('a', { [LABEL]: 'pending' });
          stage.state.apply({ of: 'namespace', name: 'a' });
        },
      ],
      [
        'the grant of its use was deleted',
        () => {
          stage.bindings.pop();
          stage.state.apply({ of: 'rbac' });
        },
      ],
    ];

    beforeEach(async () => {
      stage.labels.set('a', { [LABEL]: 'pending', team: 'a' });
      stage.state.apply({ of: 'namespace', name: 'a' });
      stage.bindings.push(grant);
      stage.state.apply({ of: 'rbac' });
      const namespaceSelector = { matchLabels: { team: 'a' } };
      stage.policies.set(
        'exception',
        policy('exception', { level: 'privileged', usableBy: 'Bindings', namespaceSelector }),
      );
      stage.state.apply({ of: 'policy', name: 'exception' });
      stage.settle();
      stage.run(excepted);
      await stage.evaluate();
      await stage.look();
      mock.timers.tick(11_000);
    });

    it('promotes it', async () => {
      await stage.look();
      assert.equal(stage.entry?.state, 'Enforced');
    });

    for (const [what, lose] of losses) {
      it(`does not promote it by a verdict from before ${what}`, async () => {
        lose();
        await stage.look();
        assert.equal(stage.entry?.state, 'Soaking');
        await stage.evaluate();
        await stage.look();
        assert.equal(stage.entry?.state, 'Blocked');
      });
    }
  });

  it('the controller runs again if policies changed while the controller read the saved state', async () => {
    stage.lead();
    stage.state.accept();
    const waits: number[] = [];
    const looking = stage.controller.reconcile('it', (ms) => waits.push(ms));
    stage.put({ ...SOAKING, reason: 'a ticket' }, 2);
    await looking;
    assert.deepEqual([waits.length, stage.state.promotions.get('it')], [1, undefined]);
  });
});

describe('the controller of promotions', () => {
  it('the controller writes the state first, and compiles the enforced part only after the controller sees the label', async () => {
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

  it('the controller changes no label before it has written the decision about the label', async () => {
    const stage = new Stage();
    stage.refuses = true;
    stage.put({ rollout: {} }, 1);
    await assert.rejects(stage.look(), /refused/);
    assert.deepEqual(stage.rolloutLabels('a').set, {});
  });

  it('the controller labels no namespace for a policy that was never accepted', async () => {
    const stage = new Stage();
    stage.put({ rollout: {}, levelVersion: 'v1.99' }, 1);
    await stage.look();
    assert.deepEqual([stage.writes, stage.state.promotions.get('it')], [[], undefined]);
  });

  it('the controller uses the last accepted text of a policy whose edit is refused', async () => {
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

  it('if older API servers have no room for an edited selector beside other policies, the controller changes nothing', async () => {
    const stage = new Stage({ oldestServer: 35 });
    const a = { matchLabels: { team: 'a' } };
    const b = { matchLabels: { team: 'b' } };
    for (let index = 0; index < 3; index++) {
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
      assert.equal(stage.state.policies.compiled.refusals.get('it')?.reason, 'TooExpensive', `look ${looks}`);
      stage.labels.set('a', { team: 'a', ...stage.rolloutLabels('a').set });
    }
    assert.deepEqual([stage.state.promotions.get('it'), stage.writes.length], [state, writes]);
  });

  const beginnings: [string, readonly Partial<CapabilityPolicySpec>[], string][] = [
    ['enforces where somebody set the label before the policy had a rollout', [{}], 'Enforced'],
    ['takes the label for the state when the state of a rollout is lost', [{}, { rollout: {} }], 'Pending'],
  ];
  for (const [title, specs, expected] of beginnings) {
    it(title, async () => {
      const stage = new Stage();
      for (const [index, spec] of specs.entries()) {
        stage.put(spec, index + 1);
        stage.state.accept();
        stage.rendered = renderedWith('it', stage.state.policies.compiled);
      }
      stage.labels.set('a', { [LABEL]: 'pending' });
      stage.put({ rollout: {} }, 3);
      await stage.look();
      assert.equal(stage.state.promotions.get('it')?.namespaces.get('a')?.state, expected);
    });
  }

  it('the controller spends only a small share of the time on thousands of namespaces', async () => {
    const stage = new Stage();
    for (let i = 0; i < 20_000; i++) stage.labels.set(`n-${i}`, {});
    stage.put(SOAKING, 1);
    stage.state.accept();
    const waits: number[] = [];
    await stage.controller.reconcile('it', (ms) => waits.push(ms));
    assert.ok((waits[0] ?? 0) > 100, `${waits} ms`);
  });

  it('the controller writes the first state even if labels and texts in the cluster already match the state', async () => {
    const stage = new Stage();
    stage.put({}, 1);
    stage.stand();
    stage.put({ rollout: {} }, 2);
    await stage.look();
    assert.deepEqual(stage.writes, ['write rollout-0.it']);
    // The operator crashes after writing the new admission policy. If somebody sets a pending label after the crash,
    // the label has no meaning.
    stage.stand();
    stage.lead();
    stage.labels.set('a', { [LABEL]: 'pending' });
    await stage.look();
    assert.equal(stage.entry?.state, 'Enforced');
  });

  for (const [title, leads] of [
    ['in the same term', false],
    ['after a crash', true],
  ] as const) {
    for (const [soak, rollout] of Object.entries({ '0s': { soak: '0s' }, '24h': {} })) {
      it(`a policy that was deleted and created again stays enforced where it was enforced, ${title}, with soak ${soak}`, async () => {
        const stage = new Stage();
        stage.run(bad('legacy'));
        stage.put({ level: 'privileged' }, 1);
        stage.stand();
        const enforced = stage.rendered.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy');
        stage.put({ level: 'restricted', rollout }, 1, 'another uid');
        await stage.look();
        // The operator writes the role first. The program still has the row of the deleted policy.
        stage.stand();
        stage.rendered = [...stage.rendered.filter(({ kind }) => kind === 'ClusterRole'), ...enforced];
        if (leads) stage.lead();
        for (let looks = 0; looks < 3; looks++) {
          await stage.evaluate();
          await stage.look();
        }
        assert.deepEqual([stage.entry?.state, stage.parts], [undefined, ['it', 'it/pending']]);
      });
    }
  }

  it('tells before the first state is saved that the rollout begins over a label enforce, and not again', async () => {
    const stage = new Stage();
    stage.labels.set('a', { 'pod-security.kubernetes.io/enforce': 'baseline' });
    stage.put(SOAKING, 1);
    stage.refuses = true;
    await assert.rejects(stage.look());
    assert.deepEqual([stage.events, stage.writes], [['RolloutOverLabels'], []]);
    stage.refuses = false;
    stage.lead();
    await stage.look();
    assert.deepEqual(stage.events, ['RolloutOverLabels', 'RolloutOverLabels']);
    for (let looks = 0; looks < 3; looks++) await stage.look();
    stage.lead();
    await stage.look();
    assert.equal(stage.events.length, 2);
  });

  it('the status counts a namespace as enforced only after the label of the namespace is gone', async () => {
    mock.timers.enable({ apis: ['Date'], now: START });
    const stage = new Stage();
    await stage.soak();
    mock.timers.tick(11_000);
    await stage.look();
    mock.timers.reset();
    assert.deepEqual([stage.entry?.state, stage.events, stage.enforced], ['Enforced', [], 0]);
    await stage.look();
    assert.deepEqual([stage.events, stage.enforced], [[], 0]);
    stage.labels.set('a', {});
    await stage.look();
    assert.deepEqual([stage.events, stage.enforced], [['NamespaceEnforced'], 1]);
  });

  const rests: [string, (stage: Stage) => void][] = [
    ['in mode Audit', (stage) => stage.put({ ...SOAKING, mode: 'Audit' }, 2)],
    ['in mode Warn without rollout', (stage) => stage.put({ level: 'baseline', mode: 'Warn' }, 2)],
    ['after its end', (stage) => stage.put({ ...SOAKING, expires: '2020-01-01T00:00:00Z' }, 2)],
  ];
  for (const [title, rest] of rests) {
    it(`goes on as it was after a rest ${title}, in the same term and in the next`, async () => {
      for (const isSameTerm of [true, false]) {
        const stage = new Stage();
        stage.labels.set('b', {});
        await stage.soak();
        // Namespace b has lost its label, so the policy is enforced in namespace b.
        stage.labels.set('b', {});
        const { namespaces } = stage.state.promotions.get('it') as RolloutState;
        (namespaces as Map<string, Entry>).delete('b');
        rest(stage);
        await stage.look();
        stage.rendered = [];
        assert.equal(stage.state.promotions.get('it'), undefined);
        if (!isSameTerm) stage.lead();
        // The label is unguarded while the rendered objects are missing.
        stage.labels.set('a', {});
        stage.labels.set('b', { [LABEL]: 'pending' });
        stage.put(SOAKING, 3);
        await stage.look();
        assert.equal(stage.entry?.state, 'Soaking');
        assert.deepEqual([stage.parts, stage.rolloutLabels('b').remove], [['it/pending'], [LABEL]]);
        stage.labels.set('a', { [LABEL]: 'pending' });
        stage.labels.set('b', {});
        for (let looks = 0; looks < 3; looks++) {
          stage.settle();
          await stage.look();
        }
        assert.deepEqual([stage.parts, stage.enforced, stage.entry?.state], [['it', 'it/pending'], 1, 'Soaking']);
      }
    });
  }

  it('if the text of a policy was deleted while no operator led, the controller first labels the namespaces again and then enforces the policy', async () => {
    const stage = new Stage();
    await stage.soak();
    stage.rendered = [];
    stage.lead();
    stage.labels.set('a', {});
    await stage.look();
    assert.deepEqual([stage.parts, stage.rolloutLabels('a').set], [['it/pending'], { [LABEL]: 'pending' }]);
  });

  it('the controller removes its saved state when a user removes the rollout from the policy', async () => {
    const stage = new Stage();
    stage.put({ rollout: {} }, 1);
    await stage.look();
    stage.put({}, 2);
    await stage.look();
    assert.deepEqual([stage.writes.at(-1), stage.parts], ['remove rollout-0.it', ['it']]);
  });
});

describe('if the state of an ended rollout cannot be saved', () => {
  let stage: Stage;
  let now = 0;

  beforeEach(async () => {
    mock.timers.enable({ apis: ['Date'], now: START });
    mock.method(performance, 'now', () => now);
    stage = new Stage();
    await stage.soak();
    stage.labels.set('b', {});
    await stage.look();
    assert.deepEqual([entryOf('b'), stage.parts], [undefined, ['it', 'it/pending']]);
    stage.refuses = true;
  });
  afterEach(() => {
    mock.restoreAll();
    mock.timers.reset();
  });

  const entryOf = (namespace: string) => stage.state.promotions.get('it')?.namespaces.get(namespace)?.state;

  /** Whether programs wait after a change of the policy. */
  function waits(spec: Partial<CapabilityPolicySpec>, generation: number): boolean {
    stage.put(spec, generation);
    stage.state.accept();
    return stage.state.awaitsRollouts();
  }

  /** Ends the rollout, and lets the wait of programs for the state end. */
  async function end(spec: Partial<CapabilityPolicySpec>): Promise<void> {
    assert.equal(waits(spec, 2), true);
    await assert.rejects(stage.look(), /refused/);
    now += 9_999;
    assert.equal(stage.state.awaitsRollouts(), true);
    assert.equal(entryOf('a'), 'Soaking');
    now += 1;
    assert.equal(stage.state.awaitsRollouts(), false);
    stage.stand();
  }

  const AUDIT: Partial<CapabilityPolicySpec> = { ...SOAKING, mode: 'Audit' };

  it('a label that somebody set without a guard during break glass makes no namespace pending', async () => {
    await end(AUDIT);
    stage.labels.set('b', { [LABEL]: 'pending' });
    stage.refuses = false;
    const waited = waits(SOAKING, 3);
    await stage.look();
    assert.deepEqual([entryOf('a'), entryOf('b')], ['Soaking', 'Enforced']);
    assert.deepEqual([stage.rolloutLabels('b').remove, stage.parts, waited], [[LABEL], ['it/pending'], true]);
    assert.equal(stage.state.awaitsRollouts(), false);
  });

  it('a rollout that is added again makes no namespace pending again', async () => {
    await end({ level: 'baseline' });
    assert.deepEqual(stage.parts, ['it']);
    stage.labels.set('a', {});
    stage.refuses = false;
    const waited = waits(SOAKING, 3);
    await stage.look();
    assert.deepEqual([entryOf('a'), entryOf('b')], [undefined, undefined]);
    assert.deepEqual([stage.rolloutLabels('a').set, stage.parts, waited], [{}, ['it', 'it/pending'], true]);
  });

  it('a rollout goes on unchanged if break glass ends while programs still wait', async () => {
    const before = stage.state.promotions.get('it');
    assert.equal(waits(AUDIT, 2), true);
    await assert.rejects(stage.look(), /refused/);
    now += 9_999;
    assert.equal(stage.state.awaitsRollouts(), true);
    assert.equal(waits(SOAKING, 3), false);
    stage.settle();
    await stage.look();
    assert.deepEqual([stage.state.promotions.get('it'), stage.parts], [before, ['it', 'it/pending']]);
  });

  it('a later try saves the state, and the rollout goes on from there', async () => {
    await end(AUDIT);
    stage.refuses = false;
    await stage.look();
    assert.match(JSON.stringify(stage.configMaps.get('rollout-0.it')), /begun\\":false/);
    stage.lead();
    stage.labels.set('a', {});
    stage.put(SOAKING, 3);
    await stage.look();
    assert.deepEqual([stage.entry?.state, stage.entry?.since, stage.parts], ['Soaking', START, ['it/pending']]);
  });

  it('a step that is still being saved does not bring the forgotten state back', async () => {
    stage.refuses = false;
    mock.timers.tick(11_000);
    const { promise, resolve } = Promise.withResolvers<void>();
    stage.held = promise;
    const looking = stage.look();
    await new Promise(setImmediate);
    assert.equal(waits(AUDIT, 2), true);
    now += 10_000;
    assert.equal(stage.state.awaitsRollouts(), false);
    resolve();
    await looking;
    assert.equal(stage.state.promotions.get('it'), undefined);
  });
});

/** Creates the role of a policy, and a program. If the policy is enforced, the program has a row for the policy. */
function renderedWith(policy: string, { grants, policies }: Compiled): RenderedObject[] {
  const name = 'capabilitypolicy.enforce';
  const program = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name, labels: { [PROGRAM_LABEL]: name } },
    spec: { variables: [{ name: 'table', expression: `[{"name": ["${policy}"]}]` }] },
  };
  const isEnforced = policies.some(({ id, mode }) => id === policy && mode === 'Enforce');
  return [grants.get(policy)?.role, ...(isEnforced ? [program] : [])] as unknown as RenderedObject[];
}
