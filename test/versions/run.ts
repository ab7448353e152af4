/**
 * `npm run test:versions` runs the suites that depend on the API server on several Kubernetes versions. To run a single
 * test command on a version, set KUBERNETES_VERSION=1.33 before the command.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBinaries, kubernetesVersion, otherVersions } from '../../hack/controlplane/binaries.ts';
import { argumentsOrExit } from '../../hack/options-or-exit.ts';
import { lacksFeatures } from '../support/needs.ts';
import { runOn } from './run-on.ts';
import { type RunResult, runsOf } from './runs.ts';
import { markdown } from './table.ts';

const HELP = `Usage: npm run test:versions -- [options] [VERSION...]

Runs the suites that depend on the API server, the demo, and the differential tests. Prints a table, and exits with 1 if
anything failed. The first run of a version builds its kube-apiserver and kube-controller-manager, which takes about six
minutes on two cores.

  VERSION...   Kubernetes versions (default: all that the project knows)
  --full       1,000 pods for each level and version of the Standards, and 100 random policies (default: a few of both)
  --seed N     the seed of the differential tests (default: 1)
  --list       only print the versions, as JSON
  --only TEXT  only the runs whose name has the text; may be given more than once
`;

const { positionals, values } = argumentsOrExit('test:versions', HELP, {
  allowPositionals: true,
  options: {
    list: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', multiple: true, default: [''] },
  },
});

if (values.list) console.log(JSON.stringify(allVersions().map(minorVersion)));
else process.exitCode = (await runAll()) ? 0 : 1;

/**
 * Runs all suites.
 * @returns whether all suites passed
 */
async function runAll(): Promise<boolean> {
  const logs = mkdtempSync(join(tmpdir(), 'capabilitypolicy-versions-'));
  const runs = runsOf(values).filter(({ name }) => values.only.some((text) => name.includes(text)));
  const environments = (positionals.length > 0 ? positionals : allVersions()).map((version) => ({
    ...process.env,
    KUBERNETES_VERSION: version,
  }));
  const columns = new Map<string, Map<string, RunResult>>();
  for (const environment of environments) {
    await findBinaries(environment);
    const version = kubernetesVersion(environment);
    columns.set(version, await runOn(environment, runs, logs, (result) => whole(result, version)));
  }
  console.log(`\n${markdown(columns)}\n\nThe output of each run is in ${logs}.`);
  return [...columns.values()].flatMap((results) => [...results.values()]).every(({ ok }) => ok);
}

/** All versions in the form of KUBERNETES_VERSION. The empty string means the version that the normal tests use. */
function allVersions(): string[] {
  return [...otherVersions(), ''];
}

/** The version without its patch number, such as `1.33`. */
function minorVersion(version: string): string {
  return kubernetesVersion({ KUBERNETES_VERSION: version }).replace(/^v(\d+\.\d+)\..*$/, '$1');
}

/** The result of a run. If the API server has every feature, a skipped test makes the run fail. */
function whole(result: RunResult, version: string): RunResult {
  const complete = result.leftOut.length === 0 || lacksFeatures(Number(version.split('.')[1]));
  return complete ? result : { ...result, ok: false };
}
