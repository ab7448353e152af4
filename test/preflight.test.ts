import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The tests run preflight in a separate project, with the Node of this test run and with a fake npm. */
describe('preflight', () => {
  let project: string;

  beforeEach(() => {
    project = realpathSync(mkdtempSync(join(tmpdir(), 'capabilitypolicy-preflight-')));
    mkdirSync(join(project, 'hack'));
    cpSync(fileURLToPath(new URL('../hack/preflight.js', import.meta.url)), join(project, 'hack', 'preflight.js'));
    write('package.json', { type: 'module' });
    write('package-lock.json', { packages: { '': {}, 'node_modules/a': { version: '1.0.1' } } });
    write('npm', '#!/bin/sh\necho "npm $*" >&2\ncp package-lock.json node_modules/.package-lock.json\n');
    write('node_modules/node/bin/node', `#!/bin/sh\nexec '${process.execPath}' "$@"\n`);
    installed('1.0.1');
  });

  afterEach(() => {
    rmSync(project, { recursive: true });
  });

  it('runs a TypeScript file with unchanged arguments, and ends with the exit code of the file', () => {
    write(
      'print.ts',
      'const all: string[] = process.argv.slice(2); console.log(JSON.stringify(all)); process.exit(7);',
    );
    const { stdout, stderr, status } = preflight('print.ts', '--once', 'two words', '');
    assert.equal(stdout, '["--once","two words",""]\n');
    assert.equal(stderr, '');
    assert.equal(status, 7);
  });

  it('runs a program of a package by the name of the program', () => {
    write('node_modules/.bin/tool', 'console.log("tool");');
    assert.equal(preflight('tool').stdout, 'tool\n');
  });

  it('installs the locked dependencies without output on stdout, if other versions are installed', () => {
    installed('1.0.0');
    write('print.ts', 'console.log("ran");');
    const { stdout, stderr } = preflight('print.ts');
    assert.equal(stdout, 'ran\n');
    assert.match(stderr, /^installing the dependencies: npm ci\nnpm ci /);
    assert.equal(preflight('print.ts').stderr, '');
  });

  it('says so when npm fails', () => {
    installed('1.0.0');
    write('npm', '#!/bin/sh\nexit 1\n');
    const { stderr, status } = preflight('print.ts');
    assert.match(stderr, /npm ci failed/);
    assert.equal(status, 1);
  });

  it('passes SIGTERM to the script, and ends by the same signal as the script', async () => {
    write('wait.ts', 'console.log("up"); setInterval(() => {}, 1000);');
    const child = spawn(process.execPath, ['hack/preflight.js', 'wait.ts'], { cwd: project });
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [null, 'SIGTERM']);
  });

  function preflight(...args: string[]) {
    const env = { ...process.env, PATH: `${project}:${process.env.PATH}` };
    return spawnSync(process.execPath, ['hack/preflight.js', ...args], { cwd: project, env, encoding: 'utf8' });
  }

  function installed(version: string): void {
    write('node_modules/.package-lock.json', { packages: { 'node_modules/a': { version } } });
  }

  function write(file: string, content: string | object): void {
    mkdirSync(join(project, file, '..'), { recursive: true });
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    writeFileSync(join(project, file), text, { mode: 0o755 });
  }
});
