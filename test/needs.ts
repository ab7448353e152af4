/** What some tests need of the machine, and what becomes of them where it is not there. */
import { spawnSync } from 'node:child_process';

export interface Needs {
  /** Program → how to get it. */
  readonly programs: Readonly<Record<string, string>>;
  readonly root?: boolean;
}

/**
 * Declares tests that need programs beside Node and Go. A developer's machine without them says so and goes on; in CI,
 * where .ci/run installs them, it is a failure.
 */
export function describeWith(needs: Needs, title: string, tests: () => void): void {
  const reason = lacking(needs);
  if (reason === undefined) {
    describe(title, tests);
  } else if (process.env.CI) {
    describe(title, () => {
      it('finds what it needs', () => {
        throw new Error(`not run: ${reason}`);
      });
    });
  } else {
    console.warn(`Left out: ${title}; ${reason}`);
  }
}

/** For people: what to do about it; undefined when nothing is lacking. */
function lacking({ programs, root = false }: Needs): string | undefined {
  if (root && process.platform !== 'linux') return 'it needs Linux';
  if (root && process.getuid?.() !== 0) return 'it needs root: sudo npm test';
  const missing = Object.entries(programs).find(([name]) => spawnSync(name, ['--version']).error);
  return missing && `it needs ${missing[0]}: ${missing[1]}`;
}
