/** The requirements of a script or a test on the machine, besides Node and Go. */
import { spawnSync } from 'node:child_process';

export interface Needs {
  /** Program → how to install it. */
  readonly programs: Readonly<Record<string, string>>;
  readonly root?: boolean;
  /** For people: other missing requirements; undefined if nothing is missing. Asked last. */
  readonly problem?: () => string | undefined;
}

/** For people: what to do about missing requirements; undefined if nothing is missing. */
export function lacking({ programs, root = false, problem }: Needs): string | undefined {
  if (root && process.platform !== 'linux') return 'it needs Linux';
  if (root && process.getuid?.() !== 0) return 'it needs root: run it with sudo';
  const missing = Object.entries(programs).find(([name]) => spawnSync(name, ['--version']).error);
  return missing ? `it needs ${missing[0]}: ${missing[1]}` : problem?.();
}
