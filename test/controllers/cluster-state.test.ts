import assert from 'node:assert/strict';
import type { CapabilityPolicy, CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { ClusterState } from '../../operator/controllers/cluster-state.ts';
import type { Cause, StateChange } from '../../operator/controllers/state-change.ts';
import { serviceAccountUser } from '../../operator/evaluate/use.ts';
import type { Cluster, NamespaceView, RenderedObject } from '../../operator/model/objects.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policy } from '../support/policies.ts';
import { podView } from '../support/views.ts';

const LABEL = 'pod-security.kubernetes.io/enforce';
const OPTIONS = { operatorNamespace: 'system', excludedNamespaces: ['kube-*'], podSecurityDefaults: {} };
const NET = { namespaceSelector: { matchLabels: { team: 'net' } } };

/** A cluster that the test changes step by step. */
class HandmadeCluster {
  readonly all = new Map<string, CapabilityPolicy>();
  readonly labels = new Map<string, Readonly<Record<string, string>>>();
  readonly ending = new Set<string>();
  oldestServer = NEWEST_KNOWN_MINOR;
  readonly state = new ClusterState(this as unknown as Cluster, OPTIONS);

  policies = () => [...this.all.values()];
  policy = (name: string) => this.all.get(name);
  rendered = (): RenderedObject[] => [];
  roles = () => [];
  roleBindings = () => [];
  namespaces = () => [...this.labels.keys()].flatMap((name) => this.namespace(name) ?? []);

  namespace(name: string): NamespaceView | undefined {
    const labels = this.labels.get(name);
    return labels && { name, uid: 'u', terminating: this.ending.has(name), labels, labelOwners: {} };
  }

  put(name: string, spec: Partial<CapabilityPolicySpec>, generation: number): StateChange {
    const { metadata, ...rest } = policy(name, spec);
    this.all.set(name, { ...rest, metadata: { ...metadata, generation } } as CapabilityPolicy);
    return this.state.apply({ of: 'policy', name });
  }
}

/** The policies and namespaces that a change makes dirty, as text. */
function dirty({ policies, namespaces }: StateChange): string {
  return `${[...policies].sort().join(' ')} | ${[...namespaces].sort().join(' ')}`;
}

describe('ClusterState', () => {
  let cluster: HandmadeCluster;
  const apply = (cause: Cause) => cluster.state.apply(cause);

  beforeEach(() => {
    cluster = new HandmadeCluster();
    cluster.labels.set('a', { team: 'net' }).set('b', {}).set('kube-system', {});
    cluster.put('net', NET, 1);
    cluster.put('all', { mode: 'Audit' }, 1);
    cluster.state.accept();
  });

  describe('labelOutcomes: before the first label pass', () => {
    const rows = [
      ['a missing label does not count: its write may be refused', {}, undefined],
      ['an existing label counts', { [LABEL]: 'restricted' }, 'restricted'],
    ] as const;
    for (const [title, labels, applied] of rows) {
      it(title, () => {
        cluster.labels.set('a', { team: 'net', ...labels });
        assert.equal(cluster.state.labelOutcomes(['a']).get('a')?.applied[LABEL], applied);
      });
    }
  });

  describe('accept', () => {
    it('accept keeps the last accepted text of an edited policy that does not compile, even before the watch shows the text', () => {
      const spec = { ...NET, overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } } as never;
      cluster.put('net', spec, 2);
      cluster.state.accept();
      const before = cluster.state.policies.compiled;
      cluster.put('net', { ...NET, levelVersion: 'v1.99' }, 3);
      for (let time = 0; time < 2; time++) {
        cluster.state.accept();
        assert.deepEqual([...cluster.state.policies.compiled.refusals.keys()], ['net']);
        const { policies, grants } = cluster.state.policies.compiled;
        assert.deepEqual([policies, grants], [before.policies, before.grants]);
      }
      // An earlier leader may have accepted a different spec before the term of the current leader began.
      apply({ of: 'term' });
      cluster.state.accept();
      assert.deepEqual(
        cluster.state.policies.compiled.policies.map(({ id }) => id),
        ['all'],
      );
    });

    it('only accept compiles policies, and reading the compiled policies changes nothing', () => {
      const { compiled } = cluster.state.policies;
      cluster.put('net', { ...NET, level: 'baseline' }, 2);
      assert.equal(cluster.state.policies.isStale, true);
      assert.equal(cluster.state.policies.compiled, compiled);
      cluster.state.accept();
      assert.equal(cluster.state.policies.isStale, false);
      assert.notEqual(cluster.state.policies.compiled, compiled);
    });

    it('isCompiledAs returns whether outcomes about an earlier text of a policy still apply to the policy', () => {
      const { state } = cluster;
      const { compiled } = state.policies;
      const unchangedSince = () => ['net', 'all'].filter((name) => state.policies.isCompiledAs(name, compiled));
      assert.deepEqual(unchangedSince(), ['net', 'all']);
      cluster.put('alone', { namespaceSelector: { matchLabels: { team: 'nobody' } }, mode: 'Warn' }, 1);
      assert.deepEqual(unchangedSince(), ['net', 'all']);
      state.accept();
      assert.deepEqual(unchangedSince(), ['net', 'all']);
      cluster.put('net', { ...NET, level: 'baseline' }, 2);
      assert.deepEqual(unchangedSince(), ['all']);
      state.accept();
      assert.deepEqual(unchangedSince(), ['all']);
    });

    it('after an edit of a policy, accept makes the selected namespaces and their other policies dirty', () => {
      cluster.put('net', { ...NET, level: 'baseline' }, 2);
      assert.equal(dirty(cluster.state.accept()), 'all net | a');
      cluster.put('alone', { namespaceSelector: { matchLabels: { team: 'nobody' } } }, 1);
      assert.equal(dirty(cluster.state.accept()), 'alone | ');
      cluster.all.delete('alone');
      apply({ of: 'policy', name: 'alone' });
      assert.equal(dirty(cluster.state.accept()), 'alone | ');
    });

    it('accept counts the users of a policy before the operator has written the role of the policy', () => {
      const { state } = cluster;
      const ping = { kind: 'ServiceAccount', namespace: 'a', name: 'ping' } as const;
      const pinger = serviceAccountUser('a', 'ping');
      cluster.put('net', { ...NET, usableBy: 'Subjects', subjects: [ping] }, 2);
      assert.equal(state.policies.use.mayUse(pinger, 'a', 'net'), false);
      state.accept();
      assert.equal(state.policies.use.mayUse(pinger, 'a', 'net'), true);
      cluster.put('net', { ...NET, usableBy: 'Subjects', subjects: [{ ...ping, name: 'other' }] }, 3);
      state.accept();
      assert.equal(state.policies.use.mayUse(pinger, 'a', 'net'), false);
    });

    it('after a change of a right, accept makes the concerned policies and namespaces dirty, and keeps unchanged rights', () => {
      const { state } = cluster;
      cluster.put('bound', { usableBy: 'Bindings' }, 1);
      state.accept();
      const { use } = state.policies;
      cluster.put('all', { mode: 'Audit', level: 'baseline' }, 2);
      assert.equal(dirty(state.accept()), 'all bound net | a b');
      assert.equal(state.policies.use, use);
      cluster.put('named', { usableBy: 'Bindings', namespaceSelector: { matchLabels: { team: 'none' } } }, 1);
      assert.equal(dirty(state.accept()), 'bound named | a b');
      assert.notEqual(state.policies.use, use);
    });

    it('acceptedText returns the last accepted text while an edit is refused', () => {
      const { state } = cluster;
      const levelOf = () => state.policies.acceptedText('net')?.policy.standard.level;
      cluster.put('net', { ...NET, level: 'baseline' }, 2);
      state.accept();
      assert.deepEqual([levelOf(), state.policies.acceptedText('net')?.spec.level], ['baseline', 'baseline']);
      cluster.put('net', { ...NET, level: 'restricted', levelVersion: 'v1.99' }, 3);
      state.accept();
      assert.deepEqual([levelOf(), state.policies.acceptedText('net')?.spec.level], ['baseline', 'baseline']);
      assert.ok('refusal' in (state.policies.resolution('net') ?? {}));
      cluster.put('never', { levelVersion: 'v1.99' }, 1);
      state.accept();
      assert.equal(state.policies.acceptedText('never'), undefined);
    });

    it('if an edit is refused, accept makes only the edited policy dirty', () => {
      cluster.put('net', { ...NET, levelVersion: 'v1.99' }, 2);
      assert.equal(dirty(cluster.state.accept()), 'net | ');
    });

    it('accept drops the verdicts of exactly those namespaces in which the deciding policies change', () => {
      const { verdicts } = cluster.state.outcomes;
      for (const namespace of ['a', 'b']) verdicts.set(namespace, { namespace, modes: {}, needs: new Map() });
      cluster.put('net', { ...NET, level: 'baseline' }, 2);
      cluster.state.accept();
      assert.deepEqual([...verdicts.keys()], ['b']);
    });

    it('accept keeps the list of policies of an unchanged namespace, so that the evaluation of the namespace continues', () => {
      const { state } = cluster;
      const [a, b] = [state.policies.selecting('a'), state.policies.selecting('b')];
      cluster.put('net', { ...NET, level: 'baseline' }, 2);
      state.accept();
      assert.notEqual(state.policies.selecting('a'), a);
      assert.equal(state.policies.selecting('b'), b);
    });
  });

  describe('a namespace that is being deleted', () => {
    it('no policy covers a namespace that is being deleted, because no pod can be created in the namespace', () => {
      cluster.ending.add('a');
      assert.equal(dirty(apply({ of: 'namespace', name: 'a' })), 'all net | a');
      assert.deepEqual(cluster.state.policies.selecting('a'), []);
      assert.deepEqual(cluster.state.policies.coverage('net')?.deciding, []);
      assert.deepEqual(cluster.state.policies.coverage('all')?.selected, ['b']);
    });

    it('is not covered by later policies', () => {
      cluster.ending.add('a');
      apply({ of: 'namespace', name: 'a' });
      cluster.put('net', { ...NET, level: 'baseline' }, 2);
      cluster.state.accept();
      assert.deepEqual(cluster.state.policies.coverage('net')?.selected, []);
    });
  });

  describe('accepting', () => {
    it('accepting compiles one policy after another, and replaces the compiled policies only at the end', () => {
      for (let index = 0; index < 10; index++) cluster.put(`more-${index}`, NET, 1);
      const before = cluster.state.policies.compiled;
      let yields = 0;
      for (const _ of cluster.state.accepting()) {
        yields++;
        assert.deepEqual([cluster.state.policies.compiled === before, cluster.state.policies.isStale], [true, true]);
      }
      assert.ok(yields >= cluster.all.size, `${yields} yields`);
      assert.deepEqual([cluster.state.policies.compiled.policies.length, cluster.state.policies.isStale], [12, false]);
    });

    it('takes along what changes meanwhile', () => {
      cluster.put('more', NET, 1);
      const accepting = cluster.state.accepting();
      accepting.next();
      cluster.put('later', NET, 1);
      while (!accepting.next().done);
      assert.deepEqual(
        cluster.state.policies.compiled.policies.map(({ id }) => id),
        ['all', 'later', 'more', 'net'],
      );
    });
  });

  describe('apply', () => {
    it('policy: a change of the status makes only the status of the policy dirty', () => {
      const change = apply({ of: 'policy', name: 'net' });
      assert.deepEqual([dirty(change), change.recompiles, cluster.state.policies.isStale], ['net | ', false, false]);
    });

    it('policy: a change of the text drops the outcomes of the policy, and requests a compilation', () => {
      const inForce = { state: 'InForce', row: 'r', servers: { inForce: 1, answering: 1 }, message: '' } as const;
      const progress = { begun: true, paused: false, namespaces: new Map() };
      const { programs, progress: steps } = cluster.state.outcomes;
      programs.set('net', inForce).set('all', inForce);
      steps.set('net', progress).set('all', progress);
      const change = cluster.put('net', NET, 2);
      assert.deepEqual([dirty(change), change.recompiles], ['net | ', true]);
      assert.deepEqual([[...programs.keys()], [...steps.keys()]], [['all'], ['all']]);
    });

    it('namespace: the policies that select or selected the namespace become dirty', () => {
      cluster.labels.set('a', {});
      assert.equal(dirty(apply({ of: 'namespace', name: 'a' })), 'all net | a');
      assert.equal(dirty(apply({ of: 'namespace', name: 'a' })), ' | a');
      cluster.labels.delete('b');
      assert.equal(dirty(apply({ of: 'namespace', name: 'b' })), 'all | b');
      assert.deepEqual(cluster.state.policies.coverage('all')?.selected, ['a']);
    });

    it('namespace: if the namespace was deleted, its objects and violations are forgotten, also without evaluation', () => {
      const { seen, promotionVerdicts, policies } = cluster.state;
      const by = { policies: policies.selecting('a'), use: policies.use };
      const evaluated = (violating: number, now: number) =>
        promotionVerdicts.set('a', { ...by, verdicts: new Map([['net', { violating }]]) }, now);
      evaluated(1, 8);
      seen.add('a', [podView('pod')], 8);
      cluster.labels.delete('a');
      apply({ of: 'namespace', name: 'a' });
      evaluated(0, 9);
      assert.deepEqual([seen.in('a'), promotionVerdicts.get('a', 'net', by)], [[], { violating: 0 }]);
    });

    it('namespace: no policy, when it is excluded', () => {
      assert.equal(dirty(apply({ of: 'namespace', name: 'kube-system' })), ' | kube-system');
      assert.deepEqual(cluster.state.policies.selecting('kube-system'), []);
    });

    it('rbac: the policies with restricted use, and the namespaces that these policies select, become dirty', () => {
      assert.equal(dirty(apply({ of: 'rbac' })), ' | ');
      const { use } = cluster.state.policies;
      cluster.put('net', { ...NET, usableBy: 'Bindings' }, 2);
      cluster.state.accept();
      assert.equal(dirty(apply({ of: 'rbac' })), 'net | a');
      assert.notEqual(cluster.state.policies.use, use);
    });

    it('servers: requests a compilation when the version of the oldest API server has changed', () => {
      assert.equal(apply({ of: 'servers', oldest: false }).recompiles, false);
      assert.equal(cluster.state.policies.isStale, false);
      assert.equal(apply({ of: 'servers', oldest: true }).recompiles, true);
      cluster.oldestServer--;
      assert.equal(dirty(cluster.state.accept()), 'all net | a b');
    });

    it('found: the given policies, and the policies that select the given namespace, become dirty', () => {
      assert.equal(dirty(apply({ of: 'found', by: 'evaluation', namespace: 'b' })), 'all | ');
      assert.equal(dirty(apply({ of: 'found', by: 'programs', policies: ['net'] })), 'net | ');
    });

    it('term: everything, and drops all outcomes', () => {
      cluster.state.outcomes.verdicts.set('a', {
        namespace: 'a',
        modes: {},
        needs: new Map(),
      });
      const change = apply({ of: 'term' });
      assert.deepEqual([dirty(change), change.recompiles], ['all net | a b kube-system', true]);
      assert.equal(cluster.state.outcomes.verdicts.size, 0);
    });

    it('pod, workload, rendered: nothing else', () => {
      for (const kind of ['pod', 'workload'] as const) {
        assert.equal(dirty(apply({ of: kind, namespace: 'a', name: 'p' })), ' | ');
      }
      assert.equal(dirty(apply({ of: 'rendered', kind: 'ClusterRole', name: 'r' })), ' | ');
    });
  });
});
