/**
 * Reads and compares the times at which policies expire. An expired policy counts as deleted. Times are in milliseconds
 * since 1970, in UTC. Every time is a whole second, since an object's creationTimestamp has no fractions.
 */

/** The expiry time of a policy that never expires. */
export const NEVER = Number.POSITIVE_INFINITY;

const TIME = /^([12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:Z|[+-]\d\d:\d\d)$/;
const DAY_MS = 86_400_000;

/**
 * The stages that a policy with an expiry time passes through. Every stage begins at a fixed time relative to the
 * expiry.
 */
const STAGES = ['Later', 'WithinAWeek', 'WithinADay', 'Expired'] as const;
export type Stage = (typeof STAGES)[number];
const BEGINS: Record<Stage, number> = {
  Later: Number.NEGATIVE_INFINITY,
  WithinAWeek: -7 * DAY_MS,
  WithinADay: -DAY_MS,
  Expired: 0,
};

/** Reads a time of RFC 3339 in whole seconds. For any other string, the result is undefined. */
export function parseTime(text: string): number | undefined {
  const [, local] = TIME.exec(text) ?? [];
  const time = Date.parse(text);
  if (local === undefined || Number.isNaN(time)) return undefined;
  // Date.parse() does not refuse February 30, but reads this date as March 2.
  const isDay = formatTime(Date.parse(`${local}Z`)) === `${local}Z`;
  return isDay ? time : undefined;
}

/** Writes a time in the format of RFC 3339, in UTC. */
export function formatTime(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}

export function stageOf(expires: number, now: number): Stage {
  return STAGES.findLast((stage) => expires + BEGINS[stage] <= now) ?? 'Later';
}

/** The time at which the policy's next stage begins. If no stage follows, the result is NEVER. */
export function nextStageAt(expires: number, now: number): number {
  return Math.min(...STAGES.map((stage) => expires + BEGINS[stage]).filter((begins) => begins > now), NEVER);
}
