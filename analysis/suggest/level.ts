/** Chooses the level from which the policies of a namespace start. */
import type { Level } from '../../operator/standards/level-version.ts';
import { type Fitting, statedFor, unfitRules } from './fit.ts';
import type { Workload } from './workloads.ts';

export type SuggestedLevel = Exclude<Level, 'privileged'>;

/** Describes how well a level fits the workloads. */
interface Candidacy {
  readonly level: SuggestedLevel;
  /** The workloads that the level admits without overrides. */
  readonly admitted: ReadonlySet<Workload>;
  /** The number of overrides that the other workloads need. The overrides of each workload are counted separately. */
  readonly overrides: number;
}

/**
 * A looser level is chosen only if it needs clearly fewer overrides than a stricter level. The difference must be at
 * least this number. The level `restricted` with exceptions is a better start than the level `baseline` with slightly
 * fewer exceptions.
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
 * The strictest level that admits at least half of the workloads without overrides. A level that admits fewer workloads
 * can be chosen, too, if no looser level would need clearly fewer overrides.
 *
 * @param candidacies the levels, from the strictest to the loosest
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
