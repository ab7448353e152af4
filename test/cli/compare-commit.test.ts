/** Tests comparisons of the policies of a commit with the policies of the working tree. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { cappol } from '../support/cappol.ts';
import { commit, git, writeFiles } from '../support/git.ts';
import { policy, writtenPolicy } from '../support/policies.ts';
import { takenSnapshot } from '../support/snapshots.ts';
import { clusterOf, wholeCluster } from '../support/views.ts';

const STRICT = dump(writtenPolicy('all', { level: 'privileged', overrides: { hostNetwork: false } }));
const OPEN = dump(writtenPolicy('all', { level: 'privileged' }));
const SNAPSHOT = JSON.stringify(takenSnapshot(wholeCluster(clusterOf([]), [policy('all')], [])));

describe('cappol compare git:COMMIT:PATH', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'compare-commit-'));
    commit(folder, { 'policies/all.yaml': OPEN, '.gitignore': 'left-out/\n', 'monday.json': SNAPSHOT });
    commit(folder, {
      'policies/all.yaml': STRICT,
      'broken/all.yaml': 'a: 1\na: 2\n',
      'both/all.yaml': STRICT,
      'both/left-out/all.yaml': OPEN,
      'a b/ä.yaml': STRICT,
    });
    writeFiles(folder, { 'policies/all.yaml': OPEN, 'a b/ä.yaml': OPEN });
  });
  after(() => rmSync(folder, { recursive: true }));

  const ROWS: readonly (readonly [where: string, args: string, code: number, stdout: RegExp])[] = [
    [
      '.',
      'git:HEAD:policies policies',
      1,
      /^policies admits pods that git:HEAD:policies refuses: 1 difference, and no others$/m,
    ],
    ['.', 'git:HEAD~1:policies policies', 0, /^same: /],
    ['policies', 'git:HEAD all.yaml', 1, /^all\.yaml admits pods that git:HEAD refuses: 1 difference, and no others$/m],
    ['policies', 'git:HEAD:../policies/all.yaml .', 1, /1 difference/],
    [
      '.',
      'policies git:HEAD:policies',
      0,
      /^git:HEAD:policies refuses pods that policies admits: 1 difference, and no others$/m,
    ],
    ['.', 'git:HEAD:policies git:HEAD:policies/all.yaml', 0, /^same: /],
    ['.', 'git:HEAD:monday.json restricted', 0, /^same: /],
  ];
  for (const [where, args, code, stdout] of ROWS) {
    it(`reads the commit, in ${where}: ${args}`, async () => {
      const ran = await compared(where, ...args.split(' '));
      assert.deepEqual([ran.code, ran.stderr], [code, '']);
      assert.match(ran.stdout, stdout);
    });
  }

  it('compare reads paths with any characters, and absolute paths', async () => {
    const { code, stderr } = await compared('.', `git:HEAD:${join(folder, 'a b')}`, 'a b');
    assert.deepEqual([code, stderr], [1, '']);
  });

  it('the remarks of compare point at the files of the working tree', async () => {
    const { stdout } = await compared('.', 'git:HEAD:policies', 'policies', '-o', 'github');
    assert.match(stdout, /^::error file=policies\/all\.yaml,line=\d+,title=opens hostNetwork::/);
  });

  it('compare leaves out the files that .gitignore names, in the commit and in the working tree', async () => {
    const { code, stdout, stderr } = await compared('.', 'git:HEAD:both', 'both');
    assert.deepEqual([code, stderr], [0, 'cappol: left out: both/left-out (.gitignore)\n']);
    assert.match(stdout, /^same: /);
  });

  const WRONG: Readonly<Record<string, RegExp>> = {
    'git:HEAD:missing': /^cappol: git:HEAD:missing: there is no missing in this commit$/m,
    'git:HEAD^2:policies': /^cappol: git:HEAD\^2:policies: git knows no commit HEAD\^2; a shallow clone has only/m,
    'git:HEAD:..': /^cappol: git:HEAD:\.\.: .*outside repository/m,
    'git:--help:policies': /^cappol: git:--help:policies: write a commit and a path, such as git:HEAD:policies$/m,
    'git:': /^cappol: git:: write a commit and a path, such as git:HEAD:policies$/m,
    'git:HEAD:broken': /^cappol: git:HEAD:broken\/all\.yaml:2: not YAML: the key a occurs twice/m,
  };
  for (const [old, message] of Object.entries(WRONG)) {
    it(`refuses ${old}`, async () => {
      const { code, stdout, stderr } = await compared('.', old, 'policies');
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, message);
    });
  }

  it('compare changes nothing in the repository, and leaves no files behind', async () => {
    const state = () => [
      git(folder, 'status', '--short'),
      readdirSync(tmpdir()).filter((name) => name.startsWith('cappol-commit-')),
    ];
    const before = state();
    await compared('.', 'git:HEAD:policies', 'policies');
    assert.deepEqual(state(), before);
  });

  function compared(where: string, ...args: string[]) {
    return cappol(['compare', ...args], '', join(folder, where));
  }
});
