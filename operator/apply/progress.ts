/** The progress of a policy, from the results of a pass. Pure. */
import { type AdmissionSet, isGuard } from '../compile/admission-set.ts';
import type { Compiled } from '../compile/compile.ts';
import { guardsNeededBy } from '../compile/guards.ts';
import { policyNameOf } from '../policy/parts.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import type { RolloutOutcome } from './outcome.ts';
import type { RulesetRecord } from './record.ts';

interface Progress {
  /** By policy or guard. */
  readonly records: ReadonlyMap<string, Seen>;
  /** By policy, an older ruleset that may still be in force. */
  readonly outdated: ReadonlyMap<string, string>;
  /** The number of answering API servers. */
  readonly answering: number;
}

export type Seen = Pick<RulesetRecord, 'failure' | 'inForce' | 'obstacle' | 'usersWait' | 'programmed'>;

/** InForce: every API server enforces the policy's current text, and nothing older. */
export function outcomeOf(policy: ResolvedPolicy, compiled: Compiled, progress: Progress): RolloutOutcome {
  const { ruleset } = setOf(policy.id, compiled);
  const sets = setsFor(policy, compiled);
  const inForce = Math.min(...sets.map((set) => serversOf(set, progress)));
  const needed = [...sets, ...guardsOf(policy, compiled)];
  const [failure] = needed.flatMap((set) => failureOf(set, progress));
  if (failure !== undefined) {
    return { state: 'Failed', ruleset, servers: { inForce: 0, answering: progress.answering }, message: failure };
  }
  const servers = { inForce, answering: inForce === 0 ? progress.answering : inForce };
  const obstacle = obstacleTo(policy, compiled, progress);
  return { state: obstacle === undefined ? 'InForce' : 'Working', ruleset, servers, message: obstacle ?? '' };
}

function obstacleTo(policy: ResolvedPolicy, compiled: Compiled, progress: Progress): string | undefined {
  const { records, outdated } = progress;
  const { id } = policy;
  const record = records.get(id);
  const missing = setsFor(policy, compiled).find((set) => !isInForce(set, progress));
  if (missing) return records.get(missing.policy)?.obstacle ?? 'being written';
  if (outdated.has(id)) return `ruleset ${outdated.get(id)} is still in force beside it`;
  if (record?.usersWait) return 'who may use it changes when all new rulesets are in force';
  // The other policies report their own later changes.
  if (record?.programmed === setOf(id, compiled).ruleset) return undefined;
  const guard = guardsOf(policy, compiled).find((set) => !isInForce(set, progress));
  if (guard) return `the guard of its namespaces: ${records.get(guard.policy)?.obstacle ?? 'being written'}`;
  // A refused policy has no new text that could contain it, only an old one.
  const isComing = (other: string) =>
    records.get(other)?.failure === undefined && !isInForce(setOf(other, compiled), progress);
  const behind = compiled.rendered.get(id)?.embedders.find((other) => isComing(other) || outdated.has(other));
  return behind && `policy ${policyNameOf(behind)}, which shares namespaces with it, does not contain it yet`;
}

/** Its own set, and the set that decides for it if that is another's. */
function setsFor({ id }: ResolvedPolicy, compiled: Compiled): AdmissionSet[] {
  const decidedBy = compiled.rendered.get(id)?.decidedBy ?? id;
  return [...new Set([id, decidedBy])].map((policy) => setOf(policy, compiled));
}

function guardsOf({ id }: ResolvedPolicy, { guards }: Compiled): AdmissionSet[] {
  return guardsNeededBy(id, guards).map(({ admission }) => admission);
}

/** The API server's message. For a guard it names the object, because the policy's author does not know guards. */
function failureOf({ policy, objects }: AdmissionSet, { records }: Progress): string[] {
  const message = records.get(policy)?.failure;
  if (message === undefined) return [];
  return [isGuard(policy) ? `the guard ${objects[0]?.metadata.name} was refused: ${message}` : message];
}

function setOf(policy: string, { rendered }: Compiled): AdmissionSet {
  const found = rendered.get(policy);
  if (!found) throw new Error(`policy ${policy} is not compiled`);
  return found.admission;
}

function isInForce(set: AdmissionSet, progress: Progress): boolean {
  return serversOf(set, progress) > 0;
}

/** The number of API servers that enforce it. */
function serversOf({ policy, ruleset }: AdmissionSet, { records }: Progress): number {
  const seen = records.get(policy)?.inForce;
  return seen?.ruleset === ruleset ? seen.servers : 0;
}
