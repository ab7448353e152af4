/**
 * Tests the page's findings about policies. The findings and their sentences equal the findings and sentences of
 * `cappol compare POLICIES`.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { dump } from 'js-yaml';
import type { Finding } from '../../analysis/compare/finding.ts';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { clusterFindings, textFindings } from '../../ui/worker/findings.ts';
import { questionAbout } from '../../ui/worker/findings-question.ts';
import { arbitraryCluster } from '../snapshot/clusters.ts';
import { cappol } from '../support/cappol.ts';
import { largeCluster } from '../support/large-cluster.ts';
import { policy, writtenPolicy } from '../support/policies.ts';
import { SEED } from '../support/seed.ts';
import { takenSnapshot } from '../support/snapshots.ts';
import { clusterOf, wholeCluster } from '../support/views.ts';

const RUNS = Number(process.env.FC_RUNS ?? 12);
const NOON = '2026-11-26T12:00:00Z';
const NETWORK = { overrides: { hostNetwork: true } };
const RANGE = (min: number) => ({ overrides: { runAsGroup: { rule: 'MustRunAs', ranges: [{ min, max: min + 9 }] } } });

/** Policies as a text, with the kinds of their findings. */
const TEXTS: Readonly<Record<string, readonly [policies: readonly object[], kinds: readonly string[]]>> = {
  'an exception that opens nothing': [
    [writtenPolicy('all', NETWORK), writtenPolicy('net', { ...NETWORK, usableBy: 'Bindings' })],
    ['opens-nothing'],
  ],
  'a policy that decides nowhere, and a rollout that rests': [
    [
      writtenPolicy('all'),
      writtenPolicy('low', { priority: -1 }),
      writtenPolicy('late', { mode: 'Warn', rollout: {} }),
    ],
    ['endless-rollout', 'decides-nowhere'],
  ],
  'a policy that a proof calls redundant': [
    [writtenPolicy('all'), writtenPolicy('high', { priority: 1, namespaceSelector: { matchLabels: { team: 'a' } } })],
    ['redundant'],
  ],
  'policies that all have an effect': [[writtenPolicy('all', RANGE(1)), writtenPolicy('other', RANGE(2))], []],
};

describe(`the page's findings (SEED=${SEED})`, function () {
  this.timeout(120_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'page-findings-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  /** The output of `cappol compare` for a file with this text. */
  async function compared(text: string) {
    writeFileSync(join(folder, 'set'), text);
    const { stdout, stderr } = await cappol(['compare', 'set', '-o', 'json', '--at', NOON], '', folder);
    assert.notEqual(stdout, '', stderr);
    return JSON.parse(stdout);
  }

  for (const [title, [policies, kinds]] of Object.entries(TEXTS)) {
    it(`about a text are those of cappol: ${title}`, async () => {
      const text = policies.map((one) => dump(one)).join('---\n');
      const answer = textFindings({ policies: text, serverVersion: NEWEST_KNOWN_MINOR, at: Date.parse(NOON) });
      assert.deepEqual(
        answer?.findings.map(({ kind }) => kind),
        kinds,
      );
      assert.deepEqual(answer.undecided, []);
      const { findings } = await compared(text);
      assert.deepEqual(
        answer.findings.map((one) => ({ ...one, file: 'set' })),
        findings,
      );
    });
  }

  it('a text with an error has no findings, because findings may be wrong without the damaged policy', () => {
    const text = `${dump(writtenPolicy('all', NETWORK))}---\n${dump(writtenPolicy('wrong', { level: 'strict' }))}`;
    assert.equal(textFindings({ policies: text, serverVersion: NEWEST_KNOWN_MINOR, at: 0 }), undefined);
  });

  async function assertSame(snapshot: Snapshot): Promise<number> {
    const { findings, undecided } = clusterFindings(questionAbout({ ...snapshot, taken: NOON }));
    const expected = await compared(JSON.stringify(snapshot));
    assert.equal(undecided, 0);
    assert.deepEqual(
      findings,
      expected.findings.map(({ file: _, line: _line, ...finding }: Finding & Record<string, unknown>) => finding),
    );
    return findings.length;
  }

  it('findings about a cluster equal the findings of cappol, even with an expired policy and a policy with rollout', async () => {
    const policies = [
      policy('all'),
      policy('expired', { expires: '2026-01-01T00:00:00Z' as never }),
      policy('kube', { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } }),
      policy('rolled', { namespaceSelector: { matchLabels: { team: 'a' } }, rollout: {} as never }),
    ];
    assert.equal(await assertSame(takenSnapshot(wholeCluster(clusterOf([]), policies, []))), 2);
  });

  it('a rollout that has ended is not reported, although the policy expires before the end of another soak', async () => {
    const expiring = policy('rolled', { rollout: { soak: '24h' } as never, expires: '2026-11-27T00:00:00Z' as never });
    const findingsAt = (rollout: object | undefined) => {
      const live = { ...expiring, ...(rollout && { status: { rollout } }) } as typeof expiring;
      return assertSame(takenSnapshot(wholeCluster(clusterOf([]), [live], [])));
    };
    assert.equal(await findingsAt({ enforced: 2, soaking: 0, blocked: 0, progress: '2/2' }), 0);
    assert.equal(await findingsAt({ enforced: 1, soaking: 1, blocked: 0, progress: '1/2' }), 1);
    assert.equal(await findingsAt({ enforced: 1, soaking: 0, blocked: 1, progress: '1/2' }), 1);
    assert.equal(await findingsAt(undefined), 1, 'the operator has not begun the rollout');
  });

  it('findings about a cluster with policies of all kinds equal the findings of cappol', async () => {
    const sizes = { pods: 60, namespaces: 20, shapes: 10, policies: 20 };
    const cluster = largeCluster(sizes);
    // If the command line refuses a policy of a set, the command line reports no findings about the set.
    const policies = cluster.policies().filter(({ metadata }) => metadata?.name !== 'refused');
    assert.ok((await assertSame(takenSnapshot({ ...cluster, policies: () => policies }))) > 3);
  });

  it(`about ${RUNS} random clusters are those of cappol`, async () => {
    let count = 0;
    for (const cluster of fc.sample(arbitraryCluster, { numRuns: RUNS, seed: SEED })) {
      count += await assertSame(takenSnapshot(cluster));
    }
    assert.ok(count > 0);
  });
});
