/**
 * Tests suggested exceptions. In the cluster of these tests, other policies already decide. The exceptions admit all
 * running pods. For other service accounts, the exceptions admit no additional pods. A second suggestion is empty,
 * because the exceptions are complete.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { PolicyContext } from '../../analysis/policies/context.ts';
import { PolicyContextBuilder } from '../../analysis/policies/context-builder.ts';
import { InForce } from '../../analysis/suggest/in-force.ts';
import { policiesOf } from '../../analysis/suggest/policies.ts';
import { suggest } from '../../analysis/suggest/suggest.ts';
import { withBaseline } from '../../cli/commands/suggest/known-policies.ts';
import {
  type CompletePolicy,
  GROUP,
  KIND,
  type Mode,
  NAME_LABEL,
  VERSION,
} from '../../operator/api/capability-policy.ts';
import { completePolicy, completeSpec } from '../../operator/api/defaults.ts';
import { membersOf } from '../../operator/evaluate/members.ts';
import { type Candidate, evaluate, templateCandidate, type Verdict } from '../../operator/evaluate/verdict.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import { RULES } from '../../operator/rules/index.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { SEED } from '../support/seed.ts';
import { clusterOf, wholeCluster, workloadView } from '../support/views.ts';
import { type Made, made, near, specOf } from './suggest-features.ts';

const RUNS = Number(process.env.FC_RUNS ?? 40);
const NAMESPACES = ['net', 'shop'] as const;
type NamespaceName = (typeof NAMESPACES)[number];
const NOW = Date.UTC(2026, 10, 29);
const EXPIRED = '2026-01-01T00:00:00Z';
const LATER = '2030-01-01T00:00:00Z';
const OPTIONS = {
  oldestServer: NEWEST_KNOWN_MINOR,
  namespaceLabels: {},
  operatorNamespace: 'operator',
  excludedNamespaces: [],
  at: NOW,
};
const STANDARD = { minor: NEWEST_KNOWN_MINOR, server: NEWEST_KNOWN_MINOR };
const evaluator = new Evaluator();

type Spec = Parameters<typeof completeSpec>[0];
type Workloads = Readonly<Record<NamespaceName, readonly Made[]>>;

interface State {
  readonly workloads: Workloads;
  readonly specs: readonly Spec[];
  /** Whether the policies with rollout are pending in each namespace. */
  readonly pending: Readonly<Record<NamespaceName, boolean>>;
}

const overrides = fc.constantFrom(...RULES.flatMap(({ examples }) => examples.map((one) => one.overrides)), {}, {}, {});
const SIDECAR = {
  names: ['app'],
  images: ['app'],
  overrides: { capabilities: { allowedAdd: ['NET_RAW', 'SYS_TIME'] } },
};

const spec: fc.Arbitrary<Spec> = fc
  .record({
    level: fc.constantFrom('restricted' as const, 'restricted' as const, 'baseline' as const, 'privileged' as const),
    mode: fc.constantFrom<Mode>('Enforce', 'Enforce', 'Enforce', 'Warn', 'Audit'),
    priority: fc.constantFrom(0, 0, 0, 5, -5),
    overrides,
    usable: fc.constantFrom('Everyone', 'Everyone', 'Subjects', 'Bindings'),
    selects: fc.constantFrom<NamespaceName | 'all'>('all', 'all', 'net', 'shop'),
    rollout: fc.boolean(),
    expires: fc.constantFrom(undefined, undefined, undefined, LATER, EXPIRED),
    containers: fc.constantFrom(undefined, undefined, [SIDECAR]),
  })
  .map(({ usable, selects, rollout, expires, containers, ...own }) => ({
    ...own,
    namespaceSelector: selects === 'all' ? {} : { matchLabels: { [NAME_LABEL]: selects } },
    ...(usable !== 'Everyone' && { usableBy: usable as 'Subjects' }),
    ...(usable === 'Subjects' && { subjects: [{ kind: 'ServiceAccount' as const, namespace: 'net', name: 'node' }] }),
    ...(rollout && { rollout: {} }),
    ...(expires && { expires }),
    ...(containers && { containers: [...containers] }),
  }));

const some = fc.array(made, { maxLength: 4 });
const anyStates: fc.Arbitrary<State> = fc.record({
  workloads: fc.record({ net: some, shop: some }),
  specs: fc.array(spec, { minLength: 1, maxLength: 5 }),
  pending: fc.record({ net: fc.boolean(), shop: fc.boolean() }),
});

/** A policy with a rollout and the highest priority. Everybody may use the policy. */
const ROLLED_OUT: Spec = { namespaceSelector: {}, level: 'restricted', mode: 'Enforce', priority: 9, rollout: {} };

const states: fc.Arbitrary<State> = fc.oneof(
  anyStates,
  anyStates.map((state) => ({
    ...state,
    specs: [ROLLED_OUT, ...state.specs],
    pending: { ...state.pending, net: true },
  })),
);

function policy(name: string, own: Spec): CompletePolicy {
  return { apiVersion: `${GROUP}/${VERSION}`, kind: KIND, metadata: { name, uid: name }, spec: completeSpec(own) };
}

function clusterIn({ workloads, pending }: State, policies: readonly CompletePolicy[]): Cluster {
  const all = NAMESPACES.flatMap((namespace) =>
    workloads[namespace].map((one, i) =>
      workloadView('Deployment', `app-${i}`, {
        namespace,
        uid: `${namespace}-${i}`,
        template: { annotations: {}, spec: specOf(one) },
      }),
    ),
  );
  const rolled = policies.filter((one) => one.spec.rollout).map(({ metadata }) => metadata?.name ?? '');
  const labels = Object.fromEntries(rolled.map((name) => [`rollout.${GROUP}/${name}`, 'pending']));
  const namespaces = NAMESPACES.map((name) => ({
    name,
    uid: name,
    labels: { [NAME_LABEL]: name, ...(pending[name] && labels) },
    terminating: false,
  }));
  return wholeCluster(clusterOf(all), policies, namespaces as never);
}

interface Contexts {
  readonly live: PolicyContext;
  readonly promoted: PolicyContext;
  readonly inForce: InForce;
}

function contexts(cluster: Cluster): Contexts {
  const builder = new PolicyContextBuilder();
  builder.addCluster(cluster);
  const rollouts = [...builder.rollouts([...builder.policies.keys()]).keys()];
  const live = builder.build(OPTIONS, () => {});
  const promoted = builder.build(OPTIONS, () => {}, { enforced: rollouts });
  return { live, promoted, inForce: new InForce({ live, promoted, rollouts: new Set(rollouts) }) };
}

/** The policies that the suggestion adds to the policies of the cluster. */
function suggestedIn(cluster: Cluster, { inForce }: Pick<Contexts, 'inForce'>) {
  const given = NAMESPACES.flatMap((namespace) =>
    membersOf(namespace, cluster).map(({ workload, candidate }) => ({
      workload,
      content: candidate.content,
      candidate,
    })),
  ).filter(({ workload }) => inForce.beside(workload.namespace, 'Enforce'));
  const beside = (namespace: string) => inForce.beside(namespace, 'Enforce');
  const suggestions = suggest(given, { standard: STANDARD, beside, evaluator });
  const taken = cluster.policies().map(({ metadata }) => metadata?.name ?? '');
  return policiesOf(suggestions, { mode: 'Audit', everywhere: false, taken });
}

/** The verdict of mode Enforce. If no policy of mode Enforce decides, the result is undefined. */
function verdict(candidate: Candidate, context: PolicyContext): Verdict | undefined {
  const found = context.deciding(candidate.namespace).find(({ mode }) => mode === 'Enforce');
  return found && evaluate(candidate, found.policies, context.evaluation).verdict;
}

function candidateOf(namespace: string, one: Made): Candidate {
  return templateCandidate(
    workloadView('Deployment', 'probe', { namespace, template: { annotations: {}, spec: specOf(one) } }),
  );
}

describe(`exceptions beside policies in force (SEED=${SEED})`, function () {
  this.timeout(300_000);

  it('exceptions admit all running pods, admit no other refused pod, and are complete', () => {
    const counts = { exceptions: 0, copies: 0, refusedBefore: 0, stillRefused: 0, empty: 0 };
    const probed = states.chain((state) => {
      const running = [...state.workloads.net, ...state.workloads.shop];
      const probe = running.length > 0 ? fc.oneof(made, near(running)) : made;
      return fc.tuple(fc.constant(state), fc.array(probe, { minLength: 8, maxLength: 8 }));
    });
    fc.assert(
      fc.property(probed, ([state, probes]) => {
        const policies = state.specs.map((own, i) => policy(`net-app-${i}`, own));
        const cluster = clusterIn(state, policies);
        const before = contexts(cluster);
        const suggested = suggestedIn(cluster, before);
        const added = suggested.map((one) => completePolicy(one.policy));
        const names = new Set(policies.map(({ metadata }) => metadata?.name));
        for (const { metadata } of added) assert.ok(!names.has(metadata?.name), `${metadata?.name} is replaced`);
        const shown = JSON.stringify({ state, added: added.map(({ spec: own }) => own) });
        const afterCluster = clusterIn(state, [...policies, ...added]);
        const after = contexts(afterCluster);
        const excepted = (namespace: string, account: string) =>
          suggested.some(
            ({ exception, suggestions: [own] }) =>
              own?.namespace === namespace && exception?.serviceAccounts.includes(account),
          );
        counts.exceptions += suggested.filter(({ exception }) => exception).length;
        counts.copies += suggested.filter(({ enforces }) => enforces !== undefined).length;
        for (const namespace of NAMESPACES) {
          // If a policy is pending in a namespace and the suggestion has no policy for the namespace, the namespace
          // stays unchanged.
          const isTouched = suggested.some(({ suggestions }) => suggestions.some((own) => own.namespace === namespace));
          const decides = before.inForce.beside(namespace, 'Enforce') !== undefined;
          for (const one of state.workloads[namespace]) {
            const candidate = candidateOf(namespace, one);
            if (decides && verdict(candidate, before.promoted) === 'Violating') counts.refusedBefore += 1;
            if (decides) assert.notEqual(verdict(candidate, after.promoted), 'Violating', `promoted: ${shown}`);
            // In some cases, the enforced policies refuse a pod now, and only the pending policy of the same priority
            // admits the pod.
            const waits = verdict(candidate, before.live) === 'Violating';
            if (isTouched && !waits) assert.notEqual(verdict(candidate, after.live), 'Violating', `live: ${shown}`);
          }
          for (const one of probes) {
            const candidate = candidateOf(namespace, one);
            if (excepted(namespace, one.serviceAccount)) continue;
            if (verdict(candidate, before.promoted) !== 'Violating') continue;
            for (const context of ['live', 'promoted'] as const) {
              if (verdict(candidate, before[context]) !== 'Violating') continue;
              assert.equal(
                verdict(candidate, after[context]),
                'Violating',
                `${context}: ${JSON.stringify(one)} ${shown}`,
              );
              counts.stillRefused += 1;
            }
          }
        }
        const again = suggestedIn(afterCluster, after);
        assert.deepEqual(
          again.map((one) => one.policy),
          [],
          shown,
        );
        if (suggested.length === 0) counts.empty += 1;
      }),
      { seed: SEED, numRuns: RUNS },
    );
    for (const [what, count] of Object.entries(counts)) assert.ok(count > 0, `${what}: ${count}`);
  });

  it('after the suggestion adds a policy for all pods, every namespace has an enforced policy, and no running pod is refused', () => {
    const counts = { added: 0, beside: 0, stillRefused: 0, newlyRefused: 0 };
    fc.assert(
      fc.property(states, fc.array(made, { minLength: 6, maxLength: 6 }), (state, probes) => {
        const policies = state.specs.map((own, i) => policy(`team-${i}`, own));
        const cluster = clusterIn(state, policies);
        const before = contexts(cluster);
        const builder = new PolicyContextBuilder();
        builder.addCluster(cluster);
        const known = withBaseline(
          { builder, cluster, options: OPTIONS, tell: () => {} },
          { level: 'restricted', name: 'everywhere', namespaces: NAMESPACES },
        );
        const suggested = suggestedIn(cluster, known);
        const added = [...suggested.map((one) => one.policy), ...(known.added ? [known.added] : [])].map(
          completePolicy,
        );
        const after = contexts(clusterIn(state, [...policies, ...added]));
        const shown = JSON.stringify({ state, added: added.map(({ spec: own }) => own) });
        if (known.added) counts.added += 1;
        for (const namespace of NAMESPACES) {
          for (const one of state.workloads[namespace]) {
            const candidate = candidateOf(namespace, one);
            assert.notEqual(verdict(candidate, after.promoted), 'Violating', `promoted: ${shown}`);
            const waits = verdict(candidate, before.live) === 'Violating';
            if (!waits) assert.notEqual(verdict(candidate, after.live), 'Violating', `live: ${shown}`);
          }
          for (const one of probes) {
            const candidate = candidateOf(namespace, one);
            const isExcepted = suggested.some(
              ({ exception, suggestions: [own] }) =>
                own?.namespace === namespace && exception?.serviceAccounts.includes(one.serviceAccount),
            );
            const [was, is] = [verdict(candidate, before.promoted), verdict(candidate, after.promoted)];
            assert.notEqual(is, undefined, `nothing is enforced in ${namespace}: ${shown}`);
            if (was === undefined) counts.newlyRefused += is === 'Violating' ? 1 : 0;
            else counts.beside += 1;
            if (isExcepted || was !== 'Violating') continue;
            assert.equal(is, 'Violating', `${JSON.stringify(one)} ${shown}`);
            counts.stillRefused += 1;
          }
        }
      }),
      { seed: SEED, numRuns: RUNS },
    );
    for (const [what, count] of Object.entries(counts)) assert.ok(count > 0, `${what}: ${count}`);
  });
});
