import { spawn } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const PREFLIGHT = join(ROOT, 'hack', 'preflight.js');

export interface Ended {
  readonly code: number;
  /** The text on standard output and standard error. */
  readonly output: string;
  /** Whether the process was ended because it printed nothing for too long. */
  readonly hung: boolean;
}

interface Options {
  /** A function that is called with each piece of the output. */
  readonly onOutput?: (text: string) => void;
  /** A process that prints nothing for this time is ended. The default is about 24 days. */
  readonly silenceMs?: number;
}

/** The longest time of a timer. */
const MOST_MS = 2 ** 31 - 1;
/** The time in ms for a process to end after the process was told to end. */
const ENDING_MS = 5_000;

/**
 * Runs a command with the project's Node in a separate process. The process starts its own control plane. If the
 * process leaves other processes behind, the result does not wait for these processes.
 */
export async function execute(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  { onOutput = () => {}, silenceMs = MOST_MS }: Options = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [PREFLIGHT, ...command], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const streams = [child.stdout, child.stderr];
  let output = '';
  let hung = false;
  // Other processes may still have the streams open when the process has ended.
  const closeSoon = () => {
    setTimeout(() => {
      child.kill('SIGKILL');
      for (const stream of streams) stream.destroy();
    }, ENDING_MS).unref();
  };
  const silence = setTimeout(() => {
    hung = true;
    child.kill('SIGTERM');
    closeSoon();
  }, silenceMs);
  for (const stream of streams) {
    stream.on('data', (text) => {
      silence.refresh();
      output += text;
      onOutput(String(text));
    });
  }
  child.once('exit', closeSoon);
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status) => resolve(status ?? 1));
    });
    return { code, output, hung };
  } finally {
    clearTimeout(silence);
  }
}
