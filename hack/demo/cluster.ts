/**
 * Provides the cluster of the demo: the user's cluster, or a separate control plane. The control plane has a node if
 * the user asks for a node.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startControlPlane } from '../controlplane/controlplane.ts';
import { NODE_ADDRESS } from '../node/configuration.ts';
import { toolsArchive } from '../node/images.ts';
import { startNode } from '../node/node.ts';

export const ROOT = join(import.meta.dirname, '..', '..');

/** The images that the demo uses, each with its command. The command is undefined for an image that only waits. */
const IMAGES: readonly [image: string, entrypoint?: readonly string[]][] = [
  ['registry.example/legacy:1'],
  ['registry.example/web:1'],
  ['registry.example/ping:1', ['/bin/ping-permitted', NODE_ADDRESS]],
];

export interface DemoCluster {
  readonly kubeconfig: string;
  readonly kubectl: string;
  /** Whether the demo has a node, so that pods run. */
  readonly runsPods: boolean;
  startOperator(): Promise<void>;
  stopOperator(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a control plane. The variable KUBECONFIG is ignored, because its file may name a production cluster. */
export async function ownCluster(): Promise<DemoCluster> {
  console.error('Starting a separate Kubernetes control plane …');
  const controlPlane = await startControlPlane();
  return withOperator(controlPlane, () => controlPlane.stop());
}

/**
 * Starts a control plane with a real node. No registry is needed, because the images are built from this machine's
 * programs.
 *
 * @throws Error if the machine cannot run a node. The error names the missing requirements
 */
export async function clusterWithNode(): Promise<DemoCluster> {
  console.error('Starting a separate Kubernetes control plane with a node …');
  const node = await startNode();
  const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-images-'));
  try {
    for (const [image, entrypoint] of IMAGES) await node.importImage(await toolsArchive(folder, image, entrypoint));
  } catch (error) {
    await node.stop();
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return withOperator(node.controlPlane, () => node.stop(), true);
}

/** Connects to the user's cluster. @throws Error if KUBECONFIG is not set, or if kubectl is missing */
export async function usersCluster(): Promise<DemoCluster> {
  const kubeconfig = process.env.KUBECONFIG;
  if (!kubeconfig) throw new Error('--use-kubeconfig: KUBECONFIG is not set; export KUBECONFIG=~/.kube/config');
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' });
  } catch {
    throw new Error('--use-kubeconfig needs kubectl on the PATH: see https://kubernetes.io/docs/tasks/tools/');
  }
  return withOperator({ kubeconfig, kubectl: 'kubectl' }, async () => {});
}

function withOperator(
  { kubeconfig, kubectl }: Pick<DemoCluster, 'kubeconfig' | 'kubectl'>,
  stopCluster: () => Promise<void>,
  runsPods = false,
): DemoCluster {
  let operator: ChildProcess | undefined;
  let log = '';
  const stopOperator = async () => {
    if (!operator || operator.exitCode !== null) return;
    const exited = once(operator, 'exit');
    operator.kill('SIGTERM');
    await exited;
  };
  return {
    kubeconfig,
    kubectl,
    runsPods,
    stopOperator,
    async startOperator() {
      const args = [join(ROOT, 'operator', 'main.ts'), '--kubeconfig', kubeconfig, '--log-format', 'console'];
      operator = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
      operator.stderr?.on('data', (text: Buffer) => {
        log = `${log}${text}`.slice(-4_000);
      });
      operator.once('exit', (code) => {
        if (code) console.error(`The operator ended with ${code}:\n${log}`);
      });
    },
    async stop() {
      await stopOperator();
      await stopCluster();
    },
  };
}
