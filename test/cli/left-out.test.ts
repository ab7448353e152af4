/**
 * Tests that `cappol check -f FOLDER` skips node_modules and the files that --exclude names. The command also skips the
 * files that .gitignore names, as git does. The output says which files were skipped.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cappol } from '../support/cappol.ts';

const POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}\n';

const FILES = [
  'a.yaml',
  'a b.yaml',
  'build/a.yaml',
  'build/keep.yaml',
  'deploy/a.yaml',
  'deploy/build/a.yaml',
  'deploy/secret.yaml',
  'deploy/x/y/z.yaml',
  'deploy/x1.yaml',
  'deploy/x2.yaml',
  '[a].yaml',
  '#a.yaml',
];

/** Each case has the lines of .gitignore, and the lines of deploy/.gitignore. */
const CASES: readonly (readonly [root: string, deploy?: string])[] = [
  [''],
  ['build/'],
  ['/build'],
  ['/build/*\n!/build/keep.yaml'],
  ['*.yaml\n!a.yaml'],
  ['deploy/**/z.yaml'],
  ['**/build'],
  ['deploy/**'],
  ['x?.yaml'],
  ['x[!1].yaml'],
  ['x[1-9].yaml'],
  ['\\[a\\].yaml'],
  ['\\#a.yaml'],
  ['# a.yaml'],
  ['a\\ b.yaml'],
  ['deploy/x1.yaml', '!x1.yaml'],
  ['', '/x\nsecret.yaml\n'],
  ['secret.yaml', '!secret.yaml'],
  ['x1.yaml/'],
  ['deploy\n!deploy/a.yaml'],
];

describe('the files that cappol leaves out of a folder', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'left-out-'));
    execFileSync('git', ['init', '-q', folder]);
    for (const name of [...FILES, 'node_modules/x/a.yaml', 'deploy/node_modules/a.yaml']) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), POD);
    }
  });
  after(() => rmSync(folder, { recursive: true }));

  async function evaluated(...args: readonly string[]) {
    const all = ['check', '-f', '.', '--level', 'privileged', '-o', 'json', ...args];
    const { stdout, stderr } = await cappol(all, '', folder);
    const items: readonly { readonly file: string }[] = JSON.parse(stdout).items;
    return { files: items.map(({ file }) => file).sort(), stderr };
  }

  for (const [root, deploy = ''] of CASES) {
    it(`are those of git: ${JSON.stringify(root)}${deploy === '' ? '' : `, deploy ${JSON.stringify(deploy)}`}`, async () => {
      writeFileSync(join(folder, '.gitignore'), root);
      writeFileSync(join(folder, 'deploy', '.gitignore'), deploy);
      const listed = execFileSync('git', ['ls-files', '-z', '--others', '--exclude-standard'], { cwd: folder });
      const kept = String(listed)
        .split('\0')
        .filter((name) => name.endsWith('.yaml') && !name.includes('node_modules'));
      assert.deepEqual((await evaluated()).files, kept.sort());
    });
  }

  it('are named on standard error', async () => {
    writeFileSync(join(folder, '.gitignore'), 'build/\n');
    writeFileSync(join(folder, 'deploy', '.gitignore'), '');
    const { files, stderr } = await evaluated('--exclude', 'x?.yaml', 'deploy/x');
    assert.equal(
      stderr,
      'cappol: left out: deploy/node_modules, node_modules; build, deploy/build (.gitignore); deploy/x, deploy/x1.yaml, deploy/x2.yaml (--exclude)\n',
    );
    assert.deepEqual(files, ['#a.yaml', '[a].yaml', 'a b.yaml', 'a.yaml', 'deploy/a.yaml', 'deploy/secret.yaml']);
  });

  it('are not those that -f names', async () => {
    writeFileSync(join(folder, '.gitignore'), 'build/\n');
    const { stdout, stderr } = await cappol(
      ['check', '--level', 'privileged', '-o', 'json', '-f', 'build', 'node_modules/x/a.yaml'],
      '',
      folder,
    );
    assert.deepEqual([JSON.parse(stdout).summary.items, stderr], [3, '']);
  });

  it('fix, suggest and explain leave out the same files as check', async () => {
    for (const args of [['fix', '--level', 'restricted'], ['suggest'], ['explain']]) {
      const { stderr } = await cappol([...args, '-f', '.', '--exclude', 'deploy'], '', folder);
      assert.match(stderr, /^cappol: left out: node_modules; build \(\.gitignore\); deploy \(--exclude\)$/m);
    }
  });
});
