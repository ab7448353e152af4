/**
 * Suggests a level for each namespace. If workloads need more than the level admits, exceptions for their service
 * accounts are suggested, too.
 */
import type { CapabilityPolicyOverrides } from '../../operator/api/capability-policy.ts';
import { overridesOf } from '../../operator/api/overrides.ts';
import type { Evaluator } from '../../operator/evaluate/violations.ts';
import type { WorkloadName } from '../../operator/evaluate/workloads.ts';
import { entriesByKey } from '../../operator/model/by-key.ts';
import type { Level, Standard } from '../../operator/standards/level-version.ts';
import { type Base, type Beside, exceptionsBeside } from './beside.ts';
import { type Exception, exceptionsFor } from './exceptions.ts';
import { type Fitting, statedFor } from './fit.ts';
import { candidacyOf, chooseLevel, type SuggestedLevel } from './level.ts';
import { needsOf, type StatedOverride } from './needs.ts';
import { type Given, type Workload, workloadsOf } from './workloads.ts';

export interface SuggestOptions {
  /** The version of the suggested level, and the Kubernetes version of the oldest API server. */
  readonly standard: Omit<Standard, 'level'>;
  /** The level to suggest for every namespace. By default, the level that fits best is suggested. */
  readonly level?: SuggestedLevel;
  /**
   * Whether to add overrides that narrow the level. A rule is narrowed if the level admits more than the workloads
   * need.
   */
  readonly narrow?: boolean;
  /**
   * Whether the pods have only the capabilities that they used. If the pods have only their used capabilities, the
   * suggested policies require containers to drop all other capabilities.
   */
  readonly used?: boolean;
  /**
   * Returns the policies that decide in a namespace, or undefined if no policy decides. If no policy decides, a level
   * is suggested.
   */
  readonly beside?: (namespace: string) => Beside | undefined;
  readonly evaluator: Evaluator;
}

export interface RefusedWorkload extends WorkloadName {
  /** The API server's message. */
  readonly message: string;
}

export interface Suggestion {
  readonly namespace: string;
  /**
   * The level for everybody. If policies already decide in the namespace, this level is the starting point of the
   * exceptions.
   */
  readonly level: Level;
  /**
   * The overrides of the level. The suggestion has overrides only if narrowing is requested, or if evidence narrows the
   * capabilities.
   */
  readonly overrides: CapabilityPolicyOverrides;
  /** The overrides of the suggestion, in the order of the API. Each override has a single value. */
  readonly stated: readonly StatedOverride[];
  readonly exceptions: readonly Exception[];
  /** Whether the pods have only the capabilities that they used. */
  readonly used: boolean;
  /** The number of workloads in the namespace. */
  readonly workloads: number;
  /** The workloads whose pods an API server refuses. The suggestion leaves out containers that webhooks add to them. */
  readonly refused: readonly RefusedWorkload[];
  /** For each evaluated level, the number of workloads that the level admits without overrides. */
  readonly admitted: Partial<Readonly<Record<SuggestedLevel, number>>>;
  /**
   * The policies that decide in the namespace. The field is absent if no policy decides in the namespace. If policies
   * already decide in the namespace, only exceptions are suggested.
   */
  readonly beside?: SuggestedBeside;
}

/** The deciding policies of the namespace. Exceptions are suggested in addition to these policies. */
export interface SuggestedBeside extends Pick<Beside, 'mode' | 'priority' | 'pending'> {
  /** The names of the deciding policies. */
  readonly policies: readonly string[];
  readonly base: Base;
  /** The number of workloads that need no exception. */
  readonly admitted: number;
}

/**
 * Suggests policies that admit every given workload, and everything that the level admits. The policies also admit a
 * pod that the level refuses, if some given workload has the same service account and at least the same needs. Other
 * pods that the level refuses are not admitted.
 *
 * @returns one suggestion for each namespace, sorted by namespace
 */
export function suggest(given: readonly Given[], options: SuggestOptions): Suggestion[] {
  const byNamespace = Map.groupBy(workloadsOf(given), ({ name }) => name.namespace);
  return entriesByKey(byNamespace).map(([namespace, workloads]) => suggestFor(namespace, workloads, options));
}

function suggestFor(namespace: string, workloads: readonly Workload[], options: SuggestOptions): Suggestion {
  const { standard, narrow = false, used = false, evaluator } = options;
  const beside = options.beside?.(namespace);
  if (beside) return besidePolicies(namespace, workloads, beside, { narrow, used, evaluator });
  const at = (level: Level): Fitting => ({ standard: { ...standard, level }, narrow: false, evaluator });
  const levels: readonly SuggestedLevel[] = options.level ? [options.level] : ['restricted', 'baseline'];
  const candidacies = levels.map((level) => candidacyOf(level, workloads, at(level)));
  const { level, admitted } = chooseLevel(candidacies, workloads.length);
  const fitting = { ...at(level), narrow, used };
  const ordinary = workloads.filter((workload) => admitted.has(workload));
  const pods = ordinary.flatMap((workload) => workload.pods);
  const stated = (narrow || used) && pods.length > 0 ? (statedFor(pods, fitting) ?? {}) : {};
  return {
    namespace,
    level,
    overrides: overridesOf(stated),
    stated: needsOf(stated, ordinary, fitting),
    exceptions: exceptionsFor({ workloads, ordinary: admitted }, fitting),
    used,
    workloads: workloads.length,
    refused: workloads.flatMap(refusedOf),
    admitted: Object.fromEntries(candidacies.map((one) => [one.level, one.admitted.size])),
  };
}

function besidePolicies(
  namespace: string,
  workloads: readonly Workload[],
  beside: Beside,
  options: { readonly narrow: boolean; readonly used: boolean; readonly evaluator: Evaluator },
): Suggestion {
  const { base, exceptions, admitted } = exceptionsBeside(beside, workloads, options);
  const { mode, priority, pending, deciding } = beside;
  return {
    namespace,
    level: base.standard.level,
    overrides: {},
    stated: [],
    exceptions,
    used: options.used,
    workloads: workloads.length,
    refused: workloads.flatMap(refusedOf),
    admitted: {},
    beside: { mode, priority, pending, policies: deciding.map(({ name }) => name), base, admitted },
  };
}

function refusedOf({ name, refusal }: Workload): RefusedWorkload[] {
  return refusal ? [{ ...name, message: refusal.message }] : [];
}
