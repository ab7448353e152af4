import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubernetesVersion } from '../../hack/controlplane/binaries.ts';
import { execute } from './execute.ts';
import { type Run, type RunResult, resultOf } from './runs.ts';
import { cell } from './table.ts';

/**
 * Runs the commands one after the other and prints a line for each command.
 * @param environment the environment of the version
 * @param logs the folder for the complete outputs
 * @param evaluated a function that computes a run's final outcome from the run's result
 * @returns the outcome of each run, by the name of the run
 */
export async function runOn(
  environment: NodeJS.ProcessEnv,
  runs: readonly Run[],
  logs: string,
  evaluated: (result: RunResult) => RunResult = (result) => result,
): Promise<Map<string, RunResult>> {
  const version = kubernetesVersion(environment);
  const results = new Map<string, RunResult>();
  for (const run of runs) {
    const started = Date.now();
    const log = join(logs, `${version}-${run.name.replaceAll(/\W+/g, '-')}.log`);
    const result = evaluated(
      resultOf(run, await execute(run.command, environment, { onOutput: (text) => appendFileSync(log, text) })),
    );
    results.set(run.name, result);
    const seconds = Math.round((Date.now() - started) / 1000);
    console.log(`${version}  ${run.name}: ${cell(result)} (${seconds} s)${result.ok ? '' : `: see ${log}`}`);
  }
  return results;
}
