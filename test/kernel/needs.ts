/** What this machine lacks to run real containers, and what becomes of the tests then. */
import { spawnSync } from 'node:child_process';

/** For people: what to do about it; undefined when nothing is lacking. */
function lacking(): string | undefined {
  if (process.platform !== 'linux') return 'they need Linux';
  if (process.getuid?.() !== 0) return 'they need root: sudo npm test';
  if (spawnSync('runc', ['--version']).error) return 'they need runc: apt-get install runc';
  return undefined;
}

/**
 * Declares tests that run real containers. A developer's machine that can't run them says so and goes on; in CI, where
 * .ci/run installs what is needed, it is a failure.
 */
export function describeContainers(title: string, tests: () => void): void {
  const reason = lacking();
  if (reason === undefined) {
    describe(title, tests);
  } else if (process.env.CI) {
    describe(title, () => {
      it('runs real containers', () => {
        throw new Error(`not run: ${reason}`);
      });
    });
  } else {
    console.warn(`Left out: ${title}, tests with real containers; ${reason}`);
  }
}
