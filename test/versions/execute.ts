import { spawn } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const PREFLIGHT = join(ROOT, 'hack', 'preflight.js');

export interface Ended {
  readonly code: number;
  /** The text on standard output and standard error. */
  readonly output: string;
}

/**
 * Runs a command with the project's Node in a separate process. The process starts its own control plane.
 * @param onOutput a function that is called with each piece of the output
 */
export async function execute(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  onOutput: (text: string) => void = () => {},
): Promise<Ended> {
  const child = spawn(process.execPath, [PREFLIGHT, ...command], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      output += text;
      onOutput(String(text));
    });
  }
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? 1));
  });
  return { code, output };
}
