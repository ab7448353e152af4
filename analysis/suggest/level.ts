/** Workloads → the level to start from in their namespace. */
import type { Level } from '../../operator/standards/level-version.ts';
import { type Fitting, statedFor, unfitRules } from './fit.ts';
import type { Workload } from './workloads.ts';

export type SuggestedLevel = Exclude<Level, 'privileged'>;

/** How well a level fits the workloads. */
interface Candidacy {
  readonly level: SuggestedLevel;
  /** The number of workloads that the level admits without overrides. */
  readonly admitted: ReadonlySet<Workload>;
  /** The number of overrides that the other workloads need, counted separately for each workload. */
  readonly overrides: number;
}

/** Restricted with exceptions is a better start than baseline with slightly fewer exceptions. */
const CLEARLY_FEWER = 3;

export function candidacyOf(level: SuggestedLevel, workloads: readonly Workload[], fitting: Fitting): Candidacy {
  const counts = new Map<string, number>();
  const countOf = ({ pods }: Workload): number => {
    const key = JSON.stringify(pods);
    const count = counts.get(key) ?? overridesFor(pods, fitting);
    counts.set(key, count);
    return count;
  };
  const needed = workloads.map((workload) => [workload, countOf(workload)] as const);
  return {
    level,
    admitted: new Set(needed.filter(([, count]) => count === 0).map(([workload]) => workload)),
    overrides: needed.reduce((sum, [, count]) => sum + count, 0),
  };
}

/**
 * The tightest level that admits at least half of the workloads without overrides. A level that admits fewer is also
 * chosen if no looser level would save clearly more overrides.
 *
 * @param candidacies from the tightest level on
 */
export function chooseLevel(candidacies: readonly Candidacy[], workloads: number): Candidacy {
  return candidacies.reduce((tight, loose) => {
    const isCommon = tight.admitted.size * 2 >= workloads;
    return isCommon || tight.overrides - loose.overrides < CLEARLY_FEWER ? tight : loose;
  });
}

function overridesFor(pods: Workload['pods'], fitting: Fitting): number {
  const stated = statedFor(pods, fitting);
  return stated ? Object.keys(stated).length : unfitRules(pods, fitting).length;
}
