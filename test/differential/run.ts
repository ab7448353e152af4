/**
 * `npm run test:differential` runs the long forms of the differential tests. Part a is differential.test.ts. All other
 * parts except `schema` and `static` are in policies.test.ts.
 */
import { startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { SERVER_MINOR } from '../../hack/controlplane/version.ts';
import { argumentsOrExit } from '../../hack/options-or-exit.ts';
import { parseVersion } from '../../operator/standards/level-version.ts';
import { offers } from '../../operator/standards/server-features.ts';
import { ALPHA_FLAGS } from '../support/alpha.ts';
import { randomPods } from '../support/random-pods.ts';
import { schemaPods } from '../support/schema-pods.ts';
import { Arena, createPod } from './arena.ts';
import { type DifferentialCase, OVERRIDDEN, plain, VERSIONS } from './cases.ts';
import { compare, type Outcome } from './compare.ts';
import { PARTS, runPart, SIZES } from './policies/parts.ts';
import { explain, HEADER, line, total } from './report.ts';
import { compareStatic } from './static/compare.ts';

const HELP = `Usage: npm run test:differential -- [options]

Evaluates random objects by the operator's code and by a real API server. Prints the number of evaluated objects and
each difference, and exits with 1 if there is a difference.

  --part PART      a (default), schema, static, ${PARTS.join(', ')}; schema is like a, but
                   its pods have any fields of the API
  --runs N         pods, policies, sets, steps or topologies (default: 200)
  --overrides N    pods for each policy with overrides in part a (default: those of --runs)
  --versions LIST  versions of the Standards in parts a and schema, as in 1.0,1.36 (default: all)
  --policies N, --namespaces N, --pods N, --meeting N
                   sizes of each topology
  --seed S         repeats another run (default: random)
`;

const { values } = argumentsOrExit('test:differential', HELP, {
  options: {
    runs: { type: 'string', default: '200' },
    overrides: { type: 'string' },
    seed: { type: 'string' },
    versions: { type: 'string' },
    part: { type: 'string', default: 'a' },
    policies: { type: 'string' },
    namespaces: { type: 'string' },
    pods: { type: 'string' },
    meeting: { type: 'string' },
  },
});

process.exitCode = (await run()) ? 0 : 1;

/** Whether the engines agreed about every pod. */
async function run(): Promise<boolean> {
  const runs = wholeNumber('--runs', values.runs);
  const runsOfOverrides = values.overrides === undefined ? runs : wholeNumber('--overrides', values.overrides);
  const seed = values.seed === undefined ? Date.now() % 2 ** 31 : wholeNumber('--seed', values.seed);
  if (values.part !== 'a' && values.part !== 'schema') return runOtherPart(runs, seed);
  const objects = values.part === 'schema' ? schemaPods() : randomPods();
  const levels = versions(values.versions).flatMap((minor) => [plain('baseline', minor), plain('restricted', minor)]);
  const cases = values.part === 'schema' ? levels : [...levels, ...OVERRIDDEN];
  const controlPlane = await startControlPlane({ apiServerFlags: ALPHA_FLAGS });
  const outcomes: Outcome[] = [];
  try {
    console.log(HEADER);
    for (const together of batches(cases)) {
      const arena = new Arena(controlPlane.kubeconfig, together);
      await arena.open();
      for (const compared of together) {
        const plan = {
          compared,
          objects,
          ask: createPod,
          runs: compared.exact ? runs : runsOfOverrides,
          seed,
        };
        const outcome = await compare(arena, plan);
        outcomes.push(outcome);
        console.log(line(outcome));
        for (const difference of outcome.differences) console.log(explain(outcome, difference));
      }
      await arena.close();
    }
    console.log(total(outcomes, seed));
    return outcomes.every(({ differing }) => differing === 0);
  } finally {
    await controlPlane.stop();
  }
}

/**
 * The cases, split into batches that are in force at the same time. Without variables, a program with several large
 * policies has no room for details in its messages. The test needs the details to compare the engines.
 */
function batches(cases: readonly DifferentialCase[]): readonly (readonly DifferentialCase[])[] {
  return offers(SERVER_MINOR, 'admissionVariables') ? [cases] : cases.map((one) => [one]);
}

async function runOtherPart(runs: number, seed: number): Promise<boolean> {
  if (values.part === 'static') return runStatic(runs, seed);
  const part = PARTS.find((one) => one === values.part);
  if (part === undefined)
    throw new Error(`--part: ${JSON.stringify(values.part)} is none of a, schema, static, ${PARTS.join(', ')}`);
  const size = (of: keyof typeof SIZES) => (values[of] === undefined ? SIZES[of] : wholeNumber(`--${of}`, values[of]));
  const sizes = {
    policies: size('policies'),
    namespaces: size('namespaces'),
    pods: size('pods'),
    meeting: size('meeting'),
  };
  return runPart(part, runs, seed, sizes);
}

async function runStatic(runs: number, seed: number): Promise<boolean> {
  const { differences, ...counts } = await compareStatic(runs, seed, { whole: true });
  console.log(JSON.stringify({ seed, ...counts, differences: differences.length }));
  for (const difference of differences) console.log(difference);
  return differences.length === 0 && Object.values(counts.starts.files).every(({ admitted }) => admitted === 0);
}

function versions(list: string | undefined): readonly number[] {
  if (list === undefined) return VERSIONS;
  return list.split(',').map((text) => {
    const minor = parseVersion(text.startsWith('v') ? text : `v${text}`);
    if (minor === undefined) throw new Error(`--versions: ${JSON.stringify(text)} is not a version such as 1.30`);
    return minor;
  });
}

function wholeNumber(flag: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`${flag}: ${JSON.stringify(text)} is not a number`);
  return Number(text);
}
