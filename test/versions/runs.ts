/** Lists the runs of `npm run test:versions` on each version of Kubernetes, and parses the result of each run. */
import { type LeftOut, leftOutIn } from '../support/needs.ts';
import type { Ended } from './execute.ts';

export interface Run {
  readonly name: string;
  readonly command: readonly string[];
  /**
   * The summary of the output for the table. If the output has no summary, the function `summary` returns undefined.
   */
  summary(output: string): string | undefined;
}

export interface RunResult {
  readonly ok: boolean;
  readonly summary: string;
  readonly leftOut: readonly LeftOut[];
}

/** Suites whose results depend on the API server, and may differ between versions. */
const SUITES = [
  'crd/crd',
  'integration/decisions',
  'integration/workloads',
  'integration/ephemeral',
  'integration/guard',
  'integration/guard-changes',
  'integration/bypass',
  'integration/conditional-authorization',
  'integration/labels',
  'integration/drift',
  'integration/deletion',
  'integration/expiry',
  'integration/expiry-running',
  'integration/status',
  'integration/transitions',
  'attacks/attacks',
  'attacks/availability',
];
const DEMO: Run = {
  name: 'demo',
  command: ['hack/demo/demo.ts', '--once'],
  summary: (output) => (/^The demo took/m.test(output) ? 'run to its end' : undefined),
};
const DIFFERENTIAL = 'test/differential/run.ts';
/** The number of objects that test/differential/run.ts evaluates. */
const SHORT = { podsOfLevel: 20, podsOfOverrides: 20, randomPolicies: 8 };
const FULL = { podsOfLevel: 1000, podsOfOverrides: 100, randomPolicies: 100 };
export const CLOSING_LINE = /^(\d+ passed, \d+ failed)$/m;
/** Matches a line of test/differential with the numbers of a differential test. */
const TALLY = /^[\w ]+: (seed \d+, .* (differences|missing))$/gm;

/** @param full whether to run the long differential tests */
export function runsOf({ full, seed }: { full: boolean; seed: string }): readonly Run[] {
  const { podsOfLevel, podsOfOverrides, randomPolicies } = full ? FULL : SHORT;
  return [
    ...SUITES.map((suite) => suiteRun([suite])),
    DEMO,
    {
      name: 'differential of levels and overrides',
      command: [DIFFERENTIAL, '--runs', `${podsOfLevel}`, '--overrides', `${podsOfOverrides}`, '--seed', seed],
      summary: tally,
    },
    {
      name: 'differential of random policies',
      command: [DIFFERENTIAL, '--part', 'b', '--runs', `${randomPolicies}`, '--seed', seed],
      summary: tally,
    },
  ];
}

/**
 * @param suites the paths of test files relative to test, without the ending `.test.ts`. The files share one control
 * plane.
 */
export function suiteRun(suites: readonly string[]): Run {
  return {
    name: suites.join(', '),
    command: ['mocha', ...suites.map((suite) => `test/${suite}.test.ts`)],
    summary: (output) => CLOSING_LINE.exec(output)?.[1],
  };
}

export function resultOf(run: Run, { code, output }: Pick<Ended, 'code' | 'output'>): RunResult {
  const summary = run.summary(output);
  return {
    ok: code === 0 && summary !== undefined,
    summary: summary ?? `ended early, with exit code ${code}`,
    leftOut: leftOutIn(output),
  };
}

function tally(output: string): string | undefined {
  const lines = Array.from(output.matchAll(TALLY), ([, counts = '']) => counts);
  return lines.length > 0 ? lines.join('; ') : undefined;
}
