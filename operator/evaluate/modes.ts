/**
 * Evaluates the workloads of a namespace in each mode. The function evaluates a mode again if the deciding policies,
 * their content, or the rights to use these policies have changed. In all other cases, the function returns the earlier
 * results.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Mode } from '../api/capability-policy.ts';
import { deciding, MODES } from '../policy/deciding.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import type { Labels } from '../policy/selector.ts';
import { ENFORCE_LABEL, namesOnlyTemplate, type RefusalContext, withRefusal } from './refused.ts';
import type { EvaluationContext } from './verdict.ts';
import {
  admittedAsAWhole,
  evaluatingMembers,
  type Group,
  mergeMembers,
  type WorkloadVerdict,
} from './workload-verdict.ts';

export interface ModeVerdicts {
  /** The names of the policies that decide. */
  readonly deciding: readonly string[];
  /** The verdicts on workloads, sorted by kind and name. */
  readonly workloads: readonly WorkloadVerdict[];
}

/**
 * For each workload, the name of the policy that admits the workload. The name is undefined if no policy admits the
 * workload.
 */
type Admitting = readonly (string | undefined)[];

/** The input for the verdicts of a mode, besides the workloads. */
interface ModeContext {
  /** The policies that decide. The list is not empty. */
  readonly deciders: readonly ResolvedPolicy[];
  readonly evaluation: EvaluationContext;
  /**
   * The Enforce policy that admits each workload. If this mode's policies have a higher priority than the Enforce
   * policies, the list is empty.
   */
  readonly exceptions: Admitting;
  /** Absent in other modes than Enforce, because only Enforce policies refuse pods. */
  readonly refusals?: RefusalContext;
}

export interface EvaluatedMode {
  readonly context: ModeContext;
  readonly result: ModeVerdicts;
  readonly admitting: Admitting;
}

/** The results of the modes in which some policy decides. */
export type EvaluatedModes = Partial<Readonly<Record<Mode, EvaluatedMode>>>;

export interface Selecting extends RefusalContext {
  /** All policies that select the namespace. */
  readonly policies: readonly ResolvedPolicy[];
  /** The namespace's labels. */
  readonly labels: Labels;
}

/**
 * Evaluates in steps. The function yields at each point where other work may run.
 *
 * @param before earlier results about the same workloads
 */
export function* evaluatingModes(
  groups: readonly Group[],
  { policies, labels, decidedSince, live }: Selecting,
  evaluation: EvaluationContext,
  before: readonly EvaluatedModes[] = [],
): Generator<void, EvaluatedModes> {
  const modes: Partial<Record<Mode, EvaluatedMode>> = {};
  for (const mode of MODES) {
    const deciders = deciding(policies, mode, labels);
    if (deciders.length === 0) continue;
    const context = {
      deciders,
      evaluation,
      exceptions: exceptionsFrom(modes.Enforce, deciders),
      ...(mode === 'Enforce' && { refusals: { labels, decidedSince, live: othersOf(live, deciders, groups) } }),
    };
    const known = before.map((one) => one[mode]).find((one) => one && isSame(one.context, context));
    modes[mode] = known ?? (yield* evaluatingMode(groups, context));
  }
  return modes;
}

/**
 * For each workload, the list has the Enforce policy that admits the workload as an exception. Mode Enforce is
 * evaluated first. During the evaluation of mode Enforce, the list is empty.
 */
function exceptionsFrom(enforced: EvaluatedMode | undefined, [first]: readonly ResolvedPolicy[]): Admitting {
  const priority = enforced?.context.deciders[0]?.priority ?? Number.NEGATIVE_INFINITY;
  return enforced && first && priority >= first.priority ? enforced.admitting : [];
}

function* evaluatingMode(groups: readonly Group[], context: ModeContext): Generator<void, EvaluatedMode> {
  const { deciders, evaluation, exceptions, refusals } = context;
  const workloads: WorkloadVerdict[] = [];
  const admitting: (string | undefined)[] = [];
  for (const [index, group] of groups.entries()) {
    const verdicts = yield* evaluatingMembers(group, deciders, evaluation);
    const merged = mergeMembers(group, verdicts, exceptions[index]);
    const isRefused = refusals && group.refusal && !(yield* isExplained(group, context));
    workloads.push(isRefused ? withRefusal(merged, group, deciders, refusals) : merged);
    admitting.push(isRefused ? undefined : admittedAsAWhole(verdicts));
  }
  return { context, result: { deciding: deciders.map(({ name }) => name), workloads }, admitting };
}

/**
 * Whether policies that are not in the cluster are evaluated, and the workload's template alone shows why the policies of
 * the cluster refuse its pods. Then the template also shows whether the evaluated policies refuse the pods.
 */
function* isExplained(group: Group, { evaluation, refusals }: ModeContext): Generator<void, boolean> {
  const { refusal, members } = group;
  const { live = [] } = refusals ?? {};
  if (!refusal || live.length === 0 || !namesOnlyTemplate(refusal, group)) return false;
  const verdicts = yield* evaluatingMembers(group, live, evaluation);
  return members.some(({ own, pod }, index) => own && !pod && verdicts[index]?.verdict === 'Violating');
}

/** The policies of the cluster, if pods are refused and other policies are evaluated. */
function othersOf(
  live: readonly ResolvedPolicy[] | undefined,
  deciders: readonly ResolvedPolicy[],
  groups: readonly Group[],
): readonly ResolvedPolicy[] | undefined {
  if (!live || !groups.some(({ refusal }) => refusal)) return undefined;
  return isSameList(live, deciders) || isDeepStrictEqual(live, deciders) ? undefined : live;
}

function isSame(a: ModeContext, b: ModeContext): boolean {
  return (
    isSameList(a.deciders, b.deciders) &&
    isSameList(a.exceptions, b.exceptions) &&
    a.evaluation.evaluator === b.evaluation.evaluator &&
    a.refusals?.labels[ENFORCE_LABEL] === b.refusals?.labels[ENFORCE_LABEL] &&
    a.refusals?.decidedSince === b.refusals?.decidedSince &&
    isSameList(a.refusals?.live ?? [], b.refusals?.live ?? []) &&
    (a.refusals?.live === undefined) === (b.refusals?.live === undefined) &&
    a.deciders.every(
      ({ name, usableBy }) =>
        usableBy === 'Everyone' || a.evaluation.use.rightsTo(name) === b.evaluation.use.rightsTo(name),
    )
  );
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a === b || (a.length === b.length && a.every((item, index) => item === b[index]));
}
