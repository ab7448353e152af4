/** The package as npm installs it: plain JavaScript below node_modules, where Node runs no TypeScript. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const { name, version, bin, dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

describe('the package', () => {
  let folder: string;
  let installed: string;

  before(function () {
    this.timeout(120_000);
    folder = mkdtempSync(join(tmpdir(), 'package-'));
    const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    const modules = join(folder, 'node_modules');
    installed = join(modules, name);
    mkdirSync(installed, { recursive: true });
    const tarball = join(folder, packed.trim().split('\n').at(-1) ?? '');
    execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed]);
    // As npm would install them, without a registry.
    for (const dependency of Object.keys(dependencies)) {
      const target = join(modules, dependency);
      mkdirSync(dirname(target), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules', dependency), target);
    }
    mkdirSync(join(modules, '.bin'));
    for (const [command, file] of Object.entries(bin as Record<string, string>)) {
      symlinkSync(join(installed, file), join(modules, '.bin', command));
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function run(command: string, args: readonly string[], input = ''): string {
    const path = join(folder, 'node_modules', '.bin', command);
    return execFileSync(process.execPath, [path, ...args], { input, encoding: 'utf8', stdio: 'pipe', cwd: folder });
  }

  it('knows its version', () => assert.match(run('cappol', ['version']), new RegExp(`^cappol +${version}$`, 'm')));

  it('is a plugin of kubectl', () => assert.match(run('kubectl-cappol', ['--help']), /^Usage: kubectl cappol /));

  it('judges', () => {
    const policy = join(ROOT, 'config', 'samples', 'audit-everything.yaml');
    const pod = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}\n';
    assert.throws(
      () => run('cappol', ['check', '-f', '-', '--policy', policy], pod),
      ({ status, stdout }: { status: number; stdout: string }) =>
        status === 1 && /must drop capability ALL/.test(stdout),
    );
  });

  it('explains, suggests and renders', () => {
    const policy = join(ROOT, 'config', 'samples', 'ping.yaml');
    assert.match(run('cappol', ['explain', 'NET_RAW']), /NET_RAW/);
    assert.match(run('cappol', ['render', '--policy', policy]), /^kind: ValidatingAdmissionPolicy$/m);
  });

  it('contains what it needs, and no sources or tests', () => {
    assert.deepEqual(readdirSync(installed).sort(), ['LICENSE', 'README.md', 'crds', 'dist', 'package.json']);
    assert.deepEqual(readdirSync(join(installed, 'dist')), ['cappol']);
  });
});
