/**
 * Finds how the effects on running workloads change if candidate policies are applied. A candidate is added to the live
 * policies, or replaces one of the live policies.
 */
import type { CompleteRollout, Mode } from '../../operator/api/capability-policy.ts';
import { REFUSED_RULE } from '../../operator/evaluate/refused.ts';
import { COST_RULE } from '../../operator/evaluate/verdict.ts';
import type { WorkloadVerdict } from '../../operator/evaluate/workload-verdict.ts';
import { entriesByKey } from '../../operator/model/by-key.ts';
import { MODES } from '../../operator/policy/deciding.ts';
import { perObject } from '../../operator/policy/memo.ts';
import { matches } from '../../operator/policy/selector.ts';
import type { EvaluatedContext, EvaluatedWorkloads } from '../policies/context.ts';
import type { PendingPolicies } from '../policies/supposed.ts';
import type {
  ChangeCounts,
  ChangeKind,
  ChangeSummary,
  Changes,
  EffectCounts,
  NamespaceChange,
  RefusedIfEnforced,
  RolloutStart,
  RolloutSummary,
  WorkloadChange,
} from './changes-result.ts';
import { checkedPolicies } from './checked.ts';
import { EFFECTS, type Effect, effectOf, isWorse } from './effect.ts';
import { AS_IT_IS, originOf } from './origin.ts';
import { pendingIn, type RolloutInput, rolloutStarts } from './rollout-start.ts';
import { violationsOf } from './running.ts';

interface ChangeInput extends RolloutInput {
  readonly candidates: readonly string[];
  /**
   * The live policies together with the candidates.
   *
   * @param pending for each namespace, whether the rollouts of the candidates are still pending
   */
  readonly after: (pending: ReadonlyMap<string, PendingPolicies>) => EvaluatedContext;
  /** The only namespace whose pods and workloads were read. The value is undefined if all namespaces were read. */
  readonly namespace?: string | undefined;
}

export function changesOf(input: ChangeInput): Changes {
  const { candidates, before, rollouts, namespace: only } = input;
  const was = byNamespace(before.evaluateCluster());
  const refused = refusedIfEnforced(input);
  const starts = new Map([...refused].map(([name, all]) => [name, rolloutStarts(name, all.some(isBlocking), input)]));
  const after = input.after(pendingIn(starts));
  const all = [...after.evaluateCluster(only)].map((now) => {
    const { namespace } = now;
    const compared = comparedWith(was.get(namespace), now);
    const change = namespaceChange(namespace, compared, refused.get(namespace), starts.get(namespace) ?? []);
    return { namespace: change, compared };
  });
  const namespaces = all.map(({ namespace }) => namespace);
  return {
    policies: checkedPolicies(after),
    candidates,
    namespaces: namespaces.filter(isWorthTelling),
    changes: all.flatMap(({ compared }) => compared.flatMap(({ change }) => change ?? [])),
    summary: { ...summaryOf(namespaces), rollouts: [...rollouts].map((one) => rolloutSummary(one, namespaces)) },
  };
}

/**
 * For each namespace that a candidate selects, the workloads that would be refused if the candidates were enforced
 * together with the live policies.
 */
function refusedIfEnforced({ candidates, enforced }: ChangeInput): Map<string, readonly RefusedIfEnforced[]> {
  const stated = enforced.compiled.policies.filter(({ name }) => candidates.includes(name));
  const verdicts = [...enforced.evaluateCluster()].filter(({ namespace }) => {
    const labels = enforced.labelsOf(namespace);
    return stated.some(({ selector }) => matches(selector, labels));
  });
  return new Map(verdicts.map((result) => [result.namespace, refusedIn(result)]));
}

function byNamespace(all: Iterable<EvaluatedWorkloads>): Map<string, EvaluatedWorkloads> {
  return new Map([...all].map((one) => [one.namespace, one]));
}

/** The effect of policies on a workload, before or after the change. */
interface WorkloadEffect {
  readonly workload: Pick<WorkloadVerdict, 'namespace' | 'kind' | 'name'>;
  readonly effect: Effect;
  /** The mode that has the worst effect on the workload. `result` has the verdict in the mode with the worst effect. */
  readonly mode: Mode;
  readonly result: WorkloadVerdict;
}

/**
 * The effect on each workload. The key is the workload's kind and name. Each mode is evaluated separately, and the
 * worst effect counts.
 */
const effectsIn = perObject((result: EvaluatedWorkloads): ReadonlyMap<string, WorkloadEffect> => {
  const effects = new Map<string, WorkloadEffect>();
  for (const mode of MODES) {
    for (const workload of result.modes[mode]?.workloads ?? []) {
      const key = `${workload.kind}/${workload.name}`;
      const effect = effectIn(mode, workload);
      const known = effects.get(key);
      if (known && !isWorse(effect, known.effect)) continue;
      effects.set(key, { workload, effect, mode, result: workload });
    }
  }
  return effects;
});

/**
 * The effect of one mode. In mode Enforce, an unknown verdict has the effect Unknown ("perhaps refused"). In the other
 * modes, an unknown verdict has the effect Admitted.
 */
function effectIn(mode: (typeof MODES)[number], { verdict }: WorkloadVerdict): Effect {
  if (verdict === 'Violating') return effectOf(mode);
  return verdict === 'Unknown' && mode === 'Enforce' ? 'Unknown' : 'Admitted';
}

/** A workload before and after the change. */
interface Compared {
  readonly before: Effect;
  readonly after: Effect;
  /** The change of the effect; null if the effect stays the same. */
  readonly change: WorkloadChange | null;
}

function comparedWith(before: EvaluatedWorkloads | undefined, after: EvaluatedWorkloads): readonly Compared[] {
  return before === after ? unchanged(after) : compare(before ? effectsIn(before) : new Map(), effectsIn(after));
}

/**
 * The result for a namespace that the candidates do not affect. The result is cached, because one edit of a policy
 * leaves most namespaces unchanged.
 */
const unchanged = perObject((result: EvaluatedWorkloads): readonly Compared[] =>
  compare(effectsIn(result), effectsIn(result)),
);

function compare(before: ReadonlyMap<string, WorkloadEffect>, after: ReadonlyMap<string, WorkloadEffect>): Compared[] {
  const workloads = new Map([...before, ...after].map(([key, { workload }]) => [key, workload]));
  return entriesByKey(workloads).map(([key, { namespace, kind, name }]) => {
    const [then, now] = [before.get(key), after.get(key)];
    const [was, is] = [then?.effect ?? 'Admitted', now?.effect ?? 'Admitted'];
    if (was === is) return { before: was, after: is, change: null };
    // Violations are described only for workloads whose effect changes. Describing the violations of all workloads
    // would take longer than all other work.
    const violations = now && is !== 'Admitted' ? violationsOf(now.result, now.mode) : [];
    const fields = { namespace, kind, name, before: was, after: is, violations, ...originIn(now, is) };
    return { before: was, after: is, change: { ...fields, change: changeKind(was, is) } };
  });
}

function originIn(
  now: Pick<WorkloadEffect, 'result'> | undefined,
  effect: Effect,
): Pick<WorkloadChange, 'addedContainers' | 'remark'> {
  const { onlyOldPods: _, ...origin } = now && effect !== 'Admitted' ? originOf(now.result, [now.result]) : AS_IT_IS;
  return origin;
}

function changeKind(before: Effect, after: Effect): ChangeKind {
  if (after === 'Refused') return 'NewlyRefused';
  if (after === 'Unknown') return 'PerhapsRefused';
  return before === 'Refused' || before === 'Unknown' ? 'NewlyAdmitted' : 'ReportedOtherwise';
}

const refusedIn = perObject((result: EvaluatedWorkloads): readonly RefusedIfEnforced[] =>
  (result.modes.Enforce?.workloads ?? []).flatMap((workload) => {
    const effect = effectIn('Enforce', workload);
    if (effect !== 'Refused' && effect !== 'Unknown') return [];
    const { kind, name } = workload;
    return [
      { kind, name, effect, violations: violationsOf(workload, 'Enforce'), ...originIn({ result: workload }, effect) },
    ];
  }),
);

function namespaceChange(
  namespace: string,
  compared: readonly Compared[],
  refused: readonly RefusedIfEnforced[] | undefined,
  rollouts: readonly RolloutStart[],
): NamespaceChange {
  return {
    namespace,
    ...changeCounts(compared),
    safeToEnforce: refused ? refused.length === 0 : null,
    refusedIfEnforced: refused ?? [],
    rollouts,
  };
}

const changeCounts = perObject((compared: readonly Compared[]) => {
  const count = (kind: ChangeKind) => compared.filter(({ change }) => change?.change === kind).length;
  return {
    workloads: compared.length,
    newlyRefused: count('NewlyRefused'),
    perhapsRefused: count('PerhapsRefused'),
    newlyAdmitted: count('NewlyAdmitted'),
    reportedOtherwise: count('ReportedOtherwise'),
    unchanged: compared.filter(({ change }) => change === null).length,
    before: countsOf(compared.map(({ before }) => before)),
    after: countsOf(compared.map(({ after }) => after)),
  };
});

function countsOf(effects: readonly Effect[]): EffectCounts {
  const counts = EFFECTS.map((effect) => [effect.toLowerCase(), effects.filter((one) => one === effect).length]);
  return Object.fromEntries(counts) as EffectCounts;
}

function isWorthTelling({ workloads, unchanged, safeToEnforce }: NamespaceChange): boolean {
  return safeToEnforce !== null || unchanged < workloads;
}

/**
 * Whether the workload blocks a rollout under the operator's rules. A pod whose verdict depends on the pod's creator
 * blocks no rollout. A pod that is too expensive to evaluate blocks a rollout, and so do pods that are refused today.
 */
function isBlocking({ effect, violations }: RefusedIfEnforced): boolean {
  return effect === 'Refused' || violations.some(({ rule }) => rule === COST_RULE || rule === REFUSED_RULE);
}

function rolloutSummary(
  [policy, { soak, paused }]: readonly [string, CompleteRollout],
  namespaces: readonly NamespaceChange[],
): RolloutSummary {
  const states = namespaces.flatMap(({ rollouts }) => rollouts.filter((one) => one.policy === policy));
  const count = (state: RolloutStart['state']) => states.filter((one) => one.state === state).length;
  return {
    policy,
    soak,
    paused,
    enforced: count('Enforced'),
    enforcedAtOnce: count('EnforcedAtOnce'),
    soaking: count('Soaking'),
    blocked: count('Blocked'),
  };
}

function summaryOf(namespaces: readonly NamespaceChange[]): Omit<ChangeSummary, 'rollouts'> {
  const sum = (field: keyof ChangeCounts) => namespaces.reduce((total, one) => total + one[field], 0);
  return {
    workloads: sum('workloads'),
    newlyRefused: sum('newlyRefused'),
    perhapsRefused: sum('perhapsRefused'),
    newlyAdmitted: sum('newlyAdmitted'),
    reportedOtherwise: sum('reportedOtherwise'),
    unchanged: sum('unchanged'),
    namespaces: namespaces.length,
    safeToEnforce: namespaces.filter(({ safeToEnforce }) => safeToEnforce === true).length,
    candidateNamespaces: namespaces.filter(({ safeToEnforce }) => safeToEnforce !== null).length,
  };
}
