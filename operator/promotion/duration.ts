import type { CompleteRollout } from '../api/capability-policy.ts';

/**
 * The units of durations, in ms. The durations have the form of `spec.rollout.soak`, such as `24h`, `1h30m` or `0s`.
 * The CRD checks the form.
 */
const UNITS = { h: 3_600_000, m: 60_000, s: 1_000 } as const;

export function durationMs(text: string): number {
  const parts = [...text.matchAll(/(\d+)([hms])/g)];
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit as keyof typeof UNITS], 0);
}

/**
 * Whether the rollout has no soak and no pace. Without soak and pace, the policy is enforced from the beginning in each
 * namespace without violations.
 */
export function beginsAtOnce({ soak, paused, namespacesPerHour }: CompleteRollout): boolean {
  return durationMs(soak) === 0 && !paused && namespacesPerHour === undefined;
}
