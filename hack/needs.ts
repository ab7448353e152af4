/** The requirements of a script or a test on the machine, besides Node and Go. */
import { spawnSync } from 'node:child_process';

export interface Needs {
  /** The required programs, each with the way to install it. */
  readonly programs: Readonly<Record<string, string>>;
  readonly root?: boolean;
  /** Other missing requirements, as a text for people; undefined if nothing is missing. It is asked last. */
  readonly problem?: () => string | undefined;
}

/** Says what to do about missing requirements, for people; undefined if nothing is missing. */
export function lacking({ programs, root = false, problem }: Needs): string | undefined {
  if (root && process.platform !== 'linux') return 'it needs Linux';
  if (root && process.getuid?.() !== 0) return 'it needs root: run it with sudo';
  const missing = Object.entries(programs).find(([name]) => spawnSync(name, ['--version']).error);
  return missing ? `it needs ${missing[0]}: ${missing[1]}` : problem?.();
}
