/** Runs the command line of cappol in this process. */
import { Readable, Writable } from 'node:stream';
import type { ExitCode } from '../../cli/command.ts';
import { run } from '../../cli/program.ts';

export interface Ran {
  readonly code: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param stdin the text of standard input, or chunks of text that are read one at a time */
export async function cappol(
  args: readonly string[],
  stdin: string | Iterable<string> = '',
  cwd: string = import.meta.dirname,
): Promise<Ran> {
  const written = { stdout: '', stderr: '' };
  const into = (stream: keyof typeof written) =>
    new Writable({
      write(chunk, _encoding, done) {
        written[stream] += chunk;
        done();
      },
    });
  const code = await run(args, {
    stdin: Readable.from(typeof stdin === 'string' ? [stdin] : stdin),
    stdout: into('stdout'),
    stderr: into('stderr'),
    env: {},
    cwd,
    signal: new AbortController().signal,
  });
  return { code, ...written };
}
