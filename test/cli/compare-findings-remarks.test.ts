/**
 * Tests `cappol compare POLICIES` with -o github and -o sarif. Both outputs have the same findings at the same lines,
 * and the rules of the findings are documented.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { FINDING_KINDS } from '../../analysis/compare/finding.ts';
import { cappol } from '../support/cappol.ts';
import { commit, writeFiles } from '../support/git.ts';
import { ROOT } from '../support/page.ts';
import { policy, writtenPolicy } from '../support/policies.ts';
import { remarksInCommands, remarksInLog } from '../support/remarks.ts';
import { sarifRun } from '../support/sarif.ts';
import { takenSnapshot } from '../support/snapshots.ts';
import { clusterOf, wholeCluster } from '../support/views.ts';

const NETWORK = { overrides: { hostNetwork: true } };
const RANGE = (min: number) => ({ overrides: { runAsGroup: { rule: 'MustRunAs', ranges: [{ min, max: min + 9 }] } } });
const text = (...policies: readonly object[]) => `# A comment.\n${policies.map((one) => dump(one)).join('---\n')}`;
const TWO = text(writtenPolicy('all', NETWORK), writtenPolicy('net', { ...NETWORK, usableBy: 'Bindings' }));

interface Row {
  /** The files of the policy set. The key is the path. */
  readonly files: Readonly<Record<string, string>>;
  /** The argument that names the set. The default is the folder `set`. */
  readonly set?: string;
  readonly args?: readonly string[];
  readonly code: 0 | 1 | 2;
  /** The remarks as `level file:line: title`. A remark without a file is about the whole policy set. */
  readonly remarks: readonly string[];
  /** The text of the first remark. */
  readonly says?: string;
  readonly summary?: string;
}

const ROWS: Readonly<Record<string, Row>> = {
  'a finding as a warning at its policy': {
    files: { 'set/a.yaml': TWO },
    code: 0,
    remarks: ['warning set/a.yaml:13: opens nothing'],
    says: 'CapabilityPolicy net: this exception opens nothing: for each user of policy net, policy all admits every pod that policy net admits; you can delete policy net',
    summary: 'set: 1 finding about 2 policies',
  },
  'a finding as an error if it makes the command fail': {
    files: { 'set/a.yaml': TWO },
    args: ['--fail-on', 'findings'],
    code: 1,
    remarks: ['error set/a.yaml:13: opens nothing'],
  },
  'an expired policy once': {
    files: { 'set/a.yaml': text(writtenPolicy('gone', { expires: '2020-01-01T00:00:00Z' })) },
    code: 0,
    remarks: ['warning set/a.yaml:2: decides nowhere'],
    summary: 'set: 1 finding about 1 policy',
  },
  'a rollout in a file whose name tries to be a property': {
    files: { 'set/a,title=b::c%.yaml': text(writtenPolicy('late', { mode: 'Audit', rollout: {} })) },
    code: 0,
    remarks: ['warning set/a,title=b::c%.yaml:2: endless rollout'],
  },
  'no finding': {
    files: { 'set/a.yaml': text(writtenPolicy('all')) },
    args: ['--fail-on', 'findings'],
    code: 0,
    remarks: [],
    summary: 'set: no finding about 1 policy',
  },
  'a question as a warning at its policy': {
    files: { 'set/a.yaml': text(writtenPolicy('all', RANGE(1)), writtenPolicy('other', RANGE(2))) },
    args: ['--limit', '5'],
    code: 0,
    remarks: ['warning set/a.yaml:2: not decided', ...Array(2).fill('warning set/a.yaml:17: not decided')],
  },
  'a policy that cannot be read, and no finding': {
    files: { 'set/a.yaml': TWO, 'set/b.yaml': text(writtenPolicy('wrong', { level: 'strict' })) },
    args: ['--fail-on', 'findings'],
    code: 2,
    remarks: ['error set/b.yaml:8: cappol'],
  },
  'a policy of a commit': {
    files: { 'set/a.yaml': TWO },
    set: 'git:HEAD:set',
    code: 0,
    remarks: ['warning set/a.yaml:13: opens nothing'],
    summary: 'git:HEAD:set: 1 finding about 2 policies',
  },
  'a policy of a snapshot, which has no line': {
    files: {
      'set.json': JSON.stringify(takenSnapshot(wholeCluster(clusterOf([]), [policy('a'), policy('b')], []))),
    },
    set: 'set.json',
    code: 0,
    remarks: ['warning set.json: same'],
  },
};

describe('cappol compare -o github and -o sarif about one set', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'remarks-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  for (const [title, { files, set = 'set', args = [], code, remarks, says, summary }] of Object.entries(ROWS)) {
    it(`show ${title}`, async () => {
      if (set.startsWith('git:')) commit(folder, files);
      else writeFiles(folder, files);
      const printed = async (output: string) => {
        const ran = await cappol(['compare', set, ...args, '-o', output], '', folder);
        assert.equal(ran.code, code, ran.stderr);
        return ran.stdout;
      };
      const [commands, log] = [await printed('github'), await printed('sarif')];
      const found = remarksInCommands(commands, placeText, set);
      assert.deepEqual(
        found.map(([line]) => line),
        remarks,
      );
      assert.deepEqual(remarksInLog(log, placeText), found);
      if (says !== undefined) assert.equal(found[0]?.[1], says);
      if (summary === undefined) return;
      assert.equal(commands.split('\n').at(-2), `::notice title=cappol::${summary}`);
      const [{ toolExecutionNotifications: notes } = assert.fail()] = sarifRun(log).invocations;
      assert.deepEqual(
        notes.map((note) => note.message.text),
        [summary],
      );
    });
  }

  it('a question that decides the exit code is shown as an error', async () => {
    writeFiles(folder, { 'set/a.yaml': text(writtenPolicy('all', RANGE(1)), writtenPolicy('other', RANGE(2))) });
    const args = ['compare', 'set', '--limit', '5', '--fail-on', 'findings', '-o', 'github'];
    const { code, stdout } = await cappol(args, '', folder);
    assert.equal(code, 2);
    assert.match(stdout, /^::error file=set\/a\.yaml,line=2,title=not decided::policy all, .*: more than 5 pods$/m);
    assert.doesNotMatch(stdout, /^::warning/m);
  });

  it('remarks about standard input name no file on GitHub', async () => {
    const { stdout } = await cappol(['compare', '-', '-o', 'github'], TWO, folder);
    assert.match(stdout, /^::warning line=13,title=opens nothing::/);
    assert.match(stdout, /^::notice title=cappol::standard input: 1 finding about 2 policies$/m);
  });

  it('each kind of finding has a rule that SARIF describes and the documentation lists', async () => {
    writeFiles(folder, { 'set/a.yaml': TWO });
    const { stdout } = await cappol(['compare', 'set', '-o', 'sarif'], '', folder);
    const run = sarifRun(stdout);
    const described = run.tool.driver.rules.map(({ id }) => id);
    const documented = readFileSync(join(ROOT, 'docs', 'compare.md'), 'utf8');
    for (const kind of FINDING_KINDS) {
      assert.ok(described.includes(kind), kind);
      assert.ok(documented.includes(`\n| \`${kind}\` | `), kind);
    }
    assert.deepEqual(run.results[0]?.properties, { policy: 'net', others: ['all'], rules: [] });
  });
});

function placeText(file: string, line: number | undefined): string {
  return line === undefined ? file : `${file}:${line}`;
}
