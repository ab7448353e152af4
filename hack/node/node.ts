/** A real node beside the project's control plane: kube-scheduler, kubelet, containerd and runc, so that pods run. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { Api } from '../controlplane/api.ts';
import { type ControlPlane, startControlPlane } from '../controlplane/controlplane.ts';
import { KUBERNETES_SERVICE } from '../controlplane/credentials.ts';
import { ServerProcess, Watchdog } from '../controlplane/server-process.ts';
import { waitFor } from '../controlplane/wait.ts';
import { lacking } from '../needs.ts';
import { createCgroup, foldersOfCgroup, removeCgroup } from './cgroup.ts';
import { filesOf, NODE_ADDRESS, writeEgressSelector, writeNodeFiles } from './configuration.ts';
import { toolsArchive } from './images.ts';
import { cniPlugins, NODE_NEEDS } from './needs.ts';
import { findNodePrograms } from './programs.ts';
import { type Command, Sandbox } from './sandbox.ts';

const run = promisify(execFile);
const RELAY = join(import.meta.dirname, 'relay.ts');
export const NODE_NAME = 'node-1';
const READY_MS = 180_000;

export interface RealNode {
  readonly controlPlane: ControlPlane;
  /** As the cluster administrator. */
  readonly api: Api;
  /** The control groups of its pods. */
  readonly cgroups: readonly string[];
  /** @param archive the path of an OCI archive */
  importImage(archive: string): Promise<void>;
  /** Ends a container as in a crash. @param id in the pod's status, without containerd:// */
  killContainer(id: string): Promise<void>;
  /** Ends node and control plane, and removes everything that they made; may be called again. */
  stop(): Promise<void>;
}

/**
 * Starts a control plane with one node, and waits until that is Ready. Both end with this process, however it ends.
 *
 * The node is in separate namespaces: no mount, network interface or kernel setting of the machine changes. The machine
 * sees its processes, a control group, and a temporary folder.
 *
 * @throws with what is missing if the machine cannot run a node; with the end of a server's log if one does not start
 */
export async function startNode(options: { readonly quiet?: boolean } = {}): Promise<RealNode> {
  const problem = lacking(NODE_NEEDS);
  if (problem !== undefined) throw new Error(`this machine cannot run a node, ${problem}`);
  const programs = await findNodePrograms();
  const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-node-'));
  const node = new LocalNode(folder);
  try {
    await node.start(programs, options);
    return node;
  } catch (error) {
    await node.stop();
    throw error;
  }
}

class LocalNode implements RealNode {
  readonly cgroups: readonly string[];
  readonly #folder: string;
  readonly #watchdog = new Watchdog();
  #sandbox: Sandbox | undefined;
  #controlPlane: ControlPlane | undefined;
  #api: Api | undefined;
  #servers: ServerProcess[] = [];

  constructor(folder: string) {
    this.#folder = folder;
    this.cgroups = foldersOfCgroup(basename(folder));
    for (const each of [...this.cgroups, folder]) this.#watchdog.removeAtTheEnd(each);
  }

  get controlPlane(): ControlPlane {
    return started(this.#controlPlane);
  }

  get api(): Api {
    return started(this.#api);
  }

  async start(programs: { kubelet: string; scheduler: string }, { quiet = false }: { quiet?: boolean }): Promise<void> {
    createCgroup(basename(this.#folder));
    const files = filesOf(this.#folder);
    writeEgressSelector(files);
    const starting = Sandbox.start(this.#folder, this.#watchdog, { service: KUBERNETES_SERVICE, node: NODE_ADDRESS });
    const [sandbox, controlPlane] = await Promise.allSettled([
      starting,
      startControlPlane({
        quiet,
        apiServerFlags: [
          '--enable-admission-plugins=NodeRestriction',
          `--egress-selector-config-file=${files.egressSelector}`,
        ],
      }),
    ]);
    if (controlPlane.status === 'fulfilled') this.#controlPlane = controlPlane.value;
    if (sandbox.status === 'fulfilled') this.#sandbox = sandbox.value;
    for (const each of [sandbox, controlPlane]) if (each.status === 'rejected') throw each.reason;
    this.#api = new Api(this.controlPlane.kubeconfig);
    writeNodeFiles(this.#folder, {
      cgroupRoot: `/${basename(this.#folder)}`,
      cniPlugins: cniPlugins() ?? '',
      authority: authorityOf(this.controlPlane.kubeconfig),
    });
    await letNodesWork(this.#api);
    await this.#startServers(programs);
    // Without it no pod starts: it is also the pause image.
    await this.importImage(await toolsArchive(this.#folder));
  }

  async importImage(archive: string): Promise<void> {
    await this.#ctr('images', 'import', archive);
  }

  async killContainer(id: string): Promise<void> {
    await this.#ctr('tasks', 'kill', '--signal=SIGKILL', id);
  }

  async stop(): Promise<void> {
    // Quick, and as good as an orderly end: nothing of it is used again.
    await Promise.all([...this.#servers.map((server) => server.stop('SIGKILL')), this.#sandbox?.stop()]);
    await this.#api?.close();
    await this.#controlPlane?.stop();
    for (const cgroup of this.cgroups) await removeCgroup(cgroup);
    await this.#watchdog.release();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #startServers({ kubelet, scheduler }: { kubelet: string; scheduler: string }): Promise<void> {
    const { containerd, kubelet: configuration, kubeletFolder, sockets } = filesOf(this.#folder);
    const node = process.execPath;
    const port = new URL(this.controlPlane.server).port;
    this.#launch('relay-outside', { path: node, flags: [RELAY, 'outside', sockets.toServer, port] });
    this.#launchInside('relay-inside', {
      path: node,
      flags: [RELAY, 'inside', sockets.toServer, KUBERNETES_SERVICE, sockets.toNode],
    });
    this.#launch('kube-scheduler', {
      path: scheduler,
      flags: [
        `--kubeconfig=${this.controlPlane.kubeconfigFor('system:kube-scheduler')}`,
        '--leader-elect=false',
        '--secure-port=0',
      ],
    });
    this.#launchInside('containerd', { path: 'containerd', flags: [`--config=${containerd}`] });
    await this.#wait('containerd', async () => {
      const { path, flags } = this.#inside({ path: 'ctr', flags: ['version'] });
      return run(path, flags).then(
        () => true,
        () => false,
      );
    });
    const user = `system:node:${NODE_NAME}`;
    const server = `https://${KUBERNETES_SERVICE}:443`;
    this.#launchInside('kubelet', {
      path: kubelet,
      flags: [
        `--config=${configuration}`,
        `--kubeconfig=${this.controlPlane.kubeconfigFor(user, ['system:nodes'], server)}`,
        `--hostname-override=${NODE_NAME}`,
        `--node-ip=${NODE_ADDRESS}`,
        `--root-dir=${kubeletFolder}`,
        `--cert-dir=${join(kubeletFolder, 'pki')}`,
      ],
    });
    await this.#wait('the node', async () => {
      const node = await this.api.find(`/api/v1/nodes/${NODE_NAME}`);
      const ready = ({ type, status }: { type: string; status: string }) => type === 'Ready' && status === 'True';
      return node?.status.conditions?.some(ready) && node.spec.taints === undefined;
    });
  }

  async #ctr(...args: readonly string[]): Promise<void> {
    const { path, flags } = this.#inside({ path: 'ctr', flags: ['--namespace=k8s.io', ...args] });
    await run(path, flags, { timeout: READY_MS });
  }

  #inside(command: Command): Command {
    return started(this.#sandbox).enter(command);
  }

  #launchInside(name: string, command: Command): void {
    this.#launch(name, this.#inside(command));
  }

  #launch(name: string, command: Command): void {
    const server = new ServerProcess({ name, ...command, logFile: join(this.#folder, `${name}.log`) }, this.#watchdog);
    server.onCrash((message) => process.stderr.write(`node: ${message}\n`));
    this.#servers.push(server);
  }

  /** @throws with the end of the log of a server that ended */
  async #wait(what: string, look: () => Promise<boolean>): Promise<void> {
    const lookAtRunning = () => {
      for (const server of this.#servers) server.assertRunning();
      return look();
    };
    try {
      await waitFor(what, lookAtRunning, { timeoutMs: READY_MS });
    } catch (error) {
      throw new Error(`${(error as Error).message}; the end of the log:\n${this.#servers.at(-1)?.logEnd()}`);
    }
  }
}

/** The control plane authorizes by RBAC alone. */
async function letNodesWork(api: Api): Promise<void> {
  const apiGroup = 'rbac.authorization.k8s.io';
  await api.apply(`/apis/${apiGroup}/v1/clusterrolebindings/nodes`, {
    apiVersion: `${apiGroup}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'nodes' },
    roleRef: { apiGroup, kind: 'ClusterRole', name: 'system:node' },
    subjects: [{ apiGroup, kind: 'Group', name: 'system:nodes' }],
  });
}

function started<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the node runs only between start and stop');
  return value;
}

function authorityOf(kubeconfig: string): string {
  const { clusters } = JSON.parse(readFileSync(kubeconfig, 'utf8'));
  return Buffer.from(clusters[0].cluster['certificate-authority-data'], 'base64').toString('utf8');
}
