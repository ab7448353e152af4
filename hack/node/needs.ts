/** Checks the requirements that a real node has on the machine. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SERVER_MINOR } from '../controlplane/version.ts';
import type { Needs } from '../needs.ts';
import { problemWithCgroups } from './cgroup.ts';
import { KUBELET_VERSION } from './programs.ts';

/**
 * The folders for CNI plug-ins. Debian uses /usr/lib/cni, containerd itself uses /opt/cni/bin, and other distributions
 * use /usr/libexec/cni.
 */
const PLUGIN_FOLDERS = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni'];
const PLUGINS = ['bridge', 'host-local', 'loopback'];

export const NODE_NEEDS: Needs = {
  root: true,
  programs: {
    containerd: 'apt-get install containerd',
    ctr: 'apt-get install containerd',
    runc: 'apt-get install runc',
    buildah: 'apt-get install buildah',
    ip: 'apt-get install iproute2',
    nsenter: 'apt-get install util-linux',
    ping: 'apt-get install iputils-ping',
    setcap: 'apt-get install libcap2-bin',
  },
  problem: () => problemWithVersion() ?? problemWithPlugins() ?? problemWithCgroups() ?? problemWithNamespaces(),
};

/** The folder of the CNI plug-ins. The result is undefined if no folder contains all plug-ins that a node needs. */
export function cniPlugins(): string | undefined {
  return PLUGIN_FOLDERS.find((folder) => PLUGINS.every((name) => existsSync(join(folder, name))));
}

/** The problem with kubelet's version. The version skew policy of Kubernetes says which versions work together. */
function problemWithVersion(): string | undefined {
  if (SERVER_MINOR >= Number(KUBELET_VERSION.split('.')[1])) return undefined;
  return `kubelet ${KUBELET_VERSION} may not be newer than the API server, 1.${SERVER_MINOR}`;
}

function problemWithPlugins(): string | undefined {
  if (cniPlugins() !== undefined) return undefined;
  return `it needs the CNI plug-ins ${PLUGINS.join(', ')}: apt-get install containernetworking-plugins`;
}

/** The problem with namespaces. In a container, root usually has no permission to create namespaces. */
function problemWithNamespaces(): string | undefined {
  const made = spawnSync('unshare', ['--mount', '--net', '--pid', '--uts', '--ipc', '--fork', '--mount-proc', 'true'], {
    encoding: 'utf8',
  });
  return made.status === 0 ? undefined : `it may not make namespaces: ${made.error?.message ?? made.stderr.trim()}`;
}
