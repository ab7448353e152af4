/** Checks the requirements that a script or a test has on the machine, in addition to Node and Go. */
import { spawnSync } from 'node:child_process';

export interface Needs {
  /** The required programs. Each program has a text that says how to install it. */
  readonly programs: Readonly<Record<string, string>>;
  readonly root?: boolean;
  /**
   * Checks all other requirements. If a requirement is missing, the function returns a text for users. The result is
   * undefined if nothing is missing. The function is called last.
   */
  readonly problem?: () => string | undefined;
}

/**
 * Returns a text that explains to users what to do about missing requirements. The result is undefined if nothing is
 * missing.
 */
export function lacking({ programs, root = false, problem }: Needs): string | undefined {
  if (root && process.platform !== 'linux') return 'it needs Linux';
  if (root && process.getuid?.() !== 0) return 'it needs root: run the command with sudo';
  const missing = Object.entries(programs).find(([name]) => spawnSync(name, ['--version']).error);
  return missing ? `it needs ${missing[0]}: ${missing[1]}` : problem?.();
}
