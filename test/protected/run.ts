/**
 * `npm run test:protected` runs the integration suites on API servers that read the output of `cappol render --static`.
 * With CAPABILITYPOLICY_TEST_PROTECTED=1, mocha runs single test files with the protection.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBinaries, kubernetesVersion } from '../../hack/controlplane/binaries.ts';
import { argumentsOrExit } from '../../hack/options-or-exit.ts';
import { runOn } from '../versions/run-on.ts';
import { markdown } from '../versions/table.ts';
import { LEFT_OUT, runs } from './suites.ts';

const HELP = `Usage: npm run test:protected -- [options]

Runs the integration suites on API servers that read the output of \`cappol render --static\`, and prints a table. Exits
with 1 if a test failed or if the protection refused a write of the operator.

  --only TEXT  only the runs whose name has the text; may be given more than once
`;

const { values } = argumentsOrExit('test:protected', HELP, {
  options: { only: { type: 'string', multiple: true, default: [''] } },
});

const logs = mkdtempSync(join(tmpdir(), 'capabilitypolicy-protected-'));
const environment = { ...process.env, CAPABILITYPOLICY_TEST_PROTECTED: '1' };
await findBinaries(environment);
const wanted = runs().filter(({ name }) => values.only.some((text) => name.includes(text)));
const results = await runOn(environment, wanted, logs);
const leftOut = Object.entries(LEFT_OUT).map(([suite, reason]) => `* integration/${suite}: ${reason}`);
console.log(`\n${markdown(new Map([[kubernetesVersion(environment), results]]))}`);
console.log(`\nleft out whole:\n${leftOut.join('\n')}\n\nThe output of each run is in ${logs}.`);
process.exitCode = [...results.values()].every(({ ok }) => ok) ? 0 : 1;
