/**
 * The container runtimes of Kubernetes nodes: the capabilities that each runtime gives by default, and how each runtime
 * reads capability names.
 */
import { RUNTIME_DEFAULT } from '../../operator/standards/capabilities.ts';

export interface ContainerRuntime {
  readonly name: 'containerd' | 'CRI-O' | 'Docker';
  /**
   * The capabilities of a container that adds and drops nothing. The configuration of a node can change this default.
   */
  readonly byDefault: readonly string[];
  /** The first release of the runtime that sets SYSCTLS_INSTEAD in pods with their own network namespace. */
  readonly sysctlsInsteadSince?: string;
  /** The source code of the runtime. This entry follows the source code. */
  readonly source: string;
}

export const CONTAINERD: ContainerRuntime = {
  name: 'containerd',
  byDefault: RUNTIME_DEFAULT,
  sysctlsInsteadSince: '2.0',
  source: 'containerd internal/cri/opts/spec_opts.go WithCapabilities, pkg/oci/spec.go defaultUnixCaps',
};

export const CRIO: ContainerRuntime = {
  name: 'CRI-O',
  byDefault: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP', 'NET_BIND_SERVICE'],
  source: 'cri-o internal/factory/container/container.go SpecSetupCapabilities, internal/config/capabilities',
};

/** The kubelet reaches Docker through cri-dockerd. cri-dockerd passes both capability lists to Docker unchanged. */
export const DOCKER: ContainerRuntime = {
  name: 'Docker',
  byDefault: RUNTIME_DEFAULT,
  sysctlsInsteadSince: '20.10',
  source: 'moby daemon/pkg/oci/caps/utils.go TweakCapabilities; cri-dockerd core/security_context.go',
};

export const CONTAINER_RUNTIMES: readonly ContainerRuntime[] = [CONTAINERD, CRIO, DOCKER];

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
const IS_ASCII = /^[\x00-\x7f]*$/;

/**
 * Upper-cases a name with the rules of Go's strings.ToUpper, which the runtimes use. Go maps each code point to one
 * code point: U+017F becomes S, and U+0131 becomes I. JavaScript maps some code points to two letters, such as U+FB06
 * to ST.
 */
export function upperCase(name: string): string {
  if (IS_ASCII.test(name)) return name.toUpperCase();
  const upper = Array.from(name, (letter) => {
    const large = letter.toUpperCase();
    return Array.from(large).length === 1 ? large : letter;
  });
  return upper.join('');
}

/** A kernel parameter that makes a capability unnecessary for one purpose. */
interface SysctlInstead {
  readonly capability: string;
  readonly purpose: string;
  readonly sysctl: string;
  readonly value: string;
}

/**
 * Two safe sysctls. Every level of the Pod Security Standards admits both sysctls (icmp(7), ip(7)). The sysctls belong
 * to the network namespace, so pods with hostNetwork cannot set them.
 */
export const SYSCTLS_INSTEAD: readonly SysctlInstead[] = [
  { capability: 'NET_RAW', purpose: 'ping', sysctl: 'net.ipv4.ping_group_range', value: '0 2147483647' },
  {
    capability: 'NET_BIND_SERVICE',
    purpose: 'ports below 1024',
    sysctl: 'net.ipv4.ip_unprivileged_port_start',
    value: '0',
  },
];
