/**
 * Runs a control plane for experiments until Ctrl-C. Standard output has only lines that a shell can evaluate. All other
 * output is on standard error.
 */
import { delimiter } from 'node:path';
import { lacking } from '../needs.ts';
import { NODE_NEEDS } from '../node/needs.ts';
import { startNode } from '../node/node.ts';
import { findNodePrograms } from '../node/programs.ts';
import { argumentsOrExit } from '../options-or-exit.ts';
import { findBinaries } from './binaries.ts';
import { type ControlPlane, startControlPlane } from './controlplane.ts';
import { findHelm } from './helm.ts';

const HELP = `Usage: npm run controlplane -- [options]

Runs a control plane for experiments until Ctrl-C, and prints the variables to set in your shell. The first run builds
the programs of the control plane.

  --node      add a node, so that pods run: needs Linux, root and some packages
  --build     only build the programs that are missing
`;

const { values } = argumentsOrExit('controlplane', HELP, {
  options: { node: { type: 'boolean' }, build: { type: 'boolean' } },
});

try {
  await (values.build ? build() : stayUp());
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

async function build(): Promise<void> {
  await findBinaries();
  await findHelm();
  if (lacking(NODE_NEEDS) === undefined) await findNodePrograms();
}

async function stayUp(): Promise<void> {
  const ending = endingSignal();
  const started = await Promise.race([values.node ? startNode() : withoutNode(), ending]);
  if (started === undefined) {
    process.exit();
  }
  const { controlPlane, stop } = started;
  console.log(`export KUBECONFIG='${controlPlane.kubeconfig}'`);
  console.log(`export PATH='${controlPlane.binaries}'${delimiter}"$PATH"`);
  console.error('Paste these two lines into another shell; Ctrl-C ends the control plane and deletes its data.');
  await ending;
  await stop();
  process.exit();
}

interface Started {
  readonly controlPlane: ControlPlane;
  stop(): Promise<void>;
}

async function withoutNode(): Promise<Started> {
  const controlPlane = await startControlPlane();
  return { controlPlane, stop: () => controlPlane.stop() };
}

/**
 * Resolves when the user presses Ctrl-C, when the process gets SIGTERM, or when the terminal is closed. Later signals
 * are ignored, because the control plane stops in less than a second.
 */
function endingSignal(): Promise<undefined> {
  return new Promise((resolve) => {
    // The timer keeps the process alive. Signal handlers alone do not keep a process alive.
    setInterval(() => {}, 3_600_000);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => resolve(undefined));
    }
  });
}
