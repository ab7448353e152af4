/**
 * Measured bounding sets of containers. In a container of user 0, the permitted set and the effective set equal the
 * bounding set. The measurements for containerd 1.6 used the CRI of containerd. The measurements for all runtimes used
 * runc.
 */
import type { ContainerRuntime } from '../../analysis/capabilities/runtimes.ts';

/** The mask of a measured bounding set. If the container does not start, the value is the error message. */
export type Measured = bigint | string;

interface MeasuredRow {
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly sets: Readonly<Record<ContainerRuntime['name'], Measured>>;
}

const DEFAULT = 0xa80425fbn;
const CRIO_DEFAULT = 0x5fbn;
const NET_RAW = 0x2000n;
const SYS_ADMIN = 0x200000n;
const ALL = 0x1ffffffffffn;

export const MEASURED: readonly MeasuredRow[] = [
  row([], [], DEFAULT, CRIO_DEFAULT, DEFAULT),
  row(['NET_RAW'], ['ALL'], NET_RAW, NET_RAW, NET_RAW),
  row([], ['ALL'], 0n, 0n, 0n),
  row(['NET_RAW'], ['NET_RAW'], DEFAULT - NET_RAW, CRIO_DEFAULT, DEFAULT),
  row(['ALL'], ['NET_RAW'], ALL - NET_RAW, ALL - NET_RAW, ALL - NET_RAW),
  row(['ALL'], ['ALL'], 0n, 0n, ALL),
  row(['NET_RAW'], ['ALL', 'NET_RAW'], 0n, 0n, NET_RAW),
  row(['CAP_NET_RAW'], ['ALL'], 0n, NET_RAW, NET_RAW),
  row(['net_raw'], ['all'], NET_RAW, NET_RAW, NET_RAW),
  row([], ['CAP_NET_RAW'], DEFAULT, CRIO_DEFAULT, DEFAULT - NET_RAW),
  row([], ['CAP_ALL'], DEFAULT, dropRefused('CAP_ALL'), unknown('CAP_ALL')),
  row(['LOREM'], ['ALL'], 0n, 'unknown capability "CAP_LOREM" to add', unknown('CAP_LOREM')),
  row([], ['LOREM'], DEFAULT, dropRefused('CAP_LOREM'), unknown('CAP_LOREM')),
  row(['SYS_ADMIN'], [], DEFAULT + SYS_ADMIN, CRIO_DEFAULT + SYS_ADMIN, DEFAULT + SYS_ADMIN),
  row(['CAP_SYS_ADMIN'], [], DEFAULT, CRIO_DEFAULT + SYS_ADMIN, DEFAULT + SYS_ADMIN),
  row(['NET_BIND_SERVICE'], ['ALL'], 0x400n, 0x400n, 0x400n),
  row(['NET_ADMIN', 'NET_RAW'], ['ALL'], 0x3000n, 0x3000n, 0x3000n),
  row([], ['NET_RAW'], DEFAULT - NET_RAW, CRIO_DEFAULT, DEFAULT - NET_RAW),
];

function row(add: string[], drop: string[], containerd: Measured, crio: Measured, docker: Measured): MeasuredRow {
  return { add, drop, sets: { containerd, 'CRI-O': crio, Docker: docker } };
}

function dropRefused(name: string): string {
  return `failed to drop cap ${name} invalid capability: ${name}`;
}

function unknown(name: string): string {
  return `unknown capability: ${name}`;
}
