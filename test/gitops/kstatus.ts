/** Computes the kstatus as Flux does. A small Go program calls Flux's published library. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const MODULE = join(import.meta.dirname, 'kstatus');

/**
 * The kstatus of each object, such as Current, InProgress, Failed or Terminating.
 * @throws an Error with Go's message
 */
export function kstatusOf(objects: readonly unknown[]): string[] {
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' };
  const input = objects.map((object) => JSON.stringify(object)).join('\n');
  // Go caches its builds.
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
