/**
 * `npm run test:changes` runs the long form of changes.test.ts. The command prints one line for each change, and the
 * counts at the end. The command exits with code 1 if a verdict was wrong.
 */
import { argumentsOrExit } from '../../../hack/options-or-exit.ts';
import { changes } from './changes.ts';

const HELP = `Usage: npm run test:changes -- [options]

Changes policies and labels of namespaces at random, kills the operator before and after its writes and API servers, and
applies a file of policies in a random order, while clients create pods. Counts the wrong verdicts.

  --changes N     random changes (default: 60; 0 for none)
  --file N        policies of the file: one for all, and its exceptions (default: 200; 0 for none)
  --namespaces N  namespaces in which clients create pods (default: 12)
  --policies N    policies that the random changes write (default: 10)
  --no-kills      nobody is killed
  --seed S        repeats the changes of another run; their moments differ (default: random)
`;

const { values } = argumentsOrExit('test:changes', HELP, {
  options: {
    changes: { type: 'string', default: '60' },
    file: { type: 'string', default: '200' },
    namespaces: { type: 'string', default: '12' },
    policies: { type: 'string', default: '10' },
    'no-kills': { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});

await run();

async function run(): Promise<void> {
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  const seed = number('seed');
  say(`changes with seed ${seed}`);
  const { counts, kills, wrong } = await changes({
    seed,
    changes: number('changes'),
    file: number('file'),
    namespaces: number('namespaces'),
    policies: number('policies'),
    kills: !values['no-kills'],
    say,
  });
  say(`pods: ${JSON.stringify(counts)}; kills: ${JSON.stringify(kills)}`);
  for (const { text } of wrong.slice(0, 50)) say(`WRONG: ${text}`);
  const by = (verdict: 'admitted' | 'refused') => wrong.filter((one) => one.verdict === verdict).length;
  say(`${by('refused')} refused that all states admit, ${by('admitted')} admitted that all refuse`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}

function number(flag: 'seed' | 'changes' | 'file' | 'namespaces' | 'policies'): number {
  const text = values[flag];
  if (!/^\d+$/.test(text)) throw new Error(`--${flag}: ${JSON.stringify(text)} is not a number`);
  return Number(text);
}
