/** The hooks for pre-commit, run by pre-commit in a repository with manifests. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { load } from 'js-yaml';
import { describeWith } from '../support/needs.ts';
import { ROOT, readPage } from '../support/page.ts';
import { cleanEnvironment, newFolder, packedPackage } from './packed.ts';

interface Hook {
  readonly id: string;
  readonly entry: string;
  readonly additional_dependencies?: readonly string[];
}

interface Configuration {
  readonly repos: readonly { readonly repo: string; readonly rev?: string; readonly hooks: readonly Hook[] }[];
}

const { name, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const HOOKS = '.pre-commit-hooks.yaml';
const VIOLATING = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}\n';
const OTHER = 'services: {web: {image: web}}\n';

describeWith({ programs: { 'pre-commit': 'pip install pre-commit' } }, 'the hooks for pre-commit', () => {
  const documented = readPage('docs/installing-cappol.md')
    .blocks.filter(({ info, text }) => info[0] === 'yaml' && /^repos:/m.test(text))
    .map(({ text }) => load(text) as Configuration);

  it('are hooks as pre-commit wants them', () => {
    execFileSync('pre-commit', ['validate-manifest', HOOKS], { cwd: ROOT, stdio: 'pipe' });
  });

  it('use the image of this version', () => {
    const hooks = load(readFileSync(join(ROOT, HOOKS), 'utf8')) as Hook[];
    assert.equal(hooks[1]?.entry, `ghcr.io/capabilitypolicy/cappol:v${version} check`);
  });

  it('are documented with this version', () => {
    const [local, remote] = documented;
    assert.deepEqual(local?.repos[0]?.hooks[0]?.additional_dependencies, [`${name}@${version}`]);
    assert.equal(remote?.repos[0]?.rev, `v${version}`);
  });

  it('find violations by the package from npm', () => {
    const text = JSON.stringify(documented[0]).replace(`${name}@${version}`, packedPackage());
    const home = newFolder('home');
    // pre-commit first looks for Node under the name that Debian gives it.
    symlinkSync(process.execPath, join(home, 'nodejs'));
    const environment = cleanEnvironment(home);
    fails(JSON.parse(text), { ...environment, PATH: [home, environment.PATH].join(delimiter) });
  });

  it('find violations by the program that is installed', () => {
    const home = newFolder('home');
    const environment = cleanEnvironment(home);
    const args = ['install', '--global', '--silent', '--prefix', home, packedPackage()];
    execFileSync('npm', args, { env: environment, stdio: 'pipe' });
    const hooks = repository({});
    copyFileSync(join(ROOT, HOOKS), join(hooks, HOOKS));
    commit(hooks);
    const rev = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: hooks, encoding: 'utf8' }).trim();
    const text = JSON.stringify(documented[1]).replace(documented[1]?.repos[0]?.repo ?? '', hooks);
    const configuration = JSON.parse(text.replace(`v${version}`, rev));
    fails(configuration, { ...environment, PATH: [join(home, 'bin'), environment.PATH].join(delimiter) });
  });

  function fails(configuration: Configuration, env: NodeJS.ProcessEnv): void {
    const folder = repository({
      '.pre-commit-config.yaml': JSON.stringify(configuration),
      'deploy/pod.yaml': VIOLATING,
      'compose.yaml': OTHER,
    });
    const { status, stdout, stderr } = spawnSync('pre-commit', ['run', '--all-files'], {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
    assert.equal(status, 1, stdout + stderr);
    assert.match(stdout, /^cappol check\.+Failed$/m);
    assert.match(stdout, /must drop capability ALL/);
    assert.match(stdout, /skipped 2 documents, no Kubernetes objects/);
    assert.match(stdout, /exit code: 1/);
  }

  function repository(files: Readonly<Record<string, string>>): string {
    const folder = newFolder('repository');
    execFileSync('git', ['init', '--quiet'], { cwd: folder });
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    if (Object.keys(files).length > 0) commit(folder);
    return folder;
  }

  function commit(folder: string): void {
    execFileSync('git', ['add', '--all'], { cwd: folder });
    const who = ['-c', 'user.name=a', '-c', 'user.email=a@example.com'];
    execFileSync('git', [...who, 'commit', '--quiet', '--message', 'all'], { cwd: folder });
  }
});
