/** The parts of the differential test against PodSecurityPolicy. */
import { type Campaign, run } from './campaign.ts';
import { POLICIES, SETS } from './campaigns.ts';
import type { Servers } from './judge.ts';
import { surprises } from './oracle.ts';
import type { Recorder } from './recording.ts';
import { compareRefusals } from './refusals.ts';
import { HEADER, line } from './report.ts';
import { WRITTEN, WRITTEN_SETS } from './written.ts';

/**
 * oracle: that our knowledge of 1.24 is right; refusals: why it accepts a policy or not; written: policies as people
 * have them; policies: random ones, one by one; sets: random ones that meet, a quarter as many.
 */
export const PARTS = ['oracle', 'refusals', 'written', 'policies', 'sets'] as const;
export type Part = (typeof PARTS)[number];

interface Setting {
  readonly servers: Servers;
  readonly runs: number;
  /** For each policy or set. */
  readonly pods: number;
  readonly seed: number;
  readonly recorder: Recorder;
}

/** @returns whether there was no difference */
export function runPart(part: Part, setting: Setting): Promise<boolean> {
  return JUDGES[part](setting);
}

const JUDGES: Readonly<Record<Part, (setting: Setting) => Promise<boolean>>> = {
  async oracle({ servers }) {
    const lines = await surprises(servers.old);
    console.log(`oracle: ${lines.length} surprises`);
    for (const one of lines) console.log(one);
    return lines.length === 0;
  },

  async refusals({ servers, runs, seed }) {
    const { policies, refused, differences } = await compareRefusals(servers.old, 5 * runs, seed);
    console.log(
      `refusals: ${policies} policies, ${refused} refused by both, ${differences.length} differences, seed ${seed}`,
    );
    for (const difference of differences) console.log(difference);
    return differences.length === 0;
  },

  written: (setting) => played('written', WRITTEN, { ...setting, pods: 4 * setting.pods }, WRITTEN_SETS),

  policies: (setting) => played('policies', POLICIES, setting, setting.runs),

  sets: (setting) => played('sets', SETS, setting, Math.ceil(setting.runs / 4)),
};

async function played(
  what: string,
  campaign: Campaign,
  { servers, pods, seed, recorder }: Setting,
  sets: number,
): Promise<boolean> {
  const tally = await run(servers, campaign, { sets, pods, seed }, recorder.onJudgement);
  console.log(HEADER);
  console.log(line(what, tally, seed));
  for (const note of tally.notes) console.log(`noted: ${note}`);
  for (const difference of tally.differences) console.log(difference);
  return tally.differing === 0;
}
