/**
 * Tests cappol as a single executable for this machine's system and processor. The executable is unpacked into an empty
 * folder.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { archiveName, thisPlatform } from '../../config/release/platforms.ts';
import { ROOT } from '../support/page.ts';
import { TAKING, takenSnapshot } from '../support/snapshots.ts';
import { clusterOf, wholeCluster } from '../support/views.ts';
import { executableFolder, newFolder } from './packed.ts';

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}\n';

describe('the executable', function () {
  this.timeout(300_000);
  const archive = archiveName(thisPlatform());
  let release: string;
  let folder: string;

  before(async () => {
    release = await executableFolder();
    folder = newFolder('unpacked');
    execFileSync('tar', ['-xzf', join(release, archive), '-C', folder]);
  });

  function run(args: readonly string[], input = '') {
    // With this PATH, the executable finds neither Node nor any other program.
    const options = {
      cwd: folder,
      env: { PATH: '', HOME: folder },
      input,
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    } as const;
    return spawnSync(join(folder, 'cappol'), args, options);
  }

  it('has the checksum beside it', () => {
    const packed = readFileSync(join(release, archive));
    const sum = createHash('sha256').update(packed).digest('hex');
    assert.equal(readFileSync(join(release, `${archive}.sha256`), 'utf8'), `${sum}  ${archive}\n`);
  });

  it('the executable comes with the licences of its parts', () => {
    assert.deepEqual(readdirSync(folder).sort(), ['LICENSE', 'LICENSES.txt', 'cappol']);
    const text = readFileSync(join(folder, 'LICENSES.txt'), 'utf8');
    for (const part of [`node ${process.versions.node}`, 'js-yaml', '@kubernetes/client-node'])
      assert.ok(text.includes(part), part);
    assert.ok(statSync(join(folder, 'cappol')).mode & 0o111);
  });

  it('the executable prints the same result as the source code, and prints nothing on stderr', () => {
    const args = ['check', '-f', '-', '--level', 'restricted', '-o', 'json'];
    const { status, stdout, stderr } = run(args, POD);
    assert.deepEqual([status, stderr], [1, '']);
    const source = spawnSync(process.execPath, [join(ROOT, 'cli', 'main.ts'), ...args], {
      input: POD,
      encoding: 'utf8',
    });
    assert.equal(stdout, source.stdout);
  });

  it('the executable uses threads for a large input', () => {
    const pods = Array.from({ length: 12_000 }, () => `# ${'-'.repeat(400)}\n${POD}---\n`).join('');
    const { status, stdout, stderr } = run(['check', '-f', '-', '--level', 'restricted'], pods);
    assert.deepEqual([status, stderr], [1, '']);
    assert.match(stdout, /^12000 workloads evaluated against 1 policy: 0 compliant, 12000 violating/m);
  });

  it('has every command that the source has', () => {
    const help = spawnSync(process.execPath, [join(ROOT, 'cli', 'main.ts'), '--help'], { encoding: 'utf8' }).stdout;
    assert.equal(run(['--help']).stdout, help);
    assert.match(run(['version']).stdout, new RegExp(`^cappol +${version}$`, 'm'));
    assert.match(run(['render', '--policy', join(ROOT, 'config/samples/ping.yaml')]).stdout, /^kind: Validating/m);
    assert.match(run(['completion', 'bash']).stdout, /complete .*cappol/);
    assert.match(run(['status', '--kubeconfig', 'none.yaml']).stderr, /^cappol: .*none\.yaml/);
  });

  it('has the page, for reports', () => {
    const snapshot = takenSnapshot(wholeCluster(clusterOf([]), [], []), { ...TAKING, context: 'one' });
    writeFileSync(join(folder, 'snapshot.json'), JSON.stringify(snapshot));
    const { status, stdout, stderr } = run(['report', '--html', '-', '--from', 'snapshot.json']);
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /^<!doctype html>[\s\S]*data-context="one"/);
  });

  it('the executable is a kubectl plugin if its name is kubectl-cappol', () => {
    symlinkSync(join(folder, 'cappol'), join(folder, 'kubectl-cappol'));
    const { stdout } = spawnSync(join(folder, 'kubectl-cappol'), ['--help'], { encoding: 'utf8' });
    assert.match(stdout, /^Usage: kubectl cappol /);
  });
});
