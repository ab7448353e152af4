/**
 * The Linux capabilities. Each entry describes what the capability permits, its risk, and what to use instead.
 *
 * The names and numbers come from linux/include/uapi/linux/capability.h. The field `permits` follows capabilities(7)
 * and the manual pages in `sources`. The field `addableAt` follows k8s.io/pod-security-admission. The risk is this
 * project's own assessment.
 */
import type { Level } from './level-version.ts';

export const RISKS = {
  host: 'compromise of the host, or escape from the container',
  node: 'impact on the network or on the whole node',
  kernel: "access to the kernel's memory, or attack surface in the kernel",
  container: 'escalation inside the container',
  low: 'low',
} as const;
export type Risk = keyof typeof RISKS;
/** The classes of risk. The most dangerous class comes first. */
export const RISK_CLASSES = Object.keys(RISKS) as readonly Risk[];

/**
 * The risk of a capability as text. The text has the class of the risk, and the note about the capability if there is
 * one.
 */
export function riskText({ risk, riskNote }: Pick<Capability, 'risk' | 'riskNote'>): string {
  return RISKS[risk] + (riskNote === undefined ? '' : `; ${riskNote}`);
}

export interface Capability {
  /** The number of the capability's bit in the masks of /proc/PID/status. */
  readonly number: number;
  /** The name as Kubernetes writes it, without the prefix CAP_. */
  readonly name: string;
  /** A text that completes the sentence "It permits a process to …". */
  readonly permits: string;
  /** The tightest level of the Pod Security Standards at which containers may add the capability. */
  readonly addableAt: Level;
  readonly risk: Risk;
  /** A more specific risk of the capability, or how an attacker exploits the capability. */
  readonly riskNote?: string;
  /**
   * An alternative that needs fewer rights than the capability. The field is absent if the capability has no
   * alternative, or needs none.
   */
  readonly instead?: string;
  /** The manual pages and kernel documents that have more details. */
  readonly sources: readonly string[];
}

/** The capabilities, in the order of their numbers. */
const ENTRIES: readonly Omit<Capability, 'number'>[] = [
  {
    name: 'CHOWN',
    permits: 'change owner and group of any file',
    addableAt: 'baseline',
    risk: 'container',
    instead: 'fsGroup for volumes; file owners that the image build sets',
    sources: ['chown(2)'],
  },
  {
    name: 'DAC_OVERRIDE',
    permits: 'read, write and execute files regardless of their permissions',
    addableAt: 'baseline',
    risk: 'container',
    riskNote: 'host with host paths mounted',
    instead: 'fsGroup or supplementalGroups that own the files',
    sources: ['path_resolution(7)'],
  },
  {
    name: 'DAC_READ_SEARCH',
    permits: 'read any file and search any directory, and open files by handle',
    addableAt: 'privileged',
    risk: 'host',
    riskNote: 'open_by_handle_at reads files of the host ("shocker")',
    instead: 'supplementalGroups that may read the files',
    sources: ['open_by_handle_at(2)'],
  },
  {
    name: 'FOWNER',
    permits: 'do what only the owner of a file may do: chmod, utime and setting extended attributes',
    addableAt: 'baseline',
    risk: 'container',
    instead: 'files that belong to the user of the process',
    sources: ['chmod(2)'],
  },
  {
    name: 'FSETID',
    permits: 'keep the set-user-ID and set-group-ID bits of a file when the file is changed',
    addableAt: 'baseline',
    risk: 'container',
    sources: ['chmod(2)'],
  },
  {
    name: 'KILL',
    permits: 'send signals to processes of other users',
    addableAt: 'baseline',
    risk: 'low',
    riskNote: 'node with hostPID',
    instead: 'one user for all processes that signal each other',
    sources: ['kill(2)'],
  },
  {
    name: 'SETGID',
    permits: 'take any group ID and any list of groups',
    addableAt: 'baseline',
    risk: 'container',
    instead: 'runAsGroup and supplementalGroups',
    sources: ['setgid(2)', 'setgroups(2)'],
  },
  {
    name: 'SETUID',
    permits: 'take any user ID',
    addableAt: 'baseline',
    risk: 'container',
    instead: 'runAsUser',
    sources: ['setuid(2)'],
  },
  {
    name: 'SETPCAP',
    permits:
      'make capabilities of the bounding set inheritable, drop capabilities from the set, and change secure bits',
    addableAt: 'baseline',
    risk: 'container',
    sources: ['prctl(2)'],
  },
  {
    name: 'LINUX_IMMUTABLE',
    permits: 'set the immutable and append-only flags of files',
    addableAt: 'privileged',
    risk: 'low',
    sources: ['ioctl_iflags(2)'],
  },
  {
    name: 'NET_BIND_SERVICE',
    permits: 'bind to ports below 1024',
    addableAt: 'restricted',
    risk: 'low',
    instead: 'a port above 1023 behind a Service, or the sysctl net.ipv4.ip_unprivileged_port_start',
    sources: ['ip(7)'],
  },
  {
    name: 'NET_BROADCAST',
    permits: 'do nothing: the kernel never checks this capability',
    addableAt: 'privileged',
    risk: 'low',
    sources: ['capabilities(7)'],
  },
  {
    name: 'NET_ADMIN',
    permits: 'configure interfaces, addresses, routes and firewalls, and capture packets in promiscuous mode',
    addableAt: 'privileged',
    risk: 'node',
    riskNote: 'host with hostNetwork',
    instead: 'a CNI plugin, NetworkPolicy, or an allowed sysctl',
    sources: ['netdevice(7)', 'packet(7)'],
  },
  {
    name: 'NET_RAW',
    permits: 'open raw and packet sockets: ping, sniffing, forging any packet',
    addableAt: 'privileged',
    risk: 'node',
    riskNote: 'forged ARP and DNS answers redirect the traffic of neighbours',
    instead: 'the sysctl net.ipv4.ping_group_range, for ping',
    sources: ['raw(7)', 'packet(7)', 'icmp(7)'],
  },
  {
    name: 'IPC_LOCK',
    permits: 'lock memory without limit, and allocate huge pages',
    addableAt: 'privileged',
    risk: 'low',
    riskNote: "starves the node's memory",
    instead: 'resources.limits of hugepages; a higher RLIMIT_MEMLOCK in the runtime',
    sources: ['mlock(2)'],
  },
  {
    name: 'IPC_OWNER',
    permits: 'use System V IPC objects regardless of their permissions',
    addableAt: 'privileged',
    risk: 'low',
    riskNote: 'container with hostIPC',
    instead: 'one user for all processes that share the objects',
    sources: ['sysvipc(7)'],
  },
  {
    name: 'SYS_MODULE',
    permits: 'load and unload kernel modules',
    addableAt: 'privileged',
    risk: 'host',
    instead: 'modules that the node loads (modules-load.d(5))',
    sources: ['init_module(2)'],
  },
  {
    name: 'SYS_RAWIO',
    permits: 'use I/O ports, /dev/mem, /proc/kcore and raw disk commands',
    addableAt: 'privileged',
    risk: 'host',
    instead: 'a device plugin',
    sources: ['iopl(2)', 'mem(4)'],
  },
  {
    name: 'SYS_CHROOT',
    permits: 'change its root directory, and enter mount namespaces',
    addableAt: 'baseline',
    risk: 'container',
    sources: ['chroot(2)', 'setns(2)'],
  },
  {
    name: 'SYS_PTRACE',
    permits: 'trace any process, and read and write its memory',
    addableAt: 'privileged',
    risk: 'container',
    riskNote: 'host with hostPID',
    instead: 'shareProcessNamespace and the same user for both processes: a user may trace its own processes',
    sources: ['ptrace(2)', 'process_vm_readv(2)'],
  },
  {
    name: 'SYS_PACCT',
    permits: 'switch process accounting on and off',
    addableAt: 'privileged',
    risk: 'low',
    sources: ['acct(2)'],
  },
  {
    name: 'SYS_ADMIN',
    permits: 'mount file systems, enter namespaces, and do much else that no other capability permits',
    addableAt: 'privileged',
    risk: 'host',
    riskNote: 'the new root',
    instead:
      'hostUsers: false, so that SYS_ADMIN counts only inside the user namespace; BPF and PERFMON for tracing; a CSI driver for mounts',
    sources: ['mount(2)', 'setns(2)'],
  },
  {
    name: 'SYS_BOOT',
    permits: 'reboot, and load another kernel',
    addableAt: 'privileged',
    risk: 'host',
    sources: ['reboot(2)', 'kexec_load(2)'],
  },
  {
    name: 'SYS_NICE',
    permits: 'raise priorities, use real-time scheduling, and set the CPU affinity of any process',
    addableAt: 'privileged',
    risk: 'node',
    riskNote: 'starves other workloads of CPU',
    instead: "container resources, and the kubelet's static CPU manager",
    sources: ['sched(7)', 'setpriority(2)'],
  },
  {
    name: 'SYS_RESOURCE',
    permits: 'exceed resource limits, quotas and reserved space, and lower its out-of-memory score',
    addableAt: 'privileged',
    risk: 'node',
    riskNote: 'starves other workloads',
    instead: 'higher limits in the runtime',
    sources: ['setrlimit(2)', 'proc(5)'],
  },
  {
    name: 'SYS_TIME',
    permits: 'set the system clock',
    addableAt: 'privileged',
    risk: 'node',
    riskNote: "the clock is the host's: no namespace isolates it",
    instead: 'a time service of the node',
    sources: ['settimeofday(2)', 'adjtimex(2)'],
  },
  {
    name: 'SYS_TTY_CONFIG',
    permits: 'hang up terminals and configure virtual terminals',
    addableAt: 'privileged',
    risk: 'low',
    sources: ['vhangup(2)'],
  },
  {
    name: 'MKNOD',
    permits: 'create device files',
    addableAt: 'baseline',
    risk: 'container',
    riskNote:
      'the device cgroup blocks the use of device files; if the rules of the cgroup are loose, the risk is host',
    instead: 'a device plugin',
    sources: ['mknod(2)'],
  },
  {
    name: 'LEASE',
    permits: 'take leases on files of other users',
    addableAt: 'privileged',
    risk: 'low',
    sources: ['fcntl(2)'],
  },
  {
    name: 'AUDIT_WRITE',
    permits: "write records to the kernel's audit log",
    addableAt: 'baseline',
    risk: 'low',
    sources: ['audit(7)'],
  },
  {
    name: 'AUDIT_CONTROL',
    permits: 'switch auditing on and off, and change its rules',
    addableAt: 'privileged',
    risk: 'node',
    riskNote: 'blinds the audit log',
    sources: ['auditctl(8)'],
  },
  {
    name: 'SETFCAP',
    permits: 'set capabilities on files, and map user ID 0 into a new user namespace',
    addableAt: 'baseline',
    risk: 'container',
    instead: 'file capabilities that the image build sets',
    sources: ['setcap(8)', 'user_namespaces(7)'],
  },
  {
    name: 'MAC_OVERRIDE',
    permits: 'override mandatory access control (Smack)',
    addableAt: 'privileged',
    risk: 'host',
    riskNote: 'if the security module checks this capability',
    sources: ['capabilities(7)'],
  },
  {
    name: 'MAC_ADMIN',
    permits: 'change the configuration of mandatory access control',
    addableAt: 'privileged',
    risk: 'host',
    riskNote: 'if the security module checks this capability',
    sources: ['capabilities(7)'],
  },
  {
    name: 'SYSLOG',
    permits: "read and clear the kernel's log, and see kernel addresses",
    addableAt: 'privileged',
    risk: 'kernel',
    instead: "an agent that reads the node's journal",
    sources: ['syslog(2)'],
  },
  {
    name: 'WAKE_ALARM',
    permits: 'set timers that wake the system',
    addableAt: 'privileged',
    risk: 'low',
    sources: ['timerfd_create(2)'],
  },
  {
    name: 'BLOCK_SUSPEND',
    permits: 'keep the system from suspending',
    addableAt: 'privileged',
    risk: 'low',
    sources: ['epoll(7)'],
  },
  {
    name: 'AUDIT_READ',
    permits: "read the kernel's audit log",
    addableAt: 'privileged',
    risk: 'kernel',
    sources: ['audit(7)'],
  },
  {
    name: 'PERFMON',
    permits: 'observe performance with perf events, and trace with BPF programs',
    addableAt: 'privileged',
    risk: 'kernel',
    riskNote: "with BPF, which reads the kernel's memory, the risk is host",
    sources: ['perf_event_open(2)', 'Linux 5.8'],
  },
  {
    name: 'BPF',
    permits: 'load BPF programs and create maps of every kind',
    addableAt: 'privileged',
    risk: 'kernel',
    riskNote: 'with PERFMON or NET_ADMIN, the risk is host',
    sources: ['bpf(2)', 'Linux 5.8'],
  },
  {
    name: 'CHECKPOINT_RESTORE',
    permits: 'checkpoint and restore processes: choose process IDs, and see the mapped files of other processes',
    addableAt: 'privileged',
    risk: 'kernel',
    sources: ['clone3(2)', 'Linux 5.9'],
  },
];

export const CAPABILITY_TABLE: readonly Capability[] = ENTRIES.map((entry, number) => ({ number, ...entry }));

/** The names of the capabilities, in the order of their numbers. */
export const CAPABILITIES: readonly string[] = CAPABILITY_TABLE.map(({ name }) => name);

/**
 * These capabilities are more dangerous than the other capabilities in the same class of risk. The most dangerous
 * capability comes first.
 */
const WORST = [
  ...['SYS_ADMIN', 'SYS_MODULE', 'SYS_RAWIO', 'DAC_READ_SEARCH', 'SYS_BOOT'],
  ...['NET_ADMIN', 'NET_RAW', 'SYS_TIME'],
  ...['BPF', 'PERFMON'],
  ...['SYS_PTRACE', 'DAC_OVERRIDE', 'SETUID', 'SETGID', 'SETFCAP', 'MKNOD'],
];

/**
 * The capabilities. The most dangerous capability comes first. The list is sorted by class of risk, then by this
 * project's own assessment, then by number.
 */
export const CAPABILITIES_BY_RISK: readonly Capability[] = CAPABILITY_TABLE.toSorted(
  (a, b) => RISK_CLASSES.indexOf(a.risk) - RISK_CLASSES.indexOf(b.risk) || rankOf(a) - rankOf(b),
);

function rankOf({ name }: Capability): number {
  const rank = WORST.indexOf(name);
  return rank === -1 ? WORST.length : rank;
}

/**
 * The capabilities that containerd and Docker give a container by default (containerd pkg/oci/spec.go, moby
 * daemon/pkg/oci/caps/defaults.go). CRI-O gives fewer capabilities.
 */
export const RUNTIME_DEFAULT: readonly string[] = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SYS_CHROOT',
  'MKNOD',
  'AUDIT_WRITE',
  'SETFCAP',
];
