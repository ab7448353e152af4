/** Finds out whether the page may be out of date. The information comes from the log entries of the reflectors. */
import type { Log, LogKeys } from '../../../operator/runtime/log.ts';

const SILENT = { error() {}, warn() {}, info() {}, debug() {} };

/** @param show receives the current problem, or undefined if everything works */
export function followingLog(show: (problem: string | undefined) => void): Log {
  const problems = new Map<string, string>();
  // The reflector of each kind logs a problem once, and logs once more when the problem is over.
  const logOf = (kind: string): Log => ({
    ...SILENT,
    warn(message, { error }: LogKeys = {}) {
      const why = error instanceof Error ? `: ${error.message.split('\n')[0]}` : '';
      problems.set(kind, `${kind}: ${message}${why}`);
      show(problems.values().next().value);
    },
    info() {
      if (problems.delete(kind)) show(problems.values().next().value);
    },
    child: () => logOf(kind),
  });
  return { ...SILENT, child: ({ kind }) => logOf(`${kind}`) };
}
