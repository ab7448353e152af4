/** Random sets of PodSecurityPolicies, in force on one server and migrated on the other, and random pods for each. */
import fc, { type Arbitrary } from 'fast-check';
import { concurrently } from '../differential/policies/campaign.ts';
import { shrunk } from '../support/shrunk.ts';
import type { Creation } from './creation.ts';
import type { Migrated } from './current-cluster.ts';
import { described, isGone, type Judgement, judge, type Servers } from './judge.ts';
import type { PspSet } from './objects.ts';

export interface Campaign {
  /** @param index of the set, from 0 */
  set(id: string, index: number): Arbitrary<PspSet>;
  creations(set: PspSet): Arbitrary<Creation>;
  /** The number of sets that are in force at a time. */
  readonly together: number;
}

interface Plan {
  readonly sets: number;
  /** Valid ones for each set; fewer if most random pods are invalid. */
  readonly pods: number;
  readonly seed: number;
}

export interface Tally {
  readonly sets: number;
  readonly policies: number;
  readonly judged: number;
  readonly admitted: number;
  readonly invalid: number;
  readonly spoiled: number;
  /** Pods about which the servers differ, as a note of the migration announces. */
  readonly noted: number;
  /** Pods about which they differ without a note. */
  readonly differing: number;
  /** Those notes, without the objects' names. */
  readonly notes: readonly string[];
  /** The latter as text; at most one for each set, with the smallest pod that shows it. */
  readonly differences: readonly string[];
}

/** Called with every pod on which both agree. */
export type OnJudgement = (migrated: Migrated, creation: Creation, judgement: Judgement) => void;

/** In the note that a policy refused such pods. */
export const EMPTY_GROUPS = 'except for pods that write `supplementalGroups: []`';

/** The number of generated pods for each valid one that is needed. */
const ATTEMPTS = 4;

export async function run(servers: Servers, campaign: Campaign, plan: Plan, onJudgement?: OnJudgement): Promise<Tally> {
  const tallies: Tally[] = [];
  for (let first = 0; first < plan.sets; first += campaign.together) {
    const count = Math.min(campaign.together, plan.sets - first);
    const sets = await Promise.all(
      Array.from({ length: count }, (_, i) => acceptedSet(servers, campaign, { seed: plan.seed, index: first + i })),
    );
    const remove = await servers.old.enforce(sets);
    const { all, withdraw } = await servers.current.enforce(sets);
    await concurrently(all, async (one) => {
      tallies.push(await judgeSet(servers, campaign, one, plan, onJudgement));
    });
    await withdraw();
    await remove();
  }
  return sum(tallies);
}

/** The first random set of which the old API server accepts every policy. */
async function acceptedSet(
  { old }: Servers,
  campaign: Campaign,
  { seed, index }: { seed: number; index: number },
): Promise<PspSet> {
  const samples = fc.sample(campaign.set(`psp-${index}`, index), { seed: seed + index * 101, numRuns: 50 });
  for (const set of samples) {
    const refusals = await Promise.all(set.policies.map((policy) => old.refusals(policy)));
    if (refusals.flat().length === 0) return set;
  }
  throw new Error(`none of ${samples.length} random sets is accepted`);
}

async function judgeSet(
  servers: Servers,
  campaign: Campaign,
  migrated: Migrated,
  { pods: count, seed }: Plan,
  onJudgement: OnJudgement | undefined,
): Promise<Tally> {
  const { set, failures } = migrated;
  const notes = inexactNotes(migrated);
  const tally = { ...EMPTY, sets: 1, policies: set.policies.length };
  if (failures.length > 0) return { ...tally, differing: 1, differences: [inWords(seed, set, failures)] };
  const creations = campaign.creations(set);
  const samples = fc.sample(creations, { seed, numRuns: count * ATTEMPTS });
  const differences: string[] = [];
  for (const [index, creation] of samples.entries()) {
    const judgement = await judge(servers, migrated, creation);
    const { status, difference } = judgement;
    if (status === 'admitted') tally.admitted++;
    if (status === 'invalid' || status === 'spoiled') tally[status]++;
    else tally.judged++;
    if (difference === undefined) onJudgement?.(migrated, creation, judgement);
    else if ((notes.length > 0 && !isGone(migrated)) || isNotedEmptyList(migrated, creation)) tally.noted++;
    else if (tally.differing++ === 0) differences.push(await explain(servers, creations, migrated, { seed, index }));
    if (tally.judged === count) break;
  }
  return { ...tally, notes: tally.noted > 0 ? notes : [], differences };
}

/** The differences that the migration itself notes. */
function inexactNotes({ migration }: Migrated): string[] {
  const inexact = migration?.notes.filter(({ exact }) => !exact) ?? [];
  return inexact.map(({ field, text }) => (field === '' ? text : `${field}: ${text}`));
}

/** An empty list of groups, which PodSecurityPolicy refused and which the API server does not show to policies today. */
function isNotedEmptyList({ migration }: Migrated, { pod }: Creation): boolean {
  const { supplementalGroups: groups } = (pod.spec.securityContext ?? {}) as { supplementalGroups?: unknown };
  const isEmpty = Array.isArray(groups) && groups.length === 0;
  return isEmpty && (migration?.notes ?? []).some(({ text }) => text.includes(EMPTY_GROUPS));
}

/** Shrinks the creation as long as there is a difference. */
async function explain(
  servers: Servers,
  creations: Arbitrary<Creation>,
  migrated: Migrated,
  { seed, index }: { seed: number; index: number },
): Promise<string> {
  const agrees = async (one: Creation) =>
    (await judge(servers, migrated, one)).difference === undefined || isNotedEmptyList(migrated, one);
  const creation = await shrunk(creations, { seed, index }, agrees);
  const { pod, namespace, account, creator } = creation;
  const { set, migration } = migrated;
  return inWords(seed, set, [
    ...(migration?.policies ?? []).map(({ spec }) => `migrated: ${JSON.stringify(spec)}`),
    ...(migration?.notes ?? []).map((note) => `note: ${JSON.stringify(note)}`),
    `${creator.user} creates in ${namespace} as ${account}: ${JSON.stringify(pod)}`,
    ...described(await judge(servers, migrated, creation)),
  ]);
}

function inWords(seed: number, { id, policies, rbac }: PspSet, lines: readonly string[]): string {
  return [
    `seed ${seed}, set ${id}`,
    ...policies.map(({ metadata, spec }) => `PodSecurityPolicy ${JSON.stringify(metadata)} ${JSON.stringify(spec)}`),
    ...(policies.length > 1 ? rbac.map((object) => JSON.stringify(object)) : []),
    ...lines,
  ].join('\n  ');
}

const EMPTY = {
  sets: 0,
  policies: 0,
  judged: 0,
  admitted: 0,
  invalid: 0,
  spoiled: 0,
  noted: 0,
  differing: 0,
  notes: [],
  differences: [],
};

function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (all: Tally, one) => ({
      sets: all.sets + one.sets,
      policies: all.policies + one.policies,
      judged: all.judged + one.judged,
      admitted: all.admitted + one.admitted,
      invalid: all.invalid + one.invalid,
      spoiled: all.spoiled + one.spoiled,
      noted: all.noted + one.noted,
      differing: all.differing + one.differing,
      notes: [...new Set([...all.notes, ...one.notes])].sort(),
      differences: [...all.differences, ...one.differences],
    }),
    EMPTY,
  );
}
