/**
 * `npm run test:versions -- [1.30 1.33 …]`: the integration suites, the demo and a short differential test on other
 * Kubernetes versions; all that are known here by default. Prints a table; exits 1 when anything failed.
 *
 * The first time a version is run, its kube-apiserver and kube-controller-manager are built: about six minutes each on two
 * cores. KUBERNETES_VERSION=1.33 before any test command runs just that on the version.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findBinaries, kubernetesVersion, otherVersions } from '../controlplane/binaries.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PREFLIGHT = join(ROOT, 'test', 'preflight.js');
/** Suites whose results depend on the API server and could differ between versions. */
const SUITES = [
  'crd/crd',
  'integration/decisions',
  'integration/workloads',
  'integration/ephemeral',
  'integration/guard',
  'integration/bypass',
  'integration/labels',
  'integration/drift',
  'integration/deletion',
  'integration/status',
  'integration/rollout',
];
const CLOSING_LINE = /^(\d+) passed, (\d+) failed$/m;

interface Run {
  readonly name: string;
  readonly command: readonly string[];
  /** The output's message, for the table. */
  summary(output: string, code: number): string;
}

interface Outcome {
  readonly ok: boolean;
  readonly summary: string;
}

const RUNS: readonly Run[] = [
  ...SUITES.map((suite) => ({ name: suite, command: ['mocha', `test/${suite}.test.ts`], summary: counts })),
  {
    name: 'demo',
    command: ['test/demo/demo.ts', '--once'],
    summary: (_output, code) => (code === 0 ? 'told to its end' : `exit code ${code}`),
  },
  {
    name: 'differential, levels',
    command: ['test/differential/run.ts', '--runs', '20', '--seed', '1'],
    summary: differing,
  },
  {
    name: 'differential, policies',
    command: ['test/differential/run.ts', '--part', 'b', '--runs', '8', '--seed', '1'],
    summary: (output, code) => (code === 0 ? lastLine(output) : `exit code ${code}: ${lastLine(output)}`),
  },
];

const { positionals, values } = parseArgs({ allowPositionals: true, options: { only: { type: 'string' } } });
process.exitCode = (await runAll(positionals.length > 0 ? positionals : otherVersions())) ? 0 : 1;

/** Whether all passed. */
async function runAll(versions: readonly string[]): Promise<boolean> {
  const logs = mkdtempSync(join(tmpdir(), 'capabilitypolicy-versions-'));
  const runs = RUNS.filter(({ name }) => values.only === undefined || name.includes(values.only));
  const table = new Map<string, Outcome[]>(runs.map(({ name }) => [name, []]));
  for (const version of versions) {
    const environment = { ...process.env, KUBERNETES_VERSION: version };
    await findBinaries(environment);
    for (const run of runs) {
      const { code, output } = await execute(run.command, environment);
      const log = join(logs, `${version}-${run.name.replaceAll(/\W+/g, '-')}.log`);
      writeFileSync(log, output);
      const outcome = { ok: code === 0, summary: run.summary(output, code) };
      table.get(run.name)?.push(outcome);
      console.log(
        `${kubernetesVersion(environment)}  ${run.name}: ${outcome.summary}${outcome.ok ? '' : `  (${log})`}`,
      );
    }
  }
  console.log(`\n${markdown(versions, table)}`);
  return [...table.values()].flat().every(({ ok }) => ok);
}

/** Runs a command with the project's Node, in a process of its own: each starts a control plane. */
async function execute(command: readonly string[], env: NodeJS.ProcessEnv): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, [PREFLIGHT, ...command], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? 1));
  });
  return { code, output };
}

function counts(output: string, code: number): string {
  const [, passed, failed] = CLOSING_LINE.exec(output) ?? [];
  return passed === undefined ? `exit code ${code}, no test ended` : `${passed} passed, ${failed} failed`;
}

/** The sums of test/differential/report.ts's columns. */
function differing(output: string): string {
  const rows = output.split('\n').map((line) => line.trim().split(/\s+/));
  const contests = rows.filter((row) => /^\d+$/.test(row.at(-1) ?? '') && row.length === 8);
  const sum = (column: number) => contests.reduce((total, row) => total + Number(row.at(column)), 0);
  return `${contests.length} policies, ${sum(-6)} pods, ${sum(-2)} differences`;
}

function lastLine(output: string): string {
  return output.trimEnd().split('\n').at(-1) ?? '';
}

function markdown(versions: readonly string[], table: ReadonlyMap<string, readonly Outcome[]>): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const header = ['', ...versions.map((version) => kubernetesVersion({ KUBERNETES_VERSION: version }))];
  const rows = [...table].map(([name, outcomes]) => row([name, ...outcomes.map(({ summary }) => summary)]));
  return [row(header), row(header.map(() => '---')), ...rows].join('\n');
}
