/**
 * Tests the differences that `cappol check --cluster --policy` finds for all pods, in addition to running workloads.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { Ajv } from 'ajv';
import fc, { type Arbitrary } from 'fast-check';
import { dump, load } from 'js-yaml';
import { compare } from '../../analysis/compare/compare.ts';
import { DEFAULT_LIMIT } from '../../analysis/compare/limits.ts';
import { validatePolicy } from '../../analysis/policies/validate.ts';
import { type ChangesOptions, showChanges } from '../../cli/commands/check/changes.ts';
import { lateIn } from '../../cli/commands/compare/late-in.ts';
import { EXCLUDED_NAMESPACES, OPERATOR_NAMESPACE } from '../../operator/model/namespaces.ts';
import { MODES } from '../../operator/policy/deciding.ts';
import { FEW_OVERRIDES, type Spec, type Specs, setOf } from '../compare/sets.ts';
import { namespaceView } from '../compare/worlds.ts';
import { cappol, type Ran } from '../support/cappol.ts';
import { policy, writtenPolicy } from '../support/policies.ts';
import { SELECTOR } from '../support/random-selectors.ts';
import { SEED } from '../support/seed.ts';
import { clusterOf, SERVER, wholeCluster } from '../support/views.ts';

const RUNS = Number(process.env.OPENED ?? 4);
/** The test leaves out pairs of policy sets whose comparison takes longer than this time. */
const PAIR_MS = RUNS >= 100 ? 600_000 : 3_000;
const REFERENCE = join(import.meta.dirname, '..', '..', 'docs', 'reference');
const [CHECK, COMPARE, CHANGES] = ['check.schema.json', 'compare.schema.json', 'check-changes.schema.json'].map(
  (name) => JSON.parse(readFileSync(join(REFERENCE, name), 'utf8')) as object,
) as [object, object, object];
const isDocumented = new Ajv({ strict: false, schemas: [CHECK, COMPARE] }).compile(CHANGES);

// biome-ignore lint/suspicious/noExplicitAny: tests read any field of the output of -o json
type Json = any;

const TEAM = { matchLabels: { team: 'net' } };
const BOUND: Spec = { usableBy: 'Bindings', namespaceSelector: TEAM };
const NAMESPACES = [
  ...['web', 'net', 'db'].map((name) => namespaceView(name, { labels: labels(name, 'net') })),
  namespaceView('shop'),
  namespaceView('going', { labels: labels('going', 'net'), terminating: true }),
  namespaceView('kube-system', { labels: labels('kube-system', 'net') }),
];

function labels(name: string, team: string) {
  return { 'kubernetes.io/metadata.name': name, team };
}

const OPTIONS: ChangesOptions = {
  policy: ['-'],
  output: 'table',
  failOn: new Set(MODES),
  namespaceLabels: {},
  serverVersion: SERVER,
  operatorNamespace: OPERATOR_NAMESPACE,
  excludedNamespaces: EXCLUDED_NAMESPACES,
};

interface Given extends Partial<ChangesOptions> {
  readonly namespace?: string;
  /** The namespaces of the cluster. The default is NAMESPACES. */
  readonly namespaces?: Parameters<typeof wholeCluster>[2];
  /** Further manifests in the file of the candidates. */
  readonly beside?: readonly object[];
}

/** The output for a cluster that has the live policies and no workloads. */
async function shown(live: Specs, candidates: Specs, given: Given = {}): Promise<Ran> {
  const { namespace, namespaces = NAMESPACES, beside = [], ...options } = given;
  const policies = Object.entries(live).map(([name, spec]) => policy(name, spec));
  const written = { stdout: '', stderr: '' };
  const into = (stream: keyof typeof written) =>
    new Writable({
      write(chunk, _encoding, done) {
        written[stream] += chunk;
        done();
      },
    });
  const io = {
    stdin: Readable.from([textOf(candidates, beside)]),
    stdout: into('stdout'),
    stderr: into('stderr'),
    env: {},
    cwd: import.meta.dirname,
    signal: new AbortController().signal,
  };
  const cluster = wholeCluster(clusterOf([]), policies, namespaces);
  const code = await showChanges({ ...OPTIONS, ...options }, io, { cluster, clusterRoles: [], namespace });
  return { code, ...written };
}

function textOf(specs: Specs, beside: readonly object[] = []): string {
  const policies = Object.entries(specs).map(([name, spec]) => writtenPolicy(name, spec));
  return [...policies, ...beside].map((one) => dump(one, { noRefs: true })).join('---\n');
}

/** The lines about the differences for all pods. The preceding line of the output is about running workloads. */
function linesAboutOpens({ stdout }: Pick<Ran, 'stdout'>): string[] {
  const lines = stdout.trimEnd().split('\n');
  return lines.slice(lines.findIndex((line) => line.startsWith('the policy set with ')));
}

async function inJson(live: Specs, candidates: Specs, given: Given = {}): Promise<Json> {
  const { stdout } = await shown(live, candidates, { ...given, output: 'json' });
  const json = JSON.parse(stdout);
  assert.ok(isDocumented(json), JSON.stringify(isDocumented.errors));
  return json;
}

const HINT = '-o wide shows the smallest pod for each difference';
const PROVED = (candidates: string) =>
  `the policy set with ${candidates} opens nothing: the live policy set admits every pod that the policy set with ${candidates} admits (proved)`;
const FOUND = (candidates: string, found: string) =>
  `the policy set with ${candidates} admits pods that the live policy set refuses: ${found}`;

interface Row {
  readonly title: string;
  readonly live: Specs;
  readonly candidates: Specs;
  readonly lines: readonly string[];
  readonly given?: Given;
}

const ROWS: readonly Row[] = [
  { title: 'the live policy itself', live: { a: {} }, candidates: { a: {} }, lines: [PROVED('a')] },
  {
    title: 'a rollout for a policy that is already enforced, because no namespace can become pending',
    live: { a: { level: 'baseline' } },
    candidates: { a: { level: 'baseline', rollout: {} as never } },
    lines: [PROVED('a')],
  },
  {
    title: 'a stricter policy in place of the live policy',
    live: { a: { level: 'baseline' } },
    candidates: { a: {} },
    lines: [PROVED('a')],
  },
  {
    title: 'an override in place of the live policy',
    live: { a: {} },
    candidates: { a: { overrides: { hostPID: true } } },
    lines: [
      FOUND('a', '1 difference, and no others'),
      'OPENS  rule hostPID, in every namespace: admitted by policy a; 4 such namespaces in the cluster: db, net, shop and 1 more',
      HINT,
    ],
  },
  {
    title: 'an exception for some users in some namespaces',
    live: { a: {} },
    candidates: { b: { ...BOUND, overrides: { hostIPC: true } } },
    lines: [
      FOUND('b', '1 difference, and no others'),
      'OPENS  rule hostIPC, in namespaces with team=net, for users who may use policy b: admitted by policy b; 3 such namespaces in the cluster: db, net, web',
      HINT,
    ],
  },
  {
    title: 'an exception for namespaces that the cluster does not have',
    live: { a: {} },
    candidates: { b: { namespaceSelector: { matchLabels: { team: 'new' } }, overrides: { hostIPC: true } } },
    lines: [
      FOUND('b', '1 difference, and no others'),
      'OPENS  rule hostIPC, in namespaces with team=new: admitted by policy b; the cluster has no such namespace',
      HINT,
    ],
  },
  {
    title: 'a selector that leaves out a namespace by name',
    live: { a: { level: 'baseline' } },
    candidates: {
      a: {
        level: 'baseline',
        namespaceSelector: {
          matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['shop'] }],
        },
      },
    },
    lines: [
      FOUND('a', '1 difference'),
      /^OPENS {2}rule \w+, in namespace shop: admitted, because no policy decides; 1 such namespace in the cluster: shop$/
        .source,
      HINT,
    ],
  },
  {
    title: 'a selector that requires the label kubernetes.io/metadata.name, which every namespace has',
    live: { a: {} },
    candidates: {
      b: {
        namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'Exists' }] },
        overrides: { hostPID: true },
      },
    },
    lines: [
      FOUND('b', '1 difference, and no others'),
      'OPENS  rule hostPID, in every namespace: admitted by policy b; 4 such namespaces in the cluster: db, net, shop and 1 more',
      HINT,
    ],
  },
  {
    title: 'mode Audit in place of mode Enforce',
    live: { a: { level: 'baseline' } },
    candidates: { a: { level: 'baseline', mode: 'Audit' } },
    lines: [
      FOUND('a', '1 difference'),
      /^OPENS {2}rule \w+, in every namespace: admitted, because no policy decides; 4 such namespaces in the cluster: db, net, shop and 1 more$/
        .source,
      'modes Warn and Audit refuse nothing and are not compared: a',
      HINT,
    ],
  },
  {
    title: 'an exception that is tried in mode Audit',
    live: { a: {} },
    candidates: { b: { level: 'privileged', mode: 'Audit' } },
    lines: [PROVED('b'), 'modes Warn and Audit refuse nothing and are not compared: b'],
  },
  {
    title: 'a rollout of a policy that is new',
    live: { a: { level: 'baseline' } },
    candidates: { b: { rollout: {} } },
    lines: [PROVED('b')],
  },
  {
    title: 'a policy that expires',
    live: { a: {} },
    candidates: { b: { priority: 1, expires: '2099-01-01T00:00:00Z' } },
    lines: [PROVED('b'), 'the answer holds until 2099-01-01T00:00:00Z, when a policy expires'],
  },
  {
    title: 'several candidates',
    live: { a: {} },
    candidates: { b: {}, c: {}, d: {}, e: { namespaceSelector: TEAM } },
    lines: [PROVED('b, c, d and 1 more')],
  },
  {
    title: '-n with a namespace that belongs to the class',
    live: { a: {} },
    candidates: { b: { namespaceSelector: TEAM, overrides: { hostIPC: true } } },
    given: { namespace: 'net' },
    lines: [
      FOUND('b', '1 difference, and no others'),
      'OPENS  rule hostIPC, in namespaces with team=net: admitted by policy b; namespace net is such a namespace',
      HINT,
    ],
  },
  {
    title: '-n with a namespace that does not belong to the class',
    live: { a: {} },
    candidates: { b: { namespaceSelector: TEAM, overrides: { hostIPC: true } } },
    given: { namespace: 'shop' },
    lines: [
      FOUND('b', '1 difference, and no others'),
      'OPENS  rule hostIPC, in namespaces with team=net: admitted by policy b; namespace shop is not such a namespace',
      HINT,
    ],
  },
  {
    title: 'a role in the file of a candidate',
    live: { a: {} },
    candidates: { a: {} },
    given: {
      beside: [{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'r' }, rules: [] }],
    },
    lines: [PROVED('a'), 'only policies are compared, not the namespaces, roles and bindings in the files'],
  },
];

describe('what candidates open', function () {
  this.timeout(60_000);

  for (const { title, live, candidates, lines, given } of ROWS) {
    it(`is printed in one line for each rule, class of namespaces and users: ${title}`, async () => {
      const printed = linesAboutOpens(await shown(live, candidates, given));
      assert.equal(printed.length, lines.length, printed.join('\n'));
      for (const [i, line] of lines.entries()) {
        if (line.startsWith('^')) assert.match(printed[i] ?? '', new RegExp(line));
        else assert.equal(printed[i], line);
      }
    });
  }

  it('check prints at most 20 lines of a list, and all lines with -o wide', async () => {
    const teams = Array.from({ length: 11 }, (_, i): [string, Spec] => [
      `e${i}`,
      { namespaceSelector: { matchLabels: { team: `t${i}` } }, overrides: { hostIPC: true, hostPID: true } },
    ]);
    const args = [{ a: {} }, Object.fromEntries(teams)] as const;
    const lines = linesAboutOpens(await shown(...args));
    const isOpening = (line: string) => line.startsWith('OPENS');
    assert.deepEqual(
      [lines.filter(isOpening).length, lines.slice(-3)],
      [20, ['… and 2 more', HINT, '-o wide shows all lines']],
    );
    const wide = linesAboutOpens(await shown(...args, { output: 'wide' }));
    assert.equal(wide.slice(0, wide.indexOf('')).filter(isOpening).length, 22);
  });

  it('check counts a namespace by the rollout label that the namespace will have', async () => {
    // Policy a is already enforced in the namespaces with the label team=net. In namespace shop, policy a will be
    // pending.
    const live: Specs = { a: { level: 'baseline', namespaceSelector: TEAM }, b: {} };
    const { opens } = await inJson(live, { a: { level: 'baseline', rollout: {} }, b: { mode: 'Audit' } });
    const namespaces = new Map(
      opens.map((one: Json) => [JSON.stringify(one.namespace.labels), one.namespaces.join()] as const),
    );
    assert.deepEqual(
      [...namespaces],
      [
        ['{}', ''],
        ['{"rollout.capabilitypolicy.dev/a":"pending"}', 'shop'],
      ],
    );
  });

  it('check counts a namespace without the rollout label, if the policy was enforced without a rollout', async () => {
    const pending = { 'rollout.capabilitypolicy.dev/a': 'pending' };
    const labelled = namespaceView('labelled', { labels: { ...labels('labelled', 'net'), ...pending } });
    const candidates: Specs = { a: { level: 'baseline', rollout: {} as never } };
    const { opens } = await inJson({ a: {} }, candidates, { namespaces: [labelled] });
    assert.ok(opens.length > 0);
    for (const { namespace, namespaces } of opens) assert.deepEqual([namespace.labels, namespaces], [{}, ['labelled']]);
  });

  it('the JSON lists differences in the same form as cappol compare, with the namespaces, and the YAML equals the JSON', async () => {
    const args = [{ a: {} }, { b: { ...BOUND, overrides: { hostIPC: true } } }] as const;
    const { opens, undecided } = await inJson(...args);
    const [{ namespace, use, rules, pod, before, after, namespaces }] = opens;
    assert.deepEqual(
      { namespace, use, rules, namespaces },
      { namespace: { labels: { team: 'net' } }, use: ['b'], rules: ['hostIPC'], namespaces: ['db', 'net', 'web'] },
    );
    assert.deepEqual([pod.spec.hostIPC, before.admitted, after.admitted, after.policy], [true, false, true, 'b']);
    assert.deepEqual(undecided, []);
    const { stdout } = await shown(...args, { output: 'yaml' });
    assert.deepEqual((load(stdout) as Json).opens, opens);
  });

  it('has the smallest pods with -o wide', async () => {
    const { stdout } = await shown({ a: {} }, { a: { overrides: { hostPID: true } } }, { output: 'wide' });
    assert.match(stdout, /^OPENS {2}rule hostPID, in every namespace: admitted by policy a; 4 such namespaces /m);
    assert.match(
      stdout,
      /^OPENS {2}rule hostPID, in every namespace\n {2}refused before by policy a:\n {4}- pod must not set hostPID=true\n/m,
    );
    assert.match(stdout, /^ {6}name: witness\n {4}spec:\n {6}hostPID: true$/m);
    assert.doesNotMatch(stdout, new RegExp(HINT));
  });

  it('in Markdown, the differences are above the tables, and the pods are in a collapsed section', async () => {
    const { stdout } = await shown({ a: {} }, { a: { overrides: { hostPID: true } } }, { output: 'markdown' });
    assert.match(
      stdout,
      /^`the policy set with a admits pods that the live policy set refuses: 1 difference, and no others`\n\n- \*\*opens\*\* `rule hostPID, in every namespace: admitted by policy a; 4 such namespaces .*`$/m,
    );
    assert.match(
      stdout,
      /<details><summary>The smallest pod for each difference<\/summary>\n\n\*\*opens\*\* `rule hostPID, /,
    );
    assert.ok(stdout.indexOf('**opens**') < stdout.indexOf('<summary>Namespaces'));
    assert.match(
      (await shown({ a: {} }, { a: {} }, { output: 'markdown' })).stdout,
      /^`the policy set with a opens nothing: .* \(proved\)`$/m,
    );
  });

  it('differences change the exit code only with --fail-on Opens', async () => {
    const opens: Given = { failOn: new Set(['Opens'] as const) };
    const all: Given = { failOn: new Set([...MODES, 'Opens'] as const) };
    const codes = async (live: Specs, candidates: Specs) =>
      Promise.all([{}, opens, all].map(async (given) => (await shown(live, candidates, given)).code));
    assert.deepEqual(await codes({ a: {} }, { a: { level: 'privileged' } }), [0, 1, 1]);
    assert.deepEqual(await codes({ a: {} }, { a: {} }), [0, 0, 0]);
    assert.deepEqual(await codes({ a: {}, ...bound(11) }, { b0: { ...BOUND, level: 'baseline' } }), [0, 2, 2]);
  });

  it('check names each undecided question instead of a proof that no pod is newly admitted', async () => {
    const args = [{ a: {}, ...bound(11) }, { b0: { ...BOUND, level: 'baseline' } }] as const;
    const [summary, ...lines] = linesAboutOpens(await shown(...args));
    assert.match(summary ?? '', /^the policy set with b0 admits pods .*: none was found; \d+ questions? not decided$/);
    assert.match(lines[0] ?? '', /^NOT DECIDED {2}opens, in namespaces with team=net: more than 10 policies /);
    const { opens, undecided } = await inJson(...args);
    assert.deepEqual([opens.length, undecided[0].namespace], [0, { labels: { team: 'net' } }]);
    const { stdout } = await shown(...args, { output: 'markdown' });
    assert.match(stdout, /^- \*\*not decided\*\* `opens, in namespaces with team=net: more than 10 policies /m);
  });

  it('check does not search for newly admitted pods if a policy has an error', async () => {
    const wrong = { a: {}, b: { levelVersion: 'v1.99' } };
    const { code, stdout, stderr } = await shown({ a: { overrides: { hostPID: true } } }, wrong);
    assert.equal(code, 2);
    assert.match(stderr, /v1\.99/);
    assert.deepEqual(linesAboutOpens({ stdout }), [
      'the policy set with a, b admits pods that the live policy set refuses: none was found; 1 question not decided',
      'NOT DECIDED  opens: a policy has an error, and without this policy the answer would be wrong',
    ]);
  });

  it('--fail-on accepts Opens only together with --cluster and --policy', async () => {
    for (const args of [['-f', '-'], ['--cluster'], ['--cluster', '--policy', 'a', '-f', '-']]) {
      assert.deepEqual(await cappol(['check', ...args, '--fail-on', 'Enforce,opens']), {
        code: 2,
        stdout: '',
        stderr: 'cappol: --fail-on Opens requires --cluster and --policy, and cannot be combined with -f\n',
      });
    }
  });
});

/** Exceptions with restricted use for one team. */
function bound(count: number): Specs {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`b${i}`, BOUND]));
}

/**
 * Whether a candidate adds a rollout to an enforced live policy. `cappol check` then knows that no namespace becomes
 * pending. `cappol compare` of two files does not know whether the policy of the first file was enforced.
 */
function addsRollout(live: Specs, candidates: Specs): boolean {
  return Object.entries(candidates).some(([name, { rollout }]) => {
    const before = live[name];
    return rollout && before?.mode === 'Enforce' && !before.rollout;
  });
}

/** Random live policies and random candidates. Some candidates have the name of a live policy. */
const CHANGED: Arbitrary<readonly [live: Specs, candidates: Specs]> = fc
  .record({
    live: fc.array(randomSpec(), { minLength: 1, maxLength: 2 }),
    candidates: fc.array(randomSpec(), { minLength: 1, maxLength: 2 }),
    first: fc.nat(2),
  })
  .map(({ live, candidates, first }) => [named(live, 0), named(candidates, first)]);

function randomSpec(): Arbitrary<Spec> {
  return fc
    .record({
      spec: FEW_OVERRIDES,
      namespaceSelector: fc.oneof(fc.constant({}), SELECTOR),
      mode: fc.constantFrom('Enforce' as const, 'Enforce' as const, 'Enforce' as const, 'Audit' as const),
      priority: fc.constantFrom(0, 0, 1),
      rollout: fc.constantFrom(undefined, undefined, {}),
      usableBy: fc.constantFrom('Everyone' as const, 'Everyone' as const, 'Bindings' as const),
    })
    .map(({ spec, rollout, ...rest }) => ({ ...spec, ...rest, ...(rollout && { rollout }) }))
    .filter((spec) => validatePolicy(writtenPolicy('a', spec)).problems.length === 0);
}

function named(specs: readonly Spec[], first: number): Specs {
  return Object.fromEntries(specs.map((spec, i) => [`policy-${first + i}`, spec]));
}

describe(`what random candidates open (SEED=${SEED})`, () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'check-opens-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it(`is what cappol compare finds between the two sets, for ${RUNS} pairs`, async function () {
    this.timeout(RUNS * 60_000);
    const seen = { pairs: 0, opens: 0, proofs: 0 };
    // The first pairs of policy sets may have no difference or no proof. More pairs follow until the test has seen both
    // a difference and a proof.
    for (const [live, candidates] of fc.sample(CHANGED, { numRuns: 10 * RUNS, seed: SEED })) {
      if (seen.pairs >= RUNS && seen.opens > 0 && seen.proofs > 0) break;
      if (addsRollout(live, candidates)) continue;
      const isLate = lateIn(PAIR_MS);
      compare(setOf(live), setOf({ ...live, ...candidates }), { limit: DEFAULT_LIMIT, isLate });
      if (isLate()) continue;
      seen.pairs += 1;
      writeFileSync(join(folder, 'old.yaml'), textOf(live));
      writeFileSync(join(folder, 'new.yaml'), textOf({ ...live, ...candidates }));
      const { stdout, stderr } = await cappol(['compare', 'old.yaml', 'new.yaml', '-o', 'json'], '', folder);
      assert.notEqual(stdout, '', stderr);
      const compared = JSON.parse(stdout);
      const { opens, undecided } = await inJson(live, candidates);
      const isAboutOpens = ({ direction }: Json) => direction !== 'closes';
      assert.deepEqual(
        { opens: opens.map(({ namespaces: _, ...difference }: Json) => difference), undecided },
        { opens: compared.opens, undecided: compared.undecided.filter(isAboutOpens) },
        JSON.stringify({ live, candidates }),
      );
      seen.opens += opens.length;
      seen.proofs += opens.length + undecided.length === 0 ? 1 : 0;
    }
    assert.ok(seen.opens > 0 && seen.proofs > 0, JSON.stringify(seen));
  });
});
