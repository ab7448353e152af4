/** Chooses the level to start from in the namespace of some workloads. */
import type { Level } from '../../operator/standards/level-version.ts';
import { type Fitting, statedFor, unfitRules } from './fit.ts';
import type { Workload } from './workloads.ts';

export type SuggestedLevel = Exclude<Level, 'privileged'>;

/** How well a level fits the workloads. */
interface Candidacy {
  readonly level: SuggestedLevel;
  /** The workloads that the level admits without overrides. */
  readonly admitted: ReadonlySet<Workload>;
  /** The number of overrides that the other workloads need, counted separately for each workload. */
  readonly overrides: number;
}

/**
 * A looser level is chosen only if it needs at least this many fewer overrides than a tighter level. Restricted with
 * exceptions is a better start than baseline with slightly fewer exceptions.
 */
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
 * The tightest level that admits at least half of the workloads without overrides. A level that admits fewer workloads
 * is chosen only if no looser level would need clearly fewer overrides.
 *
 * @param candidacies the levels, the tightest first
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
