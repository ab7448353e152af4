/** The workloads of a namespace → their verdicts in each mode, judged again only where something else decides than before. */
import type { Mode } from '../api/capability-policy.ts';
import { deciding, MODES } from '../policy/deciding.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import type { Labels } from '../policy/selector.ts';
import type { Court } from './verdict.ts';
import {
  admittedAsAWhole,
  type Group,
  judgingMembers,
  mergeMembers,
  type WorkloadJudgement,
} from './workload-judgement.ts';

export interface ModeJudgement {
  /** Names of the policies that decide. */
  readonly deciding: readonly string[];
  /** By kind and name. */
  readonly workloads: readonly WorkloadJudgement[];
}

/** For each workload the policy that admits it; undefined if none does. */
type Admitting = readonly (string | undefined)[];

/** All that the verdicts of a mode follow from, besides the workloads. */
interface Grounds {
  /** The policies that decide; at least one. */
  readonly parties: readonly ResolvedPolicy[];
  readonly court: Court;
  /** By the Enforce policies, if these would still decide if those of this mode were enforced; else empty. */
  readonly exceptions: Admitting;
}

export interface JudgedMode {
  readonly grounds: Grounds;
  readonly judgement: ModeJudgement;
  readonly admitting: Admitting;
}

/** Only the modes in which some policy decides. */
export type JudgedModes = Partial<Readonly<Record<Mode, JudgedMode>>>;

/**
 * In pieces.
 *
 * @param policies all that select the namespace @param labels the namespace's @param before earlier results about the
 * same workloads
 */
export function* judgingModes(
  groups: readonly Group[],
  { policies, labels }: { readonly policies: readonly ResolvedPolicy[]; readonly labels: Labels },
  court: Court,
  before: readonly JudgedModes[] = [],
): Generator<void, JudgedModes> {
  const modes: Partial<Record<Mode, JudgedMode>> = {};
  for (const mode of MODES) {
    const parties = deciding(policies, mode, labels);
    if (parties.length === 0) continue;
    const grounds = { parties, court, exceptions: exceptionsFrom(modes.Enforce, parties) };
    const known = before.map((one) => one[mode]).find((one) => one && isSame(one.grounds, grounds));
    modes[mode] = known ?? (yield* judgingMode(groups, grounds));
  }
  return modes;
}

/** None while Enforce itself is judged, which is the first of the modes. */
function exceptionsFrom(enforced: JudgedMode | undefined, [first]: readonly ResolvedPolicy[]): Admitting {
  const priority = enforced?.grounds.parties[0]?.priority ?? Number.NEGATIVE_INFINITY;
  return enforced && first && priority >= first.priority ? enforced.admitting : [];
}

function* judgingMode(groups: readonly Group[], grounds: Grounds): Generator<void, JudgedMode> {
  const { parties, court, exceptions } = grounds;
  const workloads: WorkloadJudgement[] = [];
  const admitting: (string | undefined)[] = [];
  for (const [index, group] of groups.entries()) {
    const judgements = yield* judgingMembers(group, parties, court);
    workloads.push(mergeMembers(group, judgements, exceptions[index]));
    admitting.push(admittedAsAWhole(judgements));
  }
  return { grounds, judgement: { deciding: parties.map(({ name }) => name), workloads }, admitting };
}

function isSame(a: Grounds, b: Grounds): boolean {
  return (
    isSameList(a.parties, b.parties) &&
    isSameList(a.exceptions, b.exceptions) &&
    a.court.evaluator === b.court.evaluator &&
    a.parties.every(
      ({ name, usableBy }) => usableBy === 'Everyone' || a.court.use.rightsTo(name) === b.court.use.rightsTo(name),
    )
  );
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a === b || (a.length === b.length && a.every((item, index) => item === b[index]));
}
