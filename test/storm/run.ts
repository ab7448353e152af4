/**
 * `npm run test:storm` changes policies while clients create pods. The storm runs on several Kubernetes versions, one
 * after the other.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatTable } from '../../hack/bench/table.ts';
import { findBinaries, kubernetesVersion } from '../../hack/controlplane/binaries.ts';
import { argumentsOrExit } from '../../hack/options-or-exit.ts';
import type { Rendering, StormOptions, StormResult } from './storm.ts';

const HELP = `Usage: npm run test:storm -- [options] [VERSION...]

Changes policies as fast as they come into force while clients create pods, and counts wrong verdicts and crashes of
kube-apiserver. Prints why each crash happened, and a table. Exits with 1 after a crash or a wrong verdict.

  VERSION...          Kubernetes versions (default: 1.30 1.33 1.35); the first time, each is built
  --changes N         ends after N changes of policies (default: 2000)
  --minutes M         ends after M minutes (default: 20)
  --crashes N         ends after N crashes (default: 3)
  --rendering FORM    auto: what the operator renders for the version (default)
                      variables: what it renders from Kubernetes 1.36 on, which crashes older API servers; exits with 0
  --logs DIR          where the servers' logs stay (default: a new folder)
`;

const { values, positionals } = argumentsOrExit('test:storm', HELP, {
  allowPositionals: true,
  options: {
    versions: { type: 'string' },
    changes: { type: 'string', default: '2000' },
    minutes: { type: 'string', default: '20' },
    crashes: { type: 'string', default: '3' },
    rendering: { type: 'string', default: 'auto' },
    logs: { type: 'string' },
  },
});

await run([...(values.versions === undefined ? [] : [values.versions]), ...positionals]);

async function run(asked: readonly string[]): Promise<void> {
  const versions = asked.length > 0 ? asked : ['1.30', '1.33', '1.35'];
  const rendering = renderingOf(values.rendering);
  const logs = values.logs ?? mkdtempSync(join(tmpdir(), 'capabilitypolicy-storm-'));
  const results: [version: string, result: StormResult][] = [];
  for (const version of versions) {
    const environment = { ...process.env, KUBERNETES_VERSION: version };
    await findBinaries(environment);
    const name = kubernetesVersion(environment);
    console.log(`${name}, rendering ${rendering}`);
    results.push([
      name,
      await stormOn(environment, {
        rendering,
        changes: positive('--changes', values.changes),
        durationMs: positive('--minutes', values.minutes) * 60_000,
        crashes: positive('--crashes', values.crashes),
        logDir: join(logs, `${name}-${rendering}`),
      }),
    ]);
  }
  console.log(`\n${table(rendering, results)}`);
  for (const [name, { wrong }] of results) for (const line of wrong) console.log(`${name}: ${line}`);
  const bad = results.some(([, { crashes, pods }]) => crashes.length > 0 || pods.wrong > 0);
  process.exitCode = bad && rendering === 'auto' ? 1 : 0;
}

/** Runs a storm in a separate process, because each process has only one version of the control plane. */
async function stormOn(env: NodeJS.ProcessEnv, options: Omit<StormOptions, 'say'>): Promise<StormResult> {
  const child = fork(join(import.meta.dirname, 'one.ts'), [JSON.stringify(options)], { env });
  let result: StormResult | undefined;
  child.on('message', (message) => (result = message as StormResult));
  await once(child, 'close');
  if (result === undefined) throw new Error('the storm ended early: see above');
  return result;
}

function table(rendering: Rendering, results: readonly [string, StormResult][]): string {
  return formatTable({
    title: 'Policies that change while pods are created',
    columns: [
      ...['version', 'rendering', 'seconds', 'policy changes', 'admission policies written', 'pods', 'admitted'],
      ...['refused', 'created', 'unanswered', 'wrong verdicts', 'crashes'],
    ],
    rows: results.map(([version, { seconds, changes, admissionPolicies, pods, crashes }]) => {
      const { admitted, refused, real, unanswered, wrong } = pods;
      const sent = admitted + refused + unanswered;
      const counts = [changes, admissionPolicies || '–', sent, admitted, refused, real, unanswered, wrong];
      return [version, rendering, seconds.toFixed(0), ...counts.map(String), String(crashes.length)];
    }),
    notes: ['Created: the pods that were no dry run. Unanswered: while kube-apiserver was down or started.'],
    measured: results,
  });
}

function renderingOf(text: string): Rendering {
  if (text === 'auto' || text === 'variables') return text;
  throw new Error(`--rendering ${text}: write auto or variables`);
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${flag} ${text}: not a positive number`);
  return value;
}
