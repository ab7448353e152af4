/**
 * Tests that a tighter Pod Security label waits until the programs of the deciding policies are in force. A looser
 * label does not wait.
 */
import assert from 'node:assert/strict';
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import type { ProgramOutcome } from '../../operator/apply/outcome.ts';
import type { ClusterState } from '../../operator/controllers/cluster-state.ts';
import type { Context } from '../../operator/controllers/controller.ts';
import { Labels } from '../../operator/controllers/labels.ts';
import type { StateChange } from '../../operator/controllers/state-change.ts';
import type { NamespaceView } from '../../operator/model/objects.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { oneNamespace } from '../support/one-namespace.ts';
import { policy } from '../support/policies.ts';
import { RecordingLog } from '../support/recording-log.ts';

const PREFIX = 'pod-security.kubernetes.io/';

/** A namespace with the labels that the operator wrote last. */
class Stage {
  policies: CompletePolicy[] = [];
  labels: Readonly<Record<string, string>>;
  recorded: string | undefined;
  readonly written: unknown[] = [];
  readonly state: ClusterState;
  readonly controller: Labels;

  constructor(labels: Readonly<Record<string, string>> = {}, isOurs = true) {
    this.labels = labels;
    this.recorded = isOurs && Object.keys(labels).length > 0 ? JSON.stringify(labels) : undefined;
    const shown = () => ({ policies: this.policies, namespace: this.#namespace() });
    const { cluster, state } = oneNamespace(NEWEST_KNOWN_MINOR, shown);
    this.state = state;
    const client = {
      apply: async ({
        metadata,
      }: {
        metadata: { labels?: Record<string, string>; annotations?: Record<string, string> };
      }) => {
        this.written.push(metadata.labels);
        this.labels = metadata.labels ?? {};
        this.recorded = metadata.annotations?.['capabilitypolicy.dev/labels'];
        return { metadata };
      },
    };
    const recorder = { tell: async () => [], later() {} };
    const { signal } = new AbortController();
    const context = {
      client,
      cluster,
      state: this.state,
      recorder,
      log: new RecordingLog(),
      signal,
      instance: 'it',
      found() {},
    };
    this.controller = new Labels(context as unknown as Context);
  }

  /** @param outcomes the outcome of each policy, by the policy's name */
  async see(
    policies: CompletePolicy[],
    outcomes: Readonly<Record<string, ProgramOutcome['state']>>,
  ): Promise<Readonly<Record<string, string>>> {
    this.policies = policies;
    for (const { metadata } of policies) this.state.apply({ of: 'policy', name: metadata?.name ?? '' });
    this.state.apply({ of: 'term' });
    this.state.accept();
    this.state.outcomes.podSecurity.current = { isKnown: false, message: '' };
    for (const [name, state] of Object.entries(outcomes)) {
      this.state.outcomes.programs.set(name, { state, row: 'r', servers: { inForce: 1, answering: 1 }, message: '' });
    }
    await this.controller.reconcile('net', () => {});
    return this.labels;
  }

  #namespace(): NamespaceView {
    const { labels, recorded } = this;
    const owners =
      recorded === undefined
        ? [{ manager: 'kubectl', operation: 'Apply' as const }]
        : [{ manager: 'capabilitypolicy.dev', operation: 'Apply' as const }];
    const labelOwners = Object.fromEntries(Object.keys(labels).map((label) => [label, owners]));
    return {
      name: 'net',
      uid: 'uid',
      terminating: false,
      labels,
      labelOwners,
      ...(recorded !== undefined && { recorded }),
    };
  }
}

const level = (labels: Readonly<Record<string, string>>, mode = 'enforce') => labels[`${PREFIX}${mode}`];
const labelled = (enforce: string) => ({
  [`${PREFIX}enforce`]: enforce,
  [`${PREFIX}enforce-version`]: `v1.${NEWEST_KNOWN_MINOR}`,
});
const restricted = policy('all', { level: 'restricted' });
const baseline = policy('all', { level: 'baseline' });
const privileged = policy('all', { level: 'privileged' });
const exception = policy('exception', { level: 'baseline', priority: 1 });

describe('Labels', () => {
  it('the first label of a namespace waits until the policy is in force', async () => {
    const stage = new Stage();
    for (const state of ['Working', 'Failed'] as const)
      assert.deepEqual(await stage.see([restricted], { all: state }), {});
    assert.deepEqual(await stage.see([restricted], {}), {});
    assert.equal(level(await stage.see([restricted], { all: 'InForce' })), 'restricted');
  });

  it('a tighter label waits, and the previous label stays until the policy is in force', async () => {
    const stage = new Stage(labelled('baseline'));
    assert.equal(level(await stage.see([restricted], { all: 'Working' })), 'baseline');
    assert.equal(level(await stage.see([restricted], { all: 'InForce' })), 'restricted');
  });

  it('a looser label is written at once, and a label that is no longer needed is removed at once', async () => {
    const stage = new Stage(labelled('restricted'));
    assert.equal(level(await stage.see([baseline], { all: 'Working' })), 'baseline');
    assert.deepEqual(await stage.see([privileged], { all: 'Working' }), {});
  });

  it('a label waits only for the policies that decide in the namespace', async () => {
    const stage = new Stage();
    const above = { ...exception, spec: { ...exception.spec, level: 'restricted' as const } };
    assert.deepEqual(await stage.see([privileged, above], { all: 'InForce' }), {});
    assert.equal(level(await stage.see([privileged, above], { exception: 'InForce' })), 'restricted');
    const beside = policy('beside', { level: 'restricted' });
    assert.equal(level(await new Stage().see([restricted, beside], { all: 'InForce' })), undefined);
  });

  it('if a policy and its exception are in one file, the label of the policy alone is never set', async () => {
    const stage = new Stage();
    await stage.see([restricted], {});
    await stage.see([restricted, exception], {});
    assert.equal(level(await stage.see([restricted, exception], { all: 'InForce', exception: 'InForce' })), 'baseline');
    assert.ok(!JSON.stringify(stage.written).includes('restricted'));
  });

  it('holds back each mode for itself', async () => {
    const stage = new Stage();
    const warns = policy('warns', { level: 'restricted', mode: 'Warn' });
    const labels = await stage.see([baseline, warns], { all: 'InForce' });
    assert.deepEqual([level(labels), level(labels, 'warn')], ['baseline', undefined]);
  });

  it('the controller leaves a label of another owner unchanged while it waits', async () => {
    const stage = new Stage(labelled('baseline'), false);
    await stage.see([restricted], { all: 'Working' });
    assert.deepEqual([stage.written, stage.recorded], [[], undefined]);
  });

  it('the controller restores a label that a user changed by hand, even while a tighter label waits', async () => {
    const stage = new Stage(labelled('baseline'));
    stage.labels = labelled('privileged');
    assert.equal(level(await stage.see([restricted], { all: 'Working' })), 'baseline');
  });

  it('the controller works on waiting namespaces again when programs come into force', async () => {
    const stage = new Stage();
    const found: StateChange = {
      cause: { of: 'found', by: 'programs' },
      policies: new Set(['all']),
      namespaces: new Set(),
      recompiles: false,
    };
    assert.deepEqual([...stage.controller.keysFor(found)], []);
    await stage.see([restricted], {});
    assert.deepEqual([...stage.controller.keysFor(found)], ['net']);
    await stage.see([restricted], { all: 'InForce' });
    assert.deepEqual([...stage.controller.keysFor(found)], []);
  });
});
