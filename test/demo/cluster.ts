/** Where the demo plays: on a control plane of its own, or on the user's cluster when asked to. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { startControlPlane } from '../controlplane/controlplane.ts';

export const ROOT = join(import.meta.dirname, '..', '..');

export interface DemoCluster {
  readonly kubeconfig: string;
  readonly kubectl: string;
  startOperator(): Promise<void>;
  stopOperator(): Promise<void>;
  stop(): Promise<void>;
}

/** A KUBECONFIG in the environment is ignored: it may name a production cluster. */
export async function ownCluster(): Promise<DemoCluster> {
  console.error('Starting a Kubernetes control plane of our own …');
  const { kubeconfig, kubectl, stop } = await bound(startControlPlane());
  return withOperator(kubeconfig, kubectl, stop);
}

/** @throws Error when there is no KUBECONFIG or no kubectl */
export async function usersCluster(): Promise<DemoCluster> {
  const kubeconfig = process.env.KUBECONFIG;
  if (!kubeconfig) throw new Error('--use-kubeconfig: KUBECONFIG is not set; export KUBECONFIG=~/.kube/config');
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' });
  } catch {
    throw new Error('--use-kubeconfig needs kubectl on the PATH: see https://kubernetes.io/docs/tasks/tools/');
  }
  return withOperator(kubeconfig, 'kubectl', async () => {});
}

async function bound(starting: ReturnType<typeof startControlPlane>) {
  const controlPlane = await starting;
  const { kubeconfig, kubectl } = controlPlane;
  return { kubeconfig, kubectl, stop: () => controlPlane.stop() };
}

function withOperator(kubeconfig: string, kubectl: string, stopCluster: () => Promise<void>): DemoCluster {
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
