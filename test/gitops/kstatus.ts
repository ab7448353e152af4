/** kstatus, as Flux has it: the published library itself, which a program of a few lines asks. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const MODULE = join(import.meta.dirname, 'kstatus');

/** Current, InProgress, Failed, Terminating … of each of the objects. @throws Error with what Go says */
export function kstatusOf(objects: readonly unknown[]): string[] {
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' };
  const input = objects.map((object) => JSON.stringify(object)).join('\n');
  // Go keeps what it has built.
  const { status, stdout, stderr } = spawnSync('go', ['run', '-trimpath', '.'], {
    cwd: MODULE,
    env,
    input,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(stderr);
  return stdout.trimEnd().split('\n');
}
