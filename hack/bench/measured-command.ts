/** Runs a program until it ends, and measures its time, CPU and memory from outside. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Usage, usageOf } from './measured-process.ts';

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** The path of the file for standard input. */
  readonly stdin?: string;
}

export interface Ran extends Usage {
  readonly code: number | null;
  readonly stdout: string;
}

/**
 * The time in ms between two measurements. The interval is so short that the measurement misses at most a hundredth of
 * a second of CPU time.
 */
const EVERY_MS = 10;

/**
 * Runs a program.
 *
 * @param folder the folder for the output files
 * @throws if the program prints an error on standard error and writes no output
 */
export async function measureCommand({ program, args, stdin = '/dev/null' }: Command, folder: string): Promise<Ran> {
  const path = (name: string) => join(folder, name);
  const files = [openSync(stdin, 'r'), openSync(path('stdout'), 'w'), openSync(path('stderr'), 'w')] as const;
  const started = performance.now();
  const child = spawn(program, args, { stdio: [...files] });
  let usage: Omit<Usage, 'seconds'> = { cpuSeconds: 0, rssMiB: 0 };
  const sample = () => {
    usage = (child.pid === undefined ? undefined : usageOf(child.pid)) ?? usage;
  };
  const sampling = setInterval(sample, EVERY_MS);
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('exit', resolve));
  const seconds = (performance.now() - started) / 1000;
  clearInterval(sampling);
  for (const file of files) closeSync(file);
  const stdout = readFileSync(path('stdout'), 'utf8');
  if (stdout === '')
    throw new Error(`${program} ended with ${code}: ${readFileSync(path('stderr'), 'utf8').slice(-2_000)}`);
  return { ...usage, seconds, code, stdout };
}
