import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { execute } from './execute.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** The lifetime in seconds of a process. Each of these tests kills the process much earlier. */
const LONG_S = 600;

describe('a command in a separate process', () => {
  let dir = '';
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'capabilitypolicy-execute-'));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  /** Writes a script. @returns the script's path, as a command of execute() */
  function script(name: string, text: string): string[] {
    const file = join(dir, `${name}.mjs`);
    writeFileSync(file, text);
    return [relative(ROOT, file)];
  }

  it('gives its output and its exit code', async () => {
    const command = script('ends', "console.log('out'); console.error('err'); process.exitCode = 3;");
    const { code, output, hung } = await execute(command, process.env);
    assert.deepEqual([code, output.split('\n').sort(), hung], [3, ['', 'err', 'out'], false]);
  });

  it('is ended if it computes for too long without output', async () => {
    const { code, output, hung } = await execute(script('computes', "console.log('begun'); for (;;);"), process.env, {
      silenceMs: 3000,
    });
    assert.deepEqual([code === 0, output, hung], [false, 'begun\n', true]);
  });

  it('is not ended while it prints', async () => {
    const command = script('prints', "for (let i = 0; i < 8; i++) setTimeout(() => console.log('.'), 1000 * i);");
    const { code, hung } = await execute(command, process.env, { silenceMs: 6000 });
    assert.deepEqual([code, hung], [0, false]);
  });

  it('ends although another process still has its output open', async () => {
    const command = script(
      'leaves',
      `const { spawn } = await import('node:child_process');
       const child = spawn('sleep', ['${LONG_S}'], { stdio: 'inherit', detached: true });
       console.log(child.pid);
       child.unref();`,
    );
    const { code, output, hung } = await execute(command, process.env);
    process.kill(Number(output));
    assert.deepEqual([code, hung], [0, false]);
  });
});
