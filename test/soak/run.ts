/**
 * `npm run test:soak` runs the long form of soak.test.ts. The command prints one line for each check, and a summary at
 * the end. The command exits with code 1 if a check failed.
 */
import { argumentsOrExit } from '../../hack/options-or-exit.ts';
import { soak } from './soak.ts';

const HELP = `Usage: npm run test:soak -- [options]

Changes a cluster at random for a while, with two operators behind proxies that make everything fail.

  --minutes N  rounds begin for this long (default: 20); less than 10 say nothing about memory
  --seed S     repeats the changes of another run; their moments differ (default: random)
`;

const { values } = argumentsOrExit('test:soak', HELP, {
  options: {
    minutes: { type: 'string', default: '20' },
    seed: { type: 'string' },
  },
});

await run(positive('--minutes', values.minutes), positive('--seed', values.seed ?? String(Date.now() % 1_000_000)));

async function run(minutes: number, seed: number): Promise<void> {
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  say(`soak with seed ${seed}`);
  const { failures, summary } = await soak({
    seed,
    durationMs: minutes * 60_000,
    leastRounds: 3,
    roundMs: 45_000,
    disturbancesOfRound: 3,
    // Each silence of a watch lasts at least half of this time. A client trusts a silent watch for less than half of
    // this time.
    silenceMs: 320_000,
    namespaces: 12,
    policies: 8,
    say,
  });
  say(summary);
  for (const failure of failures) say(`FAILED: ${failure}`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${flag}: ${JSON.stringify(text)} is not a positive number`);
  return value;
}
