/**
 * Tests the playground's answer about manifests. The answer has the items, lines and problems of `cappol check -f`,
 * with their positions. The findings of the playground about policies equal the warnings of `cappol check`.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc, { type Arbitrary } from 'fast-check';
import { findingText } from '../../analysis/compare/finding.ts';
import { printableTexts } from '../../analysis/text/printable-values.ts';
import { LIMITS } from '../../cli/commands/check/findings.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { type CheckAnswer, type CheckQuestion, check } from '../../ui/worker/check.ts';
import { type PlacedFinding, textFindings } from '../../ui/worker/findings.ts';
import { randomRules } from '../differential/policies/arbitrary.ts';
import { cappol } from '../support/cappol.ts';
import { workloads } from '../support/pod-manifests.ts';
import { policyManifest } from '../support/policies.ts';
import { Random } from '../support/random.ts';
import { randomPods } from '../support/random-pods.ts';
import { randomStream } from '../support/random-yaml.ts';
import { SEED } from '../support/seed.ts';

/** The number of streams. Set FC_RUNS=2000 for the long form. */
const RUNS = Number(process.env.FC_RUNS ?? 40);
const NOON = '2026-11-26T12:00:00Z';

const QUESTION: CheckQuestion = {
  policies: '',
  manifests: '',
  namespace: 'default',
  namespaceLabels: {},
  serverVersion: NEWEST_KNOWN_MINOR,
  at: Date.parse(NOON),
};

const RESTRICTED = `apiVersion: capabilitypolicy.dev/v1alpha1
kind: CapabilityPolicy
metadata: {name: restricted}
spec: {namespaceSelector: {}, level: restricted, mode: Enforce}
`;

describe(`the playground's answer (SEED=${SEED})`, function () {
  this.timeout(60_000 + RUNS * 1000);

  it(`is that of cappol check about ${RUNS} random streams of YAML, whole and broken`, async () => {
    const seen = { items: 0, violations: 0, troubles: 0, findings: 0 };
    await withFolder(async (folder) => {
      const property = fc.asyncProperty(question(), async (one) => {
        const answer = check(one);
        seen.items += answer.items.length;
        seen.violations += answer.items.flatMap(({ violations }) => violations).length;
        seen.troubles += answer.troubles.length;
        const expected = await toldByCappol(one, folder);
        // The test uses the limits of the command line. With an error in the text, the page has no findings.
        const found = textFindings(one, LIMITS)?.findings.map(warningOf);
        seen.findings += found?.length ?? 0;
        if (expected && found) assert.deepEqual(expected.findings, printableTexts(found));
        if (expected) assert.deepEqual(told(answer), expected.answer);
        // Without a policy, the command line evaluates nothing.
        else assert.ok(answer.items.every(({ verdict }) => verdict === 'NotSelected'));
        assertPlaced(answer, one.manifests);
      });
      await fc.assert(property, { seed: SEED, numRuns: RUNS });
    });
    // Findings are rarer than violations and problems.
    const least = (what: string) => (what === 'findings' ? 0 : RUNS / 5);
    for (const [what, count] of Object.entries(seen)) assert.ok(count > least(what), `${count} ${what}`);
  });

  it('places a violation at the broken field, or at the nearest existing field if the field is absent', () => {
    const manifests = `# first
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  hostNetwork: true  # why?
  containers:
  - {name: one, image: a, securityContext: {privileged: true, capabilities: {add: ["SYS_ADMIN"]}}}
  - {name: two, image: a} # bare
`;
    const { items } = check({ ...QUESTION, policies: RESTRICTED, manifests });
    const [{ violations, ranges }] = items as [CheckAnswer['items'][number]];
    const lines = manifests.split('\n');
    const places = violations.map(({ rule }, index) => {
      const { line = 0, column = 0, endColumn = 0 } = ranges.violations[index] ?? {};
      return [rule, line, (lines[line - 1] ?? '').slice(column - 1, endColumn - 1)];
    });
    assert.deepEqual(
      places.filter(([rule]) => ['hostNetwork', 'privileged', 'runAsNonRoot'].includes(`${rule}`)),
      [
        ['privileged', 8, 'privileged: true'],
        ['hostNetwork', 6, 'hostNetwork: true'],
        ['runAsNonRoot', 8, 'securityContext: {privileged: true, capabilities: {add: ["SYS_ADMIN"]}}}'],
        ['runAsNonRoot', 9, '{name: two, image: a}'],
      ],
    );
  });
});

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'playground-'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The part of the answer that the worker and the command line share. Only the worker's answer has ranges. */
function told({ policies, items, troubles }: CheckAnswer) {
  return printableTexts({
    policies,
    items: items.map(({ ranges: _, ...item }) => item),
    problems: troubles.map(({ severity = 'error', file, line = null, message }) => ({ severity, file, line, message })),
  });
}

/** The answer of `cappol check`. The files have the same names as in the worker's answer. */
async function toldByCappol({ policies, manifests }: CheckQuestion, folder: string) {
  writeFileSync(join(folder, 'policies'), policies);
  writeFileSync(join(folder, 'manifests'), manifests);
  const args = ['check', '-f', 'manifests', '--policy', 'policies', '-o', 'json', '--at', NOON];
  const { stdout, stderr } = await cappol(args, '', folder);
  if (stdout === '') {
    assert.match(stderr, /no policy to evaluate against/);
    return undefined;
  }
  const json = JSON.parse(stdout);
  const isFinding = ({ message }: Problem) =>
    /^CapabilityPolicy .*: (this (policy|exception)|the rollout of this policy) /.test(message);
  const all: readonly Problem[] = json.problems;
  return {
    answer: { policies: json.policies, items: json.items, problems: all.filter((one) => !isFinding(one)) },
    findings: all.filter(isFinding),
  };
}

/** A problem in the JSON of `cappol check`. */
interface Problem {
  readonly severity: string;
  readonly file: string;
  readonly line: number | null;
  readonly message: string;
}

/** A finding of the page as a warning of `cappol check`. */
function warningOf(finding: PlacedFinding): Problem {
  return { severity: 'warning', file: 'policies', line: finding.line, message: findingText(finding) };
}

/** Checks that each range is on the line of its violation. The range must not begin or end at a space. */
function assertPlaced({ items }: CheckAnswer, text: string): void {
  const lines = text.split('\n');
  for (const { violations, ranges } of items) {
    assert.deepEqual(
      ranges.violations.map(({ line }) => line),
      violations.map(({ line }) => line),
    );
    for (const { line, column, endColumn } of ranges.violations) {
      const there = (lines[line - 1] ?? '').slice(column - 1, endColumn - 1);
      assert.equal(there.length, endColumn - column);
      assert.match(there, /^\S(?:.*\S)?$/, lines[line - 1]);
    }
  }
}

function question(): Arbitrary<CheckQuestion> {
  const policies = fc
    .tuple(fc.array(randomRules(), { minLength: 1, maxLength: 3 }), fc.boolean())
    // If a policy is a copy of another policy, the copy causes a finding.
    .map(([all, isCopied]) => (isCopied ? [...all, ...all.slice(0, 1)] : all))
    .map((all) => all.map((rules, i) => policyManifest({ name: `p${i}` }, { ...rules, namespaceSelector: {} })));
  const pods = fc
    .array(fc.tuple(randomPods(), fc.nat(8)), { minLength: 1, maxLength: 4 })
    .map((all) => all.map(([pod, kind]) => [pod, ...workloads(pod).map(({ object }) => object)][kind] ?? pod));
  return fc.tuple(policies, pods, fc.nat(), damage(), damage()).map(([ofPolicies, ofPods, seed, one, other]) => {
    const random = new Random(seed);
    return {
      ...QUESTION,
      policies: one(randomStream(ofPolicies, random)),
      manifests: other(randomStream(ofPods, random)),
    };
  });
}

/**
 * Returns a function that damages a text in two of five cases. The damaged text lacks one character or the end of the
 * text, like a text that a user is typing.
 */
function damage(): Arbitrary<(text: string) => string> {
  const at = fc.double({ min: 0, max: 0.999, noNaN: true });
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant((text: string) => text) },
    {
      weight: 1,
      arbitrary: at.map((part) => (text: string) => {
        const index = Math.floor(part * text.length);
        return text.slice(0, index) + text.slice(index + 1);
      }),
    },
    { weight: 1, arbitrary: at.map((part) => (text: string) => text.slice(0, Math.floor(part * text.length))) },
  );
}
