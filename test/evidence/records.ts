/** Sample records of several tools, each in the tool's own form. */
import { EvidenceReader } from '../../analysis/evidence/reader.ts';
import type { Evidence } from '../../analysis/evidence/use.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * An event of Inspektor Gadget since v0.40. The process fields are below `proc`, as in the gadget's program.bpf.c and
 * gadget.yaml.
 */
export function gadgetEvent(fields: Fields = {}): Fields {
  return {
    runtime: { runtimeName: 'containerd', containerName: 'ping', containerId: 'c0ffee' },
    k8s: {
      node: 'n1',
      namespace: 'net',
      podName: 'pinger-6d5f9c7b4-x7k2q',
      podLabels: 'app=pinger',
      containerName: 'ping',
    },
    timestamp: '2026-11-01T12:00:00.208570604+02:00',
    proc: { comm: 'ping', pid: 42, tid: 42, mntns_id: 4026532001, creds: { uid: 0, gid: 0 } },
    current_userns: 4026531837,
    target_userns: 4026531837,
    cap: 'CAP_NET_RAW',
    capable: true,
    audit: 1,
    insetid: 0,
    syscall: 'SYS_SOCKET',
    ...fields,
  };
}

/**
 * An event of Inspektor Gadget's built-in gadget. The gadget existed until v0.30. The command of the gadget was
 * `kubectl gadget trace capabilities -o json`.
 */
export function builtInEvent(fields: Fields = {}): Fields {
  return {
    node: 'n1',
    namespace: 'net',
    pod: 'pinger-6d5f9c7b4-x7k2q',
    container: 'ping',
    timestamp: 1_793_520_000_123 * 1e6,
    type: 'normal',
    pid: 42,
    comm: 'chroot',
    syscall: 'chroot',
    cap: 18,
    capName: 'SYS_CHROOT',
    audit: 1,
    verdict: 'Allow',
    insetid: false,
    targetuserns: 4026531837,
    currentuserns: 4026531837,
    ...fields,
  };
}

const LABELS = {
  'kubescape.io/workload-kind': 'Deployment',
  'kubescape.io/workload-name': 'pinger',
  'kubescape.io/workload-namespace': 'net',
};
const ANNOTATIONS = { 'kubescape.io/completion': 'complete', 'kubescape.io/status': 'completed' };

interface ProfileParts {
  readonly annotations?: Fields;
  readonly labels?: Fields;
  readonly spec?: Fields;
}

export function applicationProfile({ annotations, labels = LABELS, spec }: ProfileParts = {}): Fields {
  return {
    apiVersion: 'spdx.softwarecomposition.kubescape.io/v1beta1',
    kind: 'ApplicationProfile',
    metadata: {
      name: 'replicaset-pinger-6d5f9c7b4',
      namespace: 'net',
      creationTimestamp: '2026-11-01T10:00:00Z',
      labels,
      annotations: { ...ANNOTATIONS, ...annotations },
    },
    spec: {
      architectures: ['amd64'],
      containers: [
        { name: 'ping', capabilities: ['NET_RAW', 'SYS_ADMIN'], execs: [], opens: null, syscalls: ['read'] },
      ],
      initContainers: [{ name: 'setup', capabilities: ['CHOWN'] }],
      ephemeralContainers: null,
      ...spec,
    },
  };
}

/** A profile in the form that the node agent writes, with times in Go's form. */
export function containerProfile({ annotations, labels = {}, spec }: ProfileParts = {}): Fields {
  return {
    apiVersion: 'spdx.softwarecomposition.kubescape.io/v1beta1',
    kind: 'ContainerProfile',
    metadata: {
      name: 'replicaset-pinger-6d5f9c7b4-ping-1a2b-3c4d',
      namespace: 'net',
      creationTimestamp: '2026-11-01T10:00:00Z',
      labels: { ...LABELS, 'kubescape.io/workload-container-name': 'ping', ...labels },
      annotations: {
        ...ANNOTATIONS,
        'kubescape.io/completion': 'partial',
        'kubescape.io/previous-report-timestamp': '0001-01-01 00:00:00 +0000 UTC',
        'kubescape.io/report-timestamp': '2026-11-01 13:30:00.5 +0200 CEST m=+90.5',
        ...annotations,
      },
    },
    spec: { capabilities: ['NET_RAW'], ...spec },
  };
}

const CONTAINER = { namespace: 'net', pod: 'pinger-6d5f9c7b4-x7k2q', container: 'ping' };

export function observedUse(fields: Fields = {}): Fields {
  return { observed: 'use', ...CONTAINER, capability: 'NET_RAW', outcome: 'granted', count: 3, ...fields };
}

export function observedWatch(fields: Fields = {}): Fields {
  const [from, to] = ['2026-11-01T10:00:00.000Z', '2026-11-01T12:00:00.000Z'];
  return { observed: 'watch', ...CONTAINER, instance: 'c0ffee', from, to, started: true, ...fields };
}

export function evidenceIn(...values: readonly unknown[]): Evidence {
  const reader = new EvidenceReader();
  for (const value of values) reader.add(value);
  return reader.evidence;
}
