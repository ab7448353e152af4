/** The units of durations. Like kubectl, the page states a duration in the largest unit that fits: `3 days`. */
const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

export function ageText(ms: number): string {
  const [unit, length] = UNITS.find(([, length]) => ms >= 2 * length) ?? ['minute', 60_000];
  const count = Math.max(0, Math.floor(ms / length));
  return count === 0 ? 'less than a minute' : `${count} ${unit}${count === 1 ? '' : 's'}`;
}
