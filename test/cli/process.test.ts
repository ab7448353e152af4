/**
 * Tests cappol as a process. The tests cover closed pipes, signals, names, and the modules that are loaded at the
 * start.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { problemWithNode } from '../../cli/version.ts';
import { paste } from './examples.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const MAIN = join(ROOT, 'cli', 'main.ts');
const POLICY = join(ROOT, 'config', 'samples', 'restricted.yaml');

function start(args: readonly string[], main = MAIN): ChildProcess {
  return spawn(process.execPath, [main, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
}

describe('the process', () => {
  it('ends quietly when its output is closed', async () => {
    const pods = `for i in $(seq 2000); do printf -- '---\\napiVersion: v1\\nkind: Pod\\nmetadata: {name: pod-%s}\\nspec: {containers: []}\\n' $i; done`;
    const { stdout, stderr } = await paste(
      `(${pods}) | cappol check -f - --policy '${POLICY}' -o json | head -1; echo "\${PIPESTATUS[1]}"`,
    );
    assert.deepEqual({ stdout, stderr }, { stdout: '{\n141\n', stderr: '' });
  });

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`ends at ${signal}, even while it waits for input`, async () => {
      const child = start(['check', '-f', '-', '--policy', POLICY]);
      const stderr = text(child.stderr as NodeJS.ReadableStream);
      child.stdin?.write('apiVersion: v1\n');
      // On most machines, the process has started to read after 500 ms. The signal must end the process, even if the
      // process has not started to read.
      await sleep(500);
      child.kill(signal);
      const [exit, by] = await once(child, 'exit');
      assert.ok(exit === code || by === signal, `${exit} ${by}`);
      assert.equal(await stderr, '');
    });
  }

  it('is called kubectl cappol as a plugin', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'plugin-'));
    try {
      const link = join(folder, 'kubectl-cappol');
      symlinkSync(MAIN, link);
      const child = start(['check', '--help'], link);
      assert.match(await text(child.stdout as NodeJS.ReadableStream), /^Usage: kubectl cappol check /);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('kubectl finds the plugin in the folder bin of a checkout', async () => {
    const { stdout } = await paste('kubectl-cappol --version');
    assert.match(stdout, /^cappol \d/);
  });

  it('says so when Node is too old', () => {
    for (const version of ['22.19.0', '22.20.1', '24.0.0']) assert.equal(problemWithNode(version), undefined);
    for (const version of ['20.20.2', '22.18.9', '18.0.0']) {
      assert.equal(problemWithNode(version), `Node ${version} is too old: Node 22.19 or newer is needed`);
    }
  });

  it('cappol loads neither the client nor the parser until cappol knows the command', async () => {
    const { metafile } = await build({
      entryPoints: [MAIN],
      bundle: true,
      splitting: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      outdir: 'nowhere',
      write: false,
      metafile: true,
    });
    const loaded = new Set<string>();
    const packages = new Set<string>();
    const load = (output: string) => {
      if (loaded.has(output)) return;
      loaded.add(output);
      for (const { path, kind, external } of metafile.outputs[output]?.imports ?? []) {
        if (kind !== 'import-statement') continue;
        if (!external) load(path);
        else if (!path.startsWith('node:')) packages.add(path);
      }
    };
    load(Object.keys(metafile.outputs).find((output) => output.endsWith('/main.js')) ?? '');
    assert.deepEqual([...packages], ['commander']);
  });
});
