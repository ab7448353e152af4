/** Tests the hooks for pre-commit. The program pre-commit runs the hooks in a repository with manifests. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { dump, load } from 'js-yaml';
import { commit, git } from '../support/git.ts';
import { describeWith } from '../support/needs.ts';
import { ROOT, readPage } from '../support/page.ts';
import { writtenPolicy } from '../support/policies.ts';
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
const STRICT = dump(writtenPolicy('all', { level: 'privileged', overrides: { hostNetwork: false } }));
const OPEN = dump(writtenPolicy('all', { level: 'privileged' }));
const CLOSED = dump(writtenPolicy('all', { level: 'privileged', overrides: { hostNetwork: false, hostPID: false } }));
const OTHER = 'services: {web: {image: web}}\n';

describeWith({ programs: { 'pre-commit': 'pip install pre-commit' } }, 'the hooks for pre-commit', () => {
  const documented = configurationsIn('docs/installing-cappol.md');

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
    assert.equal(configurationsIn('docs/compare.md')[0]?.repos[0]?.rev, `v${version}`);
  });

  it('find violations by the package from npm', () => {
    const text = JSON.stringify(documented[0]).replace(`${name}@${version}`, packedPackage());
    const home = newFolder('home');
    // The program pre-commit first looks for `nodejs`, which is Debian's name of Node.
    symlinkSync(process.execPath, join(home, 'nodejs'));
    const environment = cleanEnvironment(home);
    fails(JSON.parse(text), { ...environment, PATH: [home, environment.PATH].join(delimiter) });
  });

  it('the hooks find violations with the installed program', () => {
    fails(fromCheckout(documented[1]), withCappol());
  });

  describe('compare the policies of the last commit', () => {
    const [configuration] = configurationsIn('docs/compare.md');
    let environment: NodeJS.ProcessEnv;
    before(() => {
      environment = withCappol();
    });

    interface Case {
      readonly what: string;
      /** The policy that is committed. If the file is deleted, `after` is undefined. */
      readonly after: string | undefined;
      readonly withoutArguments?: true;
      readonly code: number;
      readonly told: RegExp;
    }
    const OPENS = /^OPENS {2}rule hostNetwork, in every namespace$/m;
    const CASES: readonly Case[] = [
      { what: 'with a policy that opens something', after: OPEN, code: 1, told: OPENS },
      { what: 'without arguments', after: OPEN, withoutArguments: true, code: 1, told: OPENS },
      { what: 'with a policy that is gone', after: undefined, code: 1, told: OPENS },
      { what: 'with a policy that closes something', after: CLOSED, code: 0, told: /^cappol compare\.+Passed$/m },
    ];
    for (const { what, after, withoutArguments, code, told } of CASES) {
      it(what, () => {
        const text = JSON.stringify(fromCheckout(configuration));
        const folder = repository({
          '.pre-commit-config.yaml': withoutArguments ? text.replace(/,"args":\[.*?\]/, '') : text,
          'policies/all.yaml': STRICT,
          'policies/other.yaml': OTHER,
        });
        if (after === undefined) rmSync(join(folder, 'policies/all.yaml'));
        else writeFileSync(join(folder, 'policies/all.yaml'), after);
        git(folder, 'add', '--all');
        const options = { cwd: folder, env: environment, encoding: 'utf8' } as const;
        const { status, stdout, stderr } = spawnSync('pre-commit', ['run'], options);
        assert.equal(status, code, stdout + stderr);
        assert.match(stdout, told);
      });
    }
  });

  function configurationsIn(page: string): Configuration[] {
    return readPage(page)
      .blocks.filter(({ info, text }) => info[0] === 'yaml' && /^repos:/m.test(text))
      .map(({ text }) => load(text) as Configuration);
  }

  /** The environment of a user who has installed the package. */
  function withCappol(): NodeJS.ProcessEnv {
    const home = newFolder('home');
    const environment = cleanEnvironment(home);
    const args = ['install', '--global', '--silent', '--prefix', home, packedPackage()];
    execFileSync('npm', args, { env: environment, stdio: 'pipe' });
    return { ...environment, PATH: [join(home, 'bin'), environment.PATH].join(delimiter) };
  }

  /** The configuration with the hooks of this checkout instead of the hooks of the release. */
  function fromCheckout(configuration: Configuration | undefined): Configuration {
    const hooks = repository({ [HOOKS]: readFileSync(join(ROOT, HOOKS), 'utf8') });
    const text = JSON.stringify(configuration).replace(configuration?.repos[0]?.repo ?? '', hooks);
    return JSON.parse(text.replace(`v${version}`, git(hooks, 'rev-parse', 'HEAD').trim()));
  }

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
    commit(folder, files);
    return folder;
  }
});
