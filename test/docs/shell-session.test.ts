import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ShellSession } from './shell-session.ts';

describe('a shell session', () => {
  let session: ShellSession;

  beforeEach(() => {
    session = new ShellSession(import.meta.dirname, { PATH: process.env.PATH });
  });
  afterEach(() => session.end());

  it('a session keeps the state of a block for the next block', async () => {
    await session.paste('cd /\nname=ping\nsay() { echo "$name in $PWD"; }\n');
    assert.deepEqual(await session.paste('say\n'), { status: 0, output: 'ping in /\n' });
  });

  it('shows both streams in their order', async () => {
    const { output } = await session.paste('echo one\necho two >&2\necho three\n');
    assert.equal(output, 'one\ntwo\nthree\n');
  });

  it('a session ends at a command that fails, and accepts no later block', async () => {
    await assert.rejects(session.paste('echo before\nfalse\necho after\n'), {
      message: 'a command ended with 1; it printed:\nbefore\n',
    });
    await assert.rejects(session.paste('true\n'), { message: 'an earlier block failed: echo before' });
  });

  it('continues after a block that may fail', async () => {
    assert.deepEqual(await session.paste('echo no\nexit_code() { return 3; }\nexit_code\n', true), {
      status: 3,
      output: 'no\n',
    });
    assert.equal((await session.paste('true\n')).status, 0);
    await assert.rejects(session.paste('false\n'));
  });

  it('Ctrl-C ends a block that does not end by itself, and the session continues', async () => {
    const script = 'trap "echo ended; exit 0" INT; echo begun; while :; do sleep 0.1; done';
    const started = session.start(`sh -c '${script}'\n`);
    await sleep(500);
    assert.deepEqual(await started.interrupt(), { status: 0, output: 'begun\nended\n' });
    assert.equal((await session.paste('true\n')).status, 0);
  });

  it('ends the background processes of blocks', async () => {
    const { output } = await session.paste('sleep 600 &\necho $!\n');
    await session.end();
    assert.throws(() => process.kill(Number(output), 0), { code: 'ESRCH' });
  });
});
