#!/usr/bin/env node
/** cappol, as a process: the only file of the command line that knows of one. */
import { basename } from 'node:path';
import { run } from './program.ts';
import { problemWithNode } from './version.ts';

/** What a shell reports of a program that a closed pipe ended: 128 + SIGPIPE. */
const CLOSED_PIPE = 141;
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

const problem = problemWithNode(process.versions.node);
if (problem !== undefined) {
  process.stderr.write(`cappol: ${problem}\n`);
  process.exit(2);
}

const stopping = new AbortController();
let stopped: number | undefined;

for (const [signal, code] of Object.entries(SIGNALS)) {
  // Once: the second one ends us at once.
  process.once(signal, () => {
    stopped = code;
    stopping.abort();
  });
}

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(CLOSED_PIPE);
  });
}

const code = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  signal: stopping.signal,
  name: basename(process.argv[1] ?? '').startsWith('kubectl-') ? 'kubectl cappol' : 'cappol',
});
process.exitCode = stopped ?? code;
// A standard input that nobody closes must not keep us.
process.stdin.unref?.();
