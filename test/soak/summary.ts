/** Makes a summary of a soak in one line, and checks whether the soak had enough faults to be meaningful. */
import type { Turns } from './audit.ts';
import { ALL, type Disturbance } from './disturbances.ts';
import type { MemoryReport } from './memory.ts';
import { REPLICAS } from './replicas.ts';

export interface SoakFigures {
  readonly minutes: number;
  readonly checks: number;
  readonly changes: number;
  /** The number of times that each kind of fault happened. */
  readonly faults: Readonly<Record<string, number>>;
  readonly disturbed: readonly Disturbance[];
  readonly turns: Turns;
  readonly probes: { readonly tried: number; readonly forbidden: number; readonly wider: readonly string[] };
  readonly memory: MemoryReport;
}

/**
 * The maximum accepted growth of a process's memory. If every change leaked memory, the slope would be much steeper.
 * Over 5 minutes or more, the noise of garbage collection causes a smaller slope.
 */
const MAX_SLOPE_MIB_PER_MINUTE = 2;
const MAX_RSS_MIB = 250;
/**
 * If a run is longer than this number of minutes, the test checks the trend of the memory. If a run has this length,
 * one of the operators is never killed in the second half of the run. In a shorter run, the processes only warm up.
 */
const MINUTES_FOR_TREND = 10;

/** The reasons why the run is inconclusive although no check failed. */
export function shortcomings({ minutes, faults, disturbed, turns, probes, memory }: SoakFigures): string[] {
  const { trend, peakMiB } = memory;
  const longEnough = minutes > MINUTES_FOR_TREND;
  return [
    ...Object.entries(faults).flatMap(([fault, met]) => (met === 0 ? [`no request met the fault ${fault}`] : [])),
    ...ALL.filter((one) => !disturbed.includes(one)).map((one) => `nothing did this: ${one}`),
    ...REPLICAS.filter((name) => !turns.writes[name]).map((name) => `${name} wrote nothing`),
    ...(probes.forbidden === 0 ? ['no pod was tried that had to be refused'] : []),
    ...(peakMiB > MAX_RSS_MIB ? [`an operator took ${peakMiB.toFixed(0)} MiB`] : []),
    ...(longEnough && !trend ? ['no operator lived long enough for its memory to be followed'] : []),
    ...(longEnough && trend && trend.slopeMiBPerMinute > MAX_SLOPE_MIB_PER_MINUTE
      ? [`memory grows: ${trendText(memory)}`]
      : []),
  ];
}

export function summary(figures: SoakFigures): string {
  const { turns, probes } = figures;
  const acts = Object.fromEntries(ALL.map((one) => [one, figures.disturbed.filter((other) => other === one).length]));
  return [
    `${figures.minutes.toFixed(1)} min, ${figures.checks} checks, ${figures.changes} changes`,
    `faults: ${counts(figures.faults)}`,
    `disturbances: ${counts(acts)}`,
    `${turns.holders.length} turns of the Lease, writes: ${counts(turns.writes)}, ${turns.outOfTurn.length} out of turn`,
    `${probes.tried} pods tried, ${probes.forbidden} had to be refused, ${probes.wider.length} were not`,
    `RSS at most ${figures.memory.peakMiB.toFixed(0)} MiB, ${trendText(figures.memory)}`,
  ].join('; ');
}

function trendText({ trend }: MemoryReport): string {
  if (!trend) return 'too short for a trend';
  const { name, minutes, meanMiB, slopeMiBPerMinute } = trend;
  return `${name} ${meanMiB.toFixed(0)} MiB in the last ${minutes.toFixed(1)} min, slope ${slopeMiBPerMinute.toFixed(2)} MiB/min`;
}

function counts(of: Readonly<Record<string, number>>): string {
  return Object.entries(of)
    .map(([what, count]) => `${what} ${count}`)
    .join(', ');
}
