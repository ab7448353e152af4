/** The configuration files of containerd, CNI, kubelet and the API server for a node in a sandbox. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TOOLS_IMAGE } from './images.ts';

/** The address of the bridge, which is also the address of the node. */
export const NODE_ADDRESS = '10.88.0.1';
const POD_NETWORK = '10.88.0.0/16';
/** The path of containerd's socket inside the sandbox. The sandbox has its own file system. */
const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';

interface NodeFiles {
  readonly containerd: string;
  readonly kubelet: string;
  /** The folder for the data that kubelet stores about pods. */
  readonly kubeletFolder: string;
  readonly egressSelector: string;
  /** The paths of two sockets: from the node to the API server, and from the API server to the node. */
  readonly sockets: { readonly toServer: string; readonly toNode: string };
}

export function filesOf(folder: string): NodeFiles {
  return {
    containerd: join(folder, 'containerd.toml'),
    kubelet: join(folder, 'kubelet.yaml'),
    kubeletFolder: join(folder, 'kubelet'),
    egressSelector: join(folder, 'egress-selector.yaml'),
    sockets: { toServer: join(folder, 'server.sock'), toNode: join(folder, 'node.sock') },
  };
}

/**
 * Writes the egress selector. The API server is outside the node's network, and reaches kubelet and pods through a
 * socket.
 */
export function writeEgressSelector({ egressSelector, sockets }: NodeFiles): void {
  const transport = { uds: { udsName: sockets.toNode } };
  writeYaml(egressSelector, {
    apiVersion: 'apiserver.k8s.io/v1beta1',
    kind: 'EgressSelectorConfiguration',
    egressSelections: [{ name: 'cluster', connection: { proxyProtocol: 'HTTPConnect', transport } }],
  });
}

interface Machine {
  readonly cgroupRoot: string;
  readonly cniPlugins: string;
  /**
   * The certificate of a certificate authority in PEM format. The kubelet accepts the client certificates of this
   * authority.
   */
  readonly authority: string;
}

export function writeNodeFiles(folder: string, machine: Machine): void {
  const files = filesOf(folder);
  mkdirSync(files.kubeletFolder);
  const cni = join(folder, 'cni');
  mkdirSync(cni);
  writeYaml(join(cni, '10-bridge.conflist'), cniConfiguration());
  writeFileSync(files.containerd, containerdConfiguration(join(folder, 'containerd'), machine.cniPlugins, cni));
  const authority = join(folder, 'authority.crt');
  writeFileSync(authority, machine.authority);
  const resolver = join(folder, 'resolv.conf');
  writeFileSync(resolver, '');
  writeYaml(files.kubelet, kubeletConfiguration(folder, machine.cgroupRoot, authority, resolver));
}

function kubeletConfiguration(folder: string, cgroupRoot: string, authority: string, resolver: string): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: NODE_ADDRESS,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: authority } },
    authorization: { mode: 'Webhook' },
    cgroupDriver: 'cgroupfs',
    cgroupRoot,
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    // The disk belongs to the machine. The kubelet therefore evicts no pods when the disk is full.
    evictionHard: { 'memory.available': '1Mi', 'nodefs.available': '0%', 'imagefs.available': '0%' },
    failCgroupV1: false,
    failSwapOn: false,
    healthzPort: 0,
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    // If makeIPTablesUtilChains were true, the kubelet would need iptables.
    makeIPTablesUtilChains: false,
    maxOpenFiles: 20_000,
    oomScoreAdj: 0,
    registryPullQPS: 0,
    resolvConf: resolver,
    serializeImagePulls: false,
    // By default, the kubelet would create the folder for volume plugins below /usr.
    volumePluginDir: join(folder, 'volume-plugins'),
  };
}

/** The CNI configuration of a bridge that assigns addresses. No packet leaves the node's network. */
function cniConfiguration(): object {
  const ipam = {
    type: 'host-local',
    ranges: [[{ subnet: POD_NETWORK, gateway: NODE_ADDRESS, rangeStart: '10.88.1.1' }]],
  };
  return {
    cniVersion: '1.0.0',
    name: 'bridge',
    plugins: [{ type: 'bridge', bridge: 'cni0', isDefaultGateway: true, hairpinMode: true, ipam }],
  };
}

/** The configuration of containerd 1.6 and newer. */
function containerdConfiguration(root: string, plugins: string, cni: string): string {
  const unused = [
    'nri.v1.nri',
    'internal.v1.opt',
    'snapshotter.v1.btrfs',
    'snapshotter.v1.zfs',
    'snapshotter.v1.devmapper',
  ];
  return `
version = 2
root = '${root}'
state = '/run/containerd'
disabled_plugins = [${unused.map((name) => `'io.containerd.${name}'`).join(', ')}]

[grpc]
  address = '${CONTAINERD_SOCKET}'

[plugins.'io.containerd.grpc.v1.cri']
  sandbox_image = '${TOOLS_IMAGE}'
  disable_apparmor = true
  restrict_oom_score_adj = true
  # containerd 2.0 sets both, and then ping and port 80 need no capability.
  enable_unprivileged_icmp = false
  enable_unprivileged_ports = false
  [plugins.'io.containerd.grpc.v1.cri'.cni]
    bin_dir = '${plugins}'
    conf_dir = '${cni}'
  [plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.runc]
    runtime_type = 'io.containerd.runc.v2'
    [plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.runc.options]
      SystemdCgroup = false
`;
}

/** Writes a configuration file as JSON, which is also valid YAML. */
function writeYaml(file: string, content: object): void {
  writeFileSync(file, JSON.stringify(content, null, 2));
}
