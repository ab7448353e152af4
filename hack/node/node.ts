/**
 * Runs a real node for the project's control plane, so that pods run. The node runs kube-scheduler, kubelet, containerd
 * and runc.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Api } from '../controlplane/api.ts';
import { type ControlPlane, startControlPlane } from '../controlplane/controlplane.ts';
import { KUBERNETES_SERVICE } from '../controlplane/credentials.ts';
import { Watchdog } from '../controlplane/server-process.ts';
import { lacking } from '../needs.ts';
import { createCgroup, foldersOfCgroup, removeCgroup } from './cgroup.ts';
import { filesOf, NODE_ADDRESS, writeEgressSelector, writeNodeFiles } from './configuration.ts';
import { toolsArchive } from './images.ts';
import { cniPlugins, NODE_NEEDS } from './needs.ts';
import { findNodePrograms } from './programs.ts';
import { Sandbox } from './sandbox.ts';
import { NodeServers } from './servers.ts';

const RELAY = join(import.meta.dirname, 'relay.ts');
export const NODE_NAME = 'node-1';

export interface RealNode {
  readonly controlPlane: ControlPlane;
  /** A client with the rights of the cluster administrator. */
  readonly api: Api;
  /** The paths of the control groups of the node's pods. */
  readonly cgroups: readonly string[];
  /** Imports an image. @param archive the path of an OCI archive */
  importImage(archive: string): Promise<void>;
  /** Kills a container as in a crash. @param id the ID of the container in the pod's status, without containerd:// */
  killContainer(id: string): Promise<void>;
  /**
   * Ends the node and the control plane, and removes everything that they created. Callers may call stop() more than
   * once.
   */
  stop(): Promise<void>;
}

interface NodeOptions {
  readonly quiet?: boolean;
  /** Additional flags of kube-apiserver. */
  readonly apiServerFlags?: readonly string[];
}

/**
 * Starts a control plane with one node, and waits until the node is Ready. When this process ends for any reason, the
 * control plane and the node also end.
 *
 * The node is in separate namespaces. The node changes no mount, network interface or kernel setting of the machine.
 * Outside the namespaces, the machine shows only three traces of the node: processes, a control group, and a temporary
 * folder.
 *
 * @throws an error if the machine cannot run a node, or if a server does not start. The error names the missing
 * requirements, or contains the end of the server's log
 */
export async function startNode(options: NodeOptions = {}): Promise<RealNode> {
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
  #controlPlane: ControlPlane | undefined;
  #api: Api | undefined;
  #servers: NodeServers | undefined;

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

  async start(
    programs: { kubelet: string; scheduler: string },
    { quiet = false, apiServerFlags = [] }: NodeOptions,
  ): Promise<void> {
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
          ...apiServerFlags,
        ],
      }),
    ]);
    if (controlPlane.status === 'fulfilled') this.#controlPlane = controlPlane.value;
    if (sandbox.status === 'fulfilled') this.#servers = new NodeServers(this.#folder, this.#watchdog, sandbox.value);
    for (const each of [sandbox, controlPlane]) if (each.status === 'rejected') throw each.reason;
    this.#api = new Api(this.controlPlane.kubeconfig);
    writeNodeFiles(this.#folder, {
      cgroupRoot: `/${basename(this.#folder)}`,
      cniPlugins: cniPlugins() ?? '',
      authority: authorityOf(this.controlPlane.kubeconfig),
    });
    await letNodesWork(this.#api);
    await this.#startServers(programs);
    // The tools image is also the pause image, so no pod starts without the tools image.
    await this.importImage(await toolsArchive(this.#folder));
  }

  async importImage(archive: string): Promise<void> {
    await started(this.#servers).ctr('--namespace=k8s.io', 'images', 'import', archive);
  }

  async killContainer(id: string): Promise<void> {
    await started(this.#servers).ctr('--namespace=k8s.io', 'tasks', 'kill', '--signal=SIGKILL', id);
  }

  async stop(): Promise<void> {
    await this.#servers?.stop();
    await this.#api?.close();
    await this.#controlPlane?.stop();
    for (const cgroup of this.cgroups) await removeCgroup(cgroup);
    await this.#watchdog.release();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #startServers({ kubelet, scheduler }: { kubelet: string; scheduler: string }): Promise<void> {
    const { containerd, kubelet: configuration, kubeletFolder, sockets } = filesOf(this.#folder);
    const node = process.execPath;
    const servers = started(this.#servers);
    const port = new URL(this.controlPlane.server).port;
    servers.launch('relay-outside', { path: node, flags: [RELAY, 'outside', sockets.toServer, port] });
    servers.launchInside('relay-inside', {
      path: node,
      flags: [RELAY, 'inside', sockets.toServer, KUBERNETES_SERVICE, sockets.toNode],
    });
    servers.launch('kube-scheduler', {
      path: scheduler,
      flags: [
        `--kubeconfig=${this.controlPlane.kubeconfigFor('system:kube-scheduler')}`,
        '--leader-elect=false',
        '--secure-port=0',
      ],
    });
    servers.launchInside('containerd', { path: 'containerd', flags: [`--config=${containerd}`] });
    await servers.waitFor('containerd', () =>
      servers.ctr('version').then(
        () => true,
        () => false,
      ),
    );
    const user = `system:node:${NODE_NAME}`;
    const server = `https://${KUBERNETES_SERVICE}:443`;
    servers.launchInside('kubelet', {
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
    await servers.waitFor('the node', async () => {
      const node = await this.api.find(`/api/v1/nodes/${NODE_NAME}`);
      const ready = ({ type, status }: { type: string; status: string }) => type === 'Ready' && status === 'True';
      return node?.status.conditions?.some(ready) && node.spec.taints === undefined;
    });
  }
}

/** Gives nodes their rights by RBAC. RBAC is the only authorizer of the control plane. */
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
  if (value === undefined) throw new Error('the node runs only after start() and before stop()');
  return value;
}

function authorityOf(kubeconfig: string): string {
  const { clusters } = JSON.parse(readFileSync(kubeconfig, 'utf8'));
  return Buffer.from(clusters[0].cluster['certificate-authority-data'], 'base64').toString('utf8');
}
