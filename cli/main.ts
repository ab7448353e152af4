#!/usr/bin/env node
/** Runs cappol as a process. main.ts is the only file of the command line that uses `process`. */
import { basename } from 'node:path';
import { run } from './program.ts';
import { problemWithNode } from './version.ts';

/** The exit code that a shell reports if a closed pipe ended the program: 128 + SIGPIPE. */
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
  // The handler runs only for the first signal. A second signal therefore ends the process at once.
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

// main.ts has no top-level await, because a single executable runs the file as CommonJS.
run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  signal: stopping.signal,
  name: isPlugin() ? 'kubectl cappol' : 'cappol',
}).then((code) => {
  process.exitCode = stopped ?? code;
  // An open standard input must not keep the process alive.
  process.stdin.unref?.();
});

/**
 * Whether the program was started by kubectl, or under the name of the kubectl plugin. The function looks at the name
 * of the script or executable.
 */
function isPlugin(): boolean {
  return [process.argv0, process.argv[1] ?? ''].some((path) => basename(path).startsWith('kubectl-'));
}
