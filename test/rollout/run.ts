/**
 * `npm run test:rollout` prints a line for each count, and a summary at the end. The command exits with code 1 if
 * something went wrong.
 */
import { Api } from '../../hack/controlplane/api.ts';
import { startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { argumentsOrExit } from '../../hack/options-or-exit.ts';
import { campaign } from './campaign.ts';

const HELP = `Usage: npm run test:rollout -- [options]

Rolls a policy out over many namespaces while clients create, break and repair workloads and operators are killed.

  --namespaces N       (default: 500)
  --violating PERCENT  of the namespaces, at the beginning (default: 8)
  --soak SECONDS       (default: 30)
  --per-hour N         namespaces that may be promoted in an hour (default: 9000)
  --minutes N          clients change the cluster for this long (default: 6)
  --kills N            of operators (default: 20)
  --seed S             repeats the draws of another run; their moments differ (default: random)
`;

const { values } = argumentsOrExit('test:rollout', HELP, {
  options: {
    namespaces: { type: 'string', default: '500' },
    violating: { type: 'string', default: '8' },
    soak: { type: 'string', default: '30' },
    'per-hour': { type: 'string', default: '9000' },
    minutes: { type: 'string', default: '6' },
    kills: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});

await run();

async function run(): Promise<void> {
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  const seed = number('seed');
  say(`rollout with seed ${seed}`);
  const controlPlane = await startControlPlane({ quiet: true });
  const api = new Api(controlPlane.kubeconfig);
  try {
    const { failures, summary } = await campaign(controlPlane, api, {
      seed,
      namespaces: number('namespaces'),
      violatingPercent: number('violating'),
      soakMs: number('soak') * 1_000,
      namespacesPerHour: number('per-hour'),
      durationMs: number('minutes') * 60_000,
      kills: number('kills'),
      countEveryMs: 60_000,
      say,
    });
    say(summary);
    for (const failure of failures) say(`FAILED: ${failure}`);
    process.exitCode = failures.length === 0 ? 0 : 1;
  } finally {
    await api.close();
    await controlPlane.stop();
  }
}

function number(flag: Exclude<keyof typeof values, 'help'>): number {
  const value = Number(values[flag]);
  if (!(value >= 0)) throw new Error(`--${flag}: ${JSON.stringify(values[flag])} is not a number of at least 0`);
  return value;
}
