/** Prints the problems of a connection, so that a user who waits for the cluster sees the problems. */
import type { Log, LogKeys } from '../../operator/runtime/log.ts';
import type { Io } from '../command.ts';

export function complaints({ stderr }: Pick<Io, 'stderr'>): Log {
  const tell = (message: string, { error }: LogKeys = {}) => {
    const why = error instanceof Error ? `: ${error.message.split('\n')[0]}` : '';
    stderr.write(`cappol: ${message}${why}\n`);
  };
  const log: Log = { error: tell, warn: tell, info() {}, debug() {}, child: () => log };
  return log;
}
