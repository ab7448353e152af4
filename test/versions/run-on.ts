import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubernetesVersion } from '../../hack/controlplane/binaries.ts';
import { execute } from './execute.ts';
import { type Outcome, outcomeOf, type Run } from './runs.ts';
import { cell } from './table.ts';

/**
 * Runs one after the other and prints a line for each.
 * @param environment the version's @param logs the folder for the whole outputs @param judged the outcome that counts
 * @returns a run's name → its outcome
 */
export async function runOn(
  environment: NodeJS.ProcessEnv,
  runs: readonly Run[],
  logs: string,
  judged: (outcome: Outcome) => Outcome = (outcome) => outcome,
): Promise<Map<string, Outcome>> {
  const version = kubernetesVersion(environment);
  const outcomes = new Map<string, Outcome>();
  for (const run of runs) {
    const started = Date.now();
    const log = join(logs, `${version}-${run.name.replaceAll(/\W+/g, '-')}.log`);
    const outcome = judged(
      outcomeOf(run, await execute(run.command, environment, (text) => appendFileSync(log, text))),
    );
    outcomes.set(run.name, outcome);
    const seconds = Math.round((Date.now() - started) / 1000);
    console.log(`${version}  ${run.name}: ${cell(outcome)} (${seconds} s)${outcome.ok ? '' : `: see ${log}`}`);
  }
  return outcomes;
}
