/** How far a policy has come, from what a pass saw. Pure. */
import { type AdmissionSet, GUARD } from '../compile/admission-set.ts';
import type { Compiled } from '../compile/compile.ts';
import { carriersOf } from '../policy/deciding.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import type { RolloutOutcome } from './outcome.ts';

/** All by policy. */
export interface Progress {
  /** What the API server refused. */
  readonly failures: ReadonlyMap<string, string>;
  /** Rulesets that every API server judges by. */
  readonly inForce: ReadonlyMap<string, { readonly ruleset: string; readonly servers: number }>;
  /** Why a ruleset is not in force yet. */
  readonly awaited: ReadonlyMap<string, string>;
  /** An older ruleset that may still be in force. */
  readonly outdated: ReadonlyMap<string, string>;
  /** Those whose users have not changed yet. */
  readonly useAwaited: ReadonlySet<string>;
  /** Rulesets that were in force before, whole. */
  readonly known: ReadonlyMap<string, string>;
  /** How many API servers answer. */
  readonly answering: number;
}

/** InForce: every API server decides by the policy as it is now, and by nothing older. */
export function outcomeOf(policy: ResolvedPolicy, compiled: Compiled, progress: Progress): RolloutOutcome {
  const { ruleset } = setOf(policy.name, compiled);
  const seen = progress.inForce.get(policy.name);
  const inForce = seen?.ruleset === ruleset ? seen.servers : 0;
  const failure = progress.failures.get(policy.name) ?? (guardOf(policy, compiled) && progress.failures.get(GUARD));
  if (failure !== undefined) {
    return { state: 'Failed', ruleset, servers: { inForce: 0, answering: progress.answering }, message: failure };
  }
  const servers = { inForce, answering: inForce === 0 ? progress.answering : inForce };
  const obstacle = obstacleTo(policy, compiled, progress);
  return { state: obstacle === undefined ? 'InForce' : 'Working', ruleset, servers, message: obstacle ?? '' };
}

function obstacleTo(policy: ResolvedPolicy, compiled: Compiled, progress: Progress): string | undefined {
  const { awaited, outdated, useAwaited, known } = progress;
  const { name } = policy;
  const set = setOf(name, compiled);
  const guard = guardOf(policy, compiled);
  if (!isInForce(set, progress)) return awaited.get(name) ?? 'being written';
  if (outdated.has(name)) return `ruleset ${outdated.get(name)} is still in force beside it`;
  if (useAwaited.has(name)) return 'who may use it changes when all new rulesets are in force';
  // Later changes of the others are theirs to report.
  if (known.get(name) === set.ruleset) return undefined;
  if (guard && !isInForce(guard, progress)) return `the guard is ${awaited.get(GUARD) ?? 'being written'}`;
  const behind = carriersOf(policy, compiled.policies).find(
    (other) => !isInForce(setOf(other.name, compiled), progress) || outdated.has(other.name),
  );
  return behind && `policy ${behind.name}, which shares namespaces with it, does not know of it yet`;
}

/** Without it a policy of mode Enforce is not in force. */
function guardOf({ mode }: ResolvedPolicy, { guard }: Compiled): AdmissionSet | undefined {
  return mode === 'Enforce' ? guard : undefined;
}

function setOf(policy: string, { rendered }: Compiled): AdmissionSet {
  const found = rendered.get(policy);
  if (!found) throw new Error(`policy ${policy} is not compiled`);
  return found.admission;
}

function isInForce({ policy, ruleset }: AdmissionSet, { inForce }: Progress): boolean {
  return inForce.get(policy)?.ruleset === ruleset;
}
