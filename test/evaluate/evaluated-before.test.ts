/**
 * Tests an evaluator that remembers verdicts and skips unchanged modes. The evaluator must give the same verdicts as an
 * evaluator without memory.
 */
import assert from 'node:assert/strict';
import fc, { type Arbitrary } from 'fast-check';
import { ROLLOUT_PENDING } from '../../operator/api/capability-policy.ts';
import { membersOf, type Objects } from '../../operator/evaluate/members.ts';
import { type EvaluatedModes, evaluatingModes } from '../../operator/evaluate/modes.ts';
import { evaluateNamespace, verdictsOf } from '../../operator/evaluate/namespace.ts';
import { createUseIndex } from '../../operator/evaluate/use.ts';
import { evaluate, podCandidate } from '../../operator/evaluate/verdict.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { groupsOf } from '../../operator/evaluate/workload-verdict.ts';
import { frozen } from '../../operator/model/frozen.ts';
import type { Cluster, RoleBindingView } from '../../operator/model/objects.ts';
import { partsOf, rolloutLabel } from '../../operator/policy/parts.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { runToEnd } from '../../operator/policy/run-to-end.ts';
import { matches } from '../../operator/policy/selector.ts';
import { arbitraryCluster } from '../snapshot/clusters.ts';
import { adding, app, container } from '../support/pods.ts';
import { resolved, resolvedBaseline } from '../support/policies.ts';
import { SEED } from '../support/seed.ts';
import { binding, clusterOf, ownedBy, podView, useRole } from '../support/views.ts';

const RUNS = Number(process.env.FC_RUNS ?? 100);

const NAMES = ['a', 'b', 'c'];
const PLACE = 'net';

/** The policies, labels and rights at one point in time. */
interface Step {
  readonly policies: readonly ResolvedPolicy[];
  readonly labels: Readonly<Record<string, string>>;
  readonly bindings: readonly RoleBindingView[];
}

describe(`what was evaluated before (SEED=${SEED})`, function () {
  this.timeout(60_000 + RUNS * 1000);

  it('an evaluator with memory gives the same verdicts as an evaluator without memory, after any changes', () => {
    const seen = { known: 0, evaluated: 0, violating: 0, pending: 0 };
    const property = fc.property(arbitraryCluster, arbitrarySteps, (...given) => {
      const [objects, open] = objectsIn(given[0]);
      const groups = groupsOf(membersOf(PLACE, objects));
      const evaluator = new Evaluator();
      const before: EvaluatedModes[] = [];
      for (const { policies, labels, bindings } of given[1]) {
        const use = createUseIndex(
          NAMES.map((name) => useRole(name)),
          bindings,
        );
        const namespace = { name: PLACE, labels };
        const selecting = policies.filter(({ selector }) => matches(selector, labels));
        const expected = evaluateNamespace(namespace, selecting, open, { evaluator: new Evaluator(), use });
        assert.deepEqual(evaluateNamespace(namespace, selecting, objects, { evaluator, use }), expected);
        const modes = runToEnd(evaluatingModes(groups, { policies: selecting, labels }, { evaluator, use }, before));
        assert.deepEqual(verdictsOf(modes), expected.modes);
        for (const mode of Object.values(modes)) {
          seen[before.some((one) => Object.values(one).includes(mode)) ? 'known' : 'evaluated']++;
          seen.violating += mode.result.workloads.filter(({ verdict }) => verdict === 'Violating').length;
        }
        seen.pending += expected.promotions?.size ?? 0;
        before.unshift(modes);
      }
    });
    fc.assert(property, { seed: SEED, numRuns: RUNS });
    for (const [what, count] of Object.entries(seen)) assert.ok(count > RUNS / 20, `${count} ${what}`);
  });

  const pod = podView('web', frozen(adding(['NET_RAW'])));
  const spec = { usableBy: 'Bindings' as const, overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } };
  const evaluation = (evaluator: Evaluator, ...bindings: RoleBindingView[]) => ({
    evaluator,
    use: createUseIndex([useRole('raw')], bindings),
  });

  it('pods with the same content share one verdict object if the verdict does not depend on who may use a policy', () => {
    const evaluator = new Evaluator();
    const [everyone, bound] = [
      resolvedBaseline('raw', { ...spec, usableBy: 'Everyone' }),
      resolvedBaseline('raw', spec),
    ];
    const evaluated = (name: string, policy: ResolvedPolicy) =>
      evaluate(podCandidate({ ...pod, name }), [policy], evaluation(evaluator));
    assert.equal(evaluated('one', everyone), evaluated('two', everyone));
    assert.notEqual(evaluated('one', bound), evaluated('two', bound));
  });

  it('a pod has separate verdicts for its present form and for its form after defaulting', () => {
    const evaluator = new Evaluator();
    const filling = resolved('filling', { mode: 'Enforce', defaulting: 'Enabled' });
    const candidate = podCandidate(podView('web', frozen(app({}))));
    const verdicts = [false, true, false, true].map(
      (filled) => evaluate({ ...candidate, filled }, [filling], evaluation(evaluator)).verdict,
    );
    assert.deepEqual(verdicts, ['Violating', 'Compliant', 'Violating', 'Compliant']);
  });

  it('a verdict says that a creator is unknown only for pods with an unknown creator', () => {
    const evaluator = new Evaluator();
    const debugged = frozen(adding([], { ephemeralContainers: [container('debug')] }));
    const messages = [pod, { ...pod, ...debugged }].map((one) => {
      const candidate = podCandidate({ ...one, ...ownedBy('ReplicaSet', 'web') });
      return evaluate(candidate, [resolvedBaseline('raw', spec)], evaluation(evaluator)).violations.raw?.[0]?.message;
    });
    assert.deepEqual(
      messages.map((message) => message?.includes('it is unknown whether the creator of the pod may use the policy')),
      [false, true],
    );
  });

  it('after a user gets the right to use a policy, only pods about which the policy decides are evaluated again', () => {
    const evaluator = new Evaluator();
    const groups = groupsOf(membersOf(PLACE, clusterOf([], [pod])));
    const policies = [resolvedBaseline('raw', spec)];
    const grant = (policy: string) =>
      binding(`capabilitypolicy.dev:use:${policy}`, { kind: 'ServiceAccount', name: 'default', namespace: PLACE });
    const modes = (before: readonly EvaluatedModes[], ...bindings: RoleBindingView[]) =>
      runToEnd(evaluatingModes(groups, { policies, labels: {} }, evaluation(evaluator, ...bindings), before));
    const first = modes([]);
    assert.equal(modes([first], grant('other')).Audit, first.Audit);
    const granted = modes([first], grant('raw'));
    const unread = createUseIndex([useRole('raw')], [], false);
    const unreadModes = runToEnd(
      evaluatingModes(groups, { policies, labels: {} }, { evaluator, use: unread }, [first]),
    );
    assert.deepEqual(
      [first, granted, unreadModes].map((one) => one.Audit?.result.workloads.map(({ verdict }) => verdict)),
      [['Unknown'], ['Compliant'], ['Compliant']],
    );
  });
});

/**
 * Returns the objects of the cluster in two forms. The first form has the shared objects of the projection. The second
 * form has copies that are new to the evaluator.
 */
function objectsIn(cluster: Cluster): [Objects, Objects] {
  const [workloads, pods] = [[...cluster.workloads(PLACE)], [...cluster.pods(PLACE)]];
  for (const { spec } of [...pods, ...workloads.map(({ template }) => template)]) frozen(spec);
  return [clusterOf(workloads, pods), clusterOf(structuredClone(workloads), structuredClone(pods))];
}

const arbitraryPolicy: Arbitrary<readonly ResolvedPolicy[]> = fc
  .record({
    name: fc.constantFrom(...NAMES),
    level: fc.constantFrom('baseline', 'restricted', 'privileged'),
    levelVersion: fc.constantFrom('latest', 'v1.0'),
    server: fc.constantFrom(undefined, 30),
    mode: fc.constantFrom('Enforce', 'Enforce', 'Warn', 'Audit'),
    priority: fc.constantFrom(0, 0, 5),
    usableBy: fc.constantFrom('Everyone', 'Everyone', 'Bindings'),
    defaulting: fc.constantFrom('Disabled', 'Enabled'),
    rollout: fc.constantFrom(undefined, { soak: '1h', meanwhile: 'Warn' as const, paused: false }),
  })
  .map(({ name, server, rollout, ...spec }) => {
    const policy = resolved(name, { ...spec, ...(rollout && spec.mode === 'Enforce' && { rollout }) }, server);
    return partsOf(policy, { begun: true });
  });

/** Random steps with policies from a small pool. A step has at most one policy of each name. */
const arbitrarySteps: Arbitrary<readonly Step[]> = fc
  .array(arbitraryPolicy, { minLength: 1, maxLength: 5 })
  .chain((pool) =>
    fc.array(
      fc
        .record({ policies: fc.subarray(pool), pending: fc.subarray(NAMES), users: fc.subarray(NAMES) })
        .map(({ policies, pending, users }) => ({
          policies: [...new Map(policies.map((parts) => [parts[0]?.name, parts])).values()].flat(),
          labels: Object.fromEntries(pending.map((name) => [rolloutLabel(name), ROLLOUT_PENDING])),
          bindings: users.map((name) =>
            binding(`capabilitypolicy.dev:use:${name}`, { kind: 'Group', name: 'system:serviceaccounts' }, PLACE),
          ),
        })),
      { minLength: 2, maxLength: 6 },
    ),
  );
