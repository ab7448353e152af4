/**
 * `npm run test:versions -- [1.30 1.33 …]`: the suites that depend on the API server, the demo and differential tests on
 * these Kubernetes versions; on all that are known here by default. Prints a table; exits 1 when anything failed.
 *
 *   --full        1,000 pods for each level and version of the Standards, and 100 random policies; without it, a few of both
 *   --seed N      of the differential tests
 *   --only TEXT   only the runs whose name has the text; may be given more than once
 *
 * The first time a version is run, its kube-apiserver and kube-controller-manager are built: about six minutes on two
 * cores. KUBERNETES_VERSION=1.33 before any test command runs just that on the version.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findBinaries, kubernetesVersion, otherVersions } from '../../hack/controlplane/binaries.ts';
import { lacksFeatures } from '../support/needs.ts';
import { execute } from './execute.ts';
import { type Outcome, outcomeOf, type Run, runsOf } from './runs.ts';
import { cell, markdown } from './table.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    full: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', multiple: true, default: [''] },
  },
});

process.exitCode = (await runAll()) ? 0 : 1;

/** Whether all passed. */
async function runAll(): Promise<boolean> {
  const logs = mkdtempSync(join(tmpdir(), 'capabilitypolicy-versions-'));
  const runs = runsOf(values).filter(({ name }) => values.only.some((text) => name.includes(text)));
  const environments = (positionals.length > 0 ? positionals : [...otherVersions(), '']).map((version) => ({
    ...process.env,
    KUBERNETES_VERSION: version,
  }));
  const columns = new Map<string, Map<string, Outcome>>();
  for (const environment of environments) {
    await findBinaries(environment);
    columns.set(kubernetesVersion(environment), await runOn(environment, runs, logs));
  }
  console.log(`\n${markdown(columns)}\n\nThe output of each run is in ${logs}.`);
  return [...columns.values()].flatMap((outcomes) => [...outcomes.values()]).every(({ ok }) => ok);
}

async function runOn(
  environment: NodeJS.ProcessEnv,
  runs: readonly Run[],
  logs: string,
): Promise<Map<string, Outcome>> {
  const version = kubernetesVersion(environment);
  const outcomes = new Map<string, Outcome>();
  for (const run of runs) {
    const started = Date.now();
    const log = join(logs, `${version}-${run.name.replaceAll(/\W+/g, '-')}.log`);
    const outcome = whole(outcomeOf(run, await execute(run.command, environment, log)), version);
    outcomes.set(run.name, outcome);
    const seconds = Math.round((Date.now() - started) / 1000);
    console.log(`${version}  ${run.name}: ${cell(outcome)} (${seconds} s)${outcome.ok ? '' : `: see ${log}`}`);
  }
  return outcomes;
}

/** If the API server has every feature, a skipped test counts as failed. */
function whole(outcome: Outcome, version: string): Outcome {
  const complete = outcome.leftOut.length === 0 || lacksFeatures(Number(version.split('.')[1]));
  return complete ? outcome : { ...outcome, ok: false };
}
