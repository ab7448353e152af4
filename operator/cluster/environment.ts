/**
 * The parts of the process that affect kubectl's configuration. The parts are the terminal, and the environment
 * variables for kubeconfigs, proxies and plugins.
 */
import { env } from 'node:process';
import { isatty } from 'node:tty';

export type Environment = Readonly<Record<string, string | undefined>>;

export const ENVIRONMENT: Environment = env;

const STDIN = 0;

/** Whether a person at the terminal can answer questions. */
export function isInteractive(): boolean {
  return isatty(STDIN);
}
