/**
 * Suggests exceptions beside the policies that decide in a namespace. The deciding policies already admit all other
 * workloads.
 */
import type { CompleteSpec, Mode } from '../../operator/api/capability-policy.ts';
import { type EvaluationContext, evaluate } from '../../operator/evaluate/verdict.ts';
import type { Evaluator } from '../../operator/evaluate/violations.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { LEVELS, type Standard } from '../../operator/standards/level-version.ts';
import { type Exception, exceptionsFor } from './exceptions.ts';
import { type Fitting, statedFor, unfitRules } from './fit.ts';
import { statedBy } from './stated.ts';
import type { Workload } from './workloads.ts';

/** The existing policies of a namespace. Exceptions are suggested in addition to these policies. */
export interface Beside {
  readonly mode: Mode;
  readonly priority: number;
  /**
   * The policies that decide in the namespace now. The list also has the policies that will decide in the namespace
   * when their rollouts have reached the namespace. The list has at least one policy.
   */
  readonly deciding: readonly ResolvedPolicy[];
  /** The deciding policies that admit pods now, or will admit pods when the exceptions are enforced. */
  readonly admitting: readonly ResolvedPolicy[];
  /**
   * The specs of the pending policies that must be enforced together with the exceptions. Enforcing the pending
   * policies is necessary if no enforced policy of the same priority is for everybody.
   */
  readonly pending: ReadonlyMap<string, CompleteSpec>;
  /** The spec of each deciding policy. The key is the policy's name. */
  readonly specs: ReadonlyMap<string, CompleteSpec>;
  readonly evaluation: EvaluationContext;
}

/** The policy whose rules are the starting point for the exceptions of a namespace. */
export interface Base {
  /**
   * The name of the policy. If no deciding policy is for everybody, the name is absent, and exceptions start from a
   * level.
   */
  readonly name?: string;
  readonly standard: Standard;
  readonly levelVersion: string;
  readonly defaulting: boolean;
}

export interface BesideExceptions {
  readonly base: Base;
  readonly exceptions: readonly Exception[];
  /**
   * The number of workloads that need no exception. Either the deciding policies admit the workload, or no exception
   * would help the workload.
   */
  readonly admitted: number;
}

interface Options {
  readonly narrow: boolean;
  readonly used: boolean;
  readonly evaluator: Evaluator;
}

export function exceptionsBeside(beside: Beside, workloads: readonly Workload[], options: Options): BesideExceptions {
  const refused = workloads.filter((workload) => isRefused(workload, beside));
  const ordinary = new Set(workloads.filter((workload) => !refused.includes(workload)));
  const { base, fitting } = bestBase(beside, refused, options);
  const restricted = beside.admitting.filter(({ usableBy }) => usableBy !== 'Everyone').length;
  return { base, exceptions: exceptionsFor({ workloads, ordinary, restricted }, fitting), admitted: ordinary.size };
}

/**
 * If the verdict on a pod depends on the pod's unknown creator, the pod gets no exception. A pod that is too expensive
 * to evaluate gets no exception, either.
 */
function isRefused({ candidates }: Workload, { admitting, evaluation }: Beside): boolean {
  if (admitting.length === 0) return true;
  return candidates.some((candidate) => evaluate(candidate, admitting, evaluation).verdict === 'Violating');
}

interface Candidacy {
  readonly base: Base;
  readonly fitting: Fitting;
}

/**
 * Chooses the policy for which the refused workloads need the fewest changes. A policy with restricted use is not for
 * the accounts of the new exceptions. The overrides of a policy with restricted use are therefore not the base of the
 * exceptions.
 */
function bestBase({ deciding, specs }: Beside, refused: readonly Workload[], options: Options): Candidacy {
  const forEveryone = deciding.filter(({ usableBy }) => usableBy === 'Everyone');
  const candidacies = (forEveryone.length > 0 ? forEveryone : [tightestOf(deciding)]).map((policy): Candidacy => {
    const { name, standard, usableBy } = policy;
    const { levelVersion = 'latest', overrides = {}, defaulting } = specs.get(name) ?? {};
    const isBase = usableBy === 'Everyone';
    return {
      base: {
        ...(isBase && { name }),
        standard,
        levelVersion,
        defaulting: isBase && defaulting !== undefined && defaulting !== 'Disabled',
      },
      fitting: { ...options, standard, ...(isBase && { base: statedBy(overrides) }) },
    };
  });
  const counted = candidacies.map((one) => ({ one, count: changes(refused, one.fitting) }));
  return counted.reduce((a, b) => (b.count < a.count ? b : a)).one;
}

function tightestOf(policies: readonly ResolvedPolicy[]): ResolvedPolicy {
  const tightness = ({ standard }: ResolvedPolicy) => LEVELS.indexOf(standard.level);
  return policies.reduce((a, b) => (tightness(b) > tightness(a) ? b : a));
}

/** The number of overrides that the workloads need in addition to the base. */
function changes(refused: readonly Workload[], fitting: Fitting): number {
  const counts = refused.map(({ pods }) => {
    const stated = statedFor(pods, fitting);
    if (!stated) return Object.keys(fitting.base ?? {}).length + unfitRules(pods, fitting).length + RULES_OF_A_LEVEL;
    return Object.entries(stated).filter(([path, value]) => !isBased(path, value, fitting)).length;
  });
  return counts.reduce((sum, count) => sum + count, 0);
}

/**
 * In the comparison, an exception at level privileged counts as this number of changes. The number is higher than any
 * number of overrides.
 */
const RULES_OF_A_LEVEL = 100;

function isBased(path: string, value: unknown, { base = {} }: Fitting): boolean {
  return JSON.stringify(base[path]) === JSON.stringify(value);
}
