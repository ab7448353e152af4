/**
 * Tests that no patch of `suggest --tighten` admits a pod that was refused before, in random clusters with random
 * policies. The sets of policies are compared as wholes, and random pods get the verdicts of both sets. N=500 tests 500
 * clusters.
 */
import assert from 'node:assert/strict';
import fc, { type Arbitrary } from 'fast-check';
import { compare } from '../../analysis/compare/compare.ts';
import type { PolicySet } from '../../analysis/compare/policy-set.ts';
import { type MergePatch, type TightenedPolicy, tightenedPolicies } from '../../analysis/suggest/tighten.ts';
import type { CapabilityPolicyOverrides, CompletePolicy } from '../../operator/api/capability-policy.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { Cluster, PodContent } from '../../operator/model/objects.ts';
import { LEVELS } from '../../operator/standards/level-version.ts';
import { PolicyState } from '../../operator/state/policy-state.ts';
import { admits, type Spec } from '../compare/sets.ts';
import { baselinePolicy } from '../support/policies.ts';
import { arbitraryContainers, arbitraryOverrides, arbitraryPod } from '../support/random-policies.ts';
import { SEED } from '../support/seed.ts';
import { clusterOf, podView, wholeCluster } from '../support/views.ts';

const RUNS = Number(process.env.N ?? 4);
const LIMIT = 200_000;

function few<Stated extends object>(stated: Stated | undefined, picked: readonly number[]): Stated {
  const fields = Object.entries(stated ?? {});
  const some = fields.length === 0 ? [] : picked.map((i) => fields[i % fields.length] as [string, unknown]);
  return Object.fromEntries(some) as Stated;
}

const picked = fc.array(fc.nat(100), { minLength: 1, maxLength: 2 });

/** A policy with few overrides, so that a pod complies with several of them. */
const SPEC = fc
  .record({
    level: fc.constantFrom(...LEVELS),
    mode: fc.constantFrom('Enforce' as const, 'Enforce', 'Audit'),
    priority: fc.constantFrom(0, 0, 1),
    namespaceSelector: fc.constantFrom({}, {}, { matchLabels: { team: 'net' } }),
    overrides: fc.tuple(arbitraryOverrides, picked).map(([all, some]) => few<CapabilityPolicyOverrides>(all, some)),
    containers: fc
      .tuple(arbitraryContainers(['app0'], ['app0', 'init0']), picked)
      .map(([all, some]) => all.map((one) => ({ ...one, overrides: few(one.overrides, some) }))),
    users: fc.constantFrom(
      {},
      {},
      {
        usableBy: 'Subjects' as const,
        subjects: [{ kind: 'ServiceAccount' as const, name: 'default', namespace: 'net' }],
      },
    ),
  })
  .map(({ users, ...spec }): Spec => ({ ...spec, ...(users as Spec) }));

interface World {
  readonly specs: readonly Spec[];
  readonly running: readonly PodContent[];
  readonly pods: readonly PodContent[];
}

const WORLD: Arbitrary<World> = fc.record({
  specs: fc.array(SPEC, { minLength: 1, maxLength: 4 }),
  running: fc.array(arbitraryPod, { minLength: 1, maxLength: 4 }),
  pods: fc.array(arbitraryPod, { minLength: 20, maxLength: 20 }),
});

const NAMESPACES = ['net', 'web'].map((name) => ({
  name,
  uid: name,
  terminating: false,
  labels: { team: name },
  labelOwners: {},
}));

function clusterWith(policies: readonly CompletePolicy[], running: readonly PodContent[]): Cluster {
  const pods = running.map((content, i) => ({
    ...podView(`pod-${i}`, { namespace: i % 2 === 0 ? 'net' : 'web' }),
    ...content,
  }));
  return wholeCluster(clusterOf([], pods), policies, NAMESPACES);
}

function stateOf(cluster: Cluster): PolicyState {
  const options = { operatorNamespace: 'operator', excludedNamespaces: [], now: () => Date.now() };
  const state = new PolicyState(cluster, options);
  state.accept();
  return state;
}

function setOf(policies: readonly CompletePolicy[]): PolicySet {
  const { compiled } = stateOf(clusterWith(policies, []));
  return { policies: compiled.policies, isExcluded: () => false };
}

/** The policy after a JSON merge patch (RFC 7386). */
function patched<Value>(value: Value, patch: MergePatch['spec']): Value {
  const merged = { ...(value as Record<string, unknown>) };
  for (const [key, change] of Object.entries(patch)) {
    if (change === null) delete merged[key];
    else if (typeof change !== 'object' || Array.isArray(change)) merged[key] = change;
    else merged[key] = patched(merged[key] ?? {}, change as MergePatch['spec']);
  }
  return merged as Value;
}

function changesOf(policies: readonly CompletePolicy[], found: readonly TightenedPolicy[]): CompletePolicy[][] {
  return found.flatMap(({ policy: name, patch, unused }) => {
    const change = (after: (one: CompletePolicy) => CompletePolicy[]) =>
      policies.flatMap((one) => (one.metadata?.name === name ? after(one) : [one]));
    return [
      ...(patch ? [change((one) => [{ ...one, spec: patched(one.spec, patch.spec) }])] : []),
      ...(unused ? [change(() => [])] : []),
    ];
  });
}

describe(`suggest --tighten (SEED=${SEED}, N=${RUNS})`, function () {
  this.timeout(60_000 + RUNS * 10_000);

  it('prints no change that opens anything', () => {
    let changes = 0;
    fc.assert(
      fc.property(WORLD, ({ specs, running, pods }) => {
        const policies = specs.map((spec, i) => baselinePolicy(`policy-${i}`, spec));
        const cluster = clusterWith(policies, running);
        const found = tightenedPolicies({ cluster, state: stateOf(cluster), evaluator: new Evaluator(), stateOf });
        const old = setOf(policies);
        for (const after of changesOf(policies, found)) {
          changes++;
          const now = setOf(after);
          const { opens } = compare(old, now, { limit: LIMIT, directions: ['opens'] });
          assert.deepEqual(opens, []);
          for (const policy of now.policies) {
            const own = old.policies.filter((one) => one.id === policy.id);
            for (const pod of pods) assert.ok(!admits([policy], pod) || admits(own, pod), JSON.stringify(pod));
          }
        }
      }),
      { numRuns: RUNS, seed: SEED },
    );
    if (RUNS >= 50) assert.ok(changes > RUNS / 10, `${changes} changes`);
    if (process.env.N !== undefined) process.stderr.write(`${RUNS} clusters, ${changes} changes, SEED=${SEED}\n`);
  });
});
