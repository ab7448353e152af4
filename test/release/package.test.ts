/**
 * Installs the published form of the package into an empty folder. The cache is empty. No package registry and no other
 * package is available.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/page.ts';
import { cleanEnvironment, newFolder, packedPackage } from './packed.ts';

const {
  name,
  version,
  dependencies,
  private: isPrivate,
} = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}\n';
const MIB = 1024 * 1024;

describe('the npm package', function () {
  this.timeout(300_000);
  let tarball: string;
  let folder: string;

  before(() => {
    tarball = packedPackage();
    folder = newFolder('npx');
  });

  function run(program: string, args: readonly string[], input = '') {
    const { status, stdout, stderr } = spawnSync(program, args, {
      cwd: folder,
      env: cleanEnvironment(folder),
      input,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  }

  it('may be published', () => assert.equal(isPrivate, undefined));

  it('is documented at this version', () => {
    for (const page of ['README.md', 'docs/installing-cappol.md']) {
      const text = readFileSync(join(ROOT, page), 'utf8');
      const versions = [...text.matchAll(/(?:[@:]|rev: )v?(\d+\.\d+\.\d+)\b/g)].map(([, one]) => one);
      assert.ok(versions.length > 1, page);
      assert.deepEqual([...new Set(versions)], [version], page);
    }
  });

  it('the npm package is less than 1.7 MiB and needs no other package', () => {
    assert.equal(dependencies, undefined);
    assert.ok(statSync(tarball).size < 1.7 * MIB, `${statSync(tarball).size} bytes`);
  });

  it('the npm package contains the files that cappol needs, and no sources or tests', () => {
    const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
    const others = files.filter((path) => !/^package\/dist\/cappol\/[\w-]+\.mjs$/.test(path));
    assert.deepEqual(others.sort(), [
      'package/LICENSE',
      'package/README.md',
      'package/crds/capabilitypolicies.yaml',
      'package/crds/kustomization.yaml',
      'package/dist/cappol/LICENSES.txt',
      'package/dist/cappol/page.html',
      'package/package.json',
    ]);
  });

  describe('by npx', () => {
    it('evaluates: npx capabilitypolicy check', () => {
      const { status, stdout, stderr } = run(
        'npx',
        ['--yes', `file:${tarball}`, 'check', '-f', '-', '--level', 'restricted'],
        POD,
      );
      assert.equal(status, 1, stderr);
      assert.match(stdout, /must drop capability ALL/);
      assert.equal(stderr, '');
    });

    it('the npm package runs by the command npx --package capabilitypolicy cappol', () => {
      const { stdout } = run('npx', ['--yes', '--package', tarball, 'cappol', 'version']);
      assert.match(stdout, new RegExp(`^cappol +${version}$`, 'm'));
    });
  });

  describe('by npm install --global', () => {
    let commands: string;

    before(() => {
      const prefix = join(folder, 'prefix');
      const { status, stderr } = run('npm', ['install', '--global', '--prefix', prefix, tarball]);
      assert.equal(status, 0, stderr);
      assert.deepEqual(readdirSync(join(prefix, 'lib', 'node_modules')), [name]);
      commands = join(prefix, 'bin');
    });

    it('is a plugin of kubectl', () => {
      assert.match(run(join(commands, 'kubectl-cappol'), ['--help']).stdout, /^Usage: kubectl cappol /);
    });

    it('explains a capability and renders a policy, without a warning of Node', () => {
      const policy = join(ROOT, 'config', 'samples', 'ping.yaml');
      const explained = run(join(commands, 'cappol'), ['explain', 'NET_RAW']);
      assert.match(explained.stdout, /NET_RAW/);
      const rendered = run(join(commands, 'cappol'), ['render', '--policy', policy]);
      assert.match(rendered.stdout, /^kind: ValidatingAdmissionPolicy$/m);
      assert.equal(explained.stderr + rendered.stderr, '');
    });

    it('reads a kubeconfig', () => {
      const { status, stderr } = run(join(commands, 'cappol'), ['status', '--kubeconfig', 'none.yaml']);
      assert.equal(status, 2);
      assert.match(stderr, /^cappol: .*none\.yaml/);
    });
  });
});
