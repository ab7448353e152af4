/**
 * Finds out from a kernel stack which function checked a capability, and whether the result of the check mattered.
 *
 * Sources: Linux 6.14 to 6.18, security/commoncap.c, kernel/capability.c, mm/util.c, fs/attr.c, fs/overlayfs.
 */
import type { Noise } from '../evidence/use.ts';

export interface CallSite {
  /** The functions as text, such as `inet_create, sys_socket`. The text is empty if there is no stack. */
  readonly text: string;
  readonly noise?: Noise;
}

/** Matches the functions of the tracepoint, and the functions that are in the stack of every check. */
const COMMON =
  /^(trace_event_raw_event_|__traceiter_|cap_capable$|security_capable$|(ns_)?capable|do_syscall_64$|x64_sys_call$|entry_SYSCALL|el0|invoke_syscall|do_el0|el0_svc)/;
const SYSTEM_CALL = /^(?:__(?:x64_|arm64_|riscv_|s390x_|ia32_|do_|se_)?|k)sys_(\w+)$/;

const FSETID = 4;
const SETPCAP = 8;

/** @param frames the functions in the stack, the innermost first */
export function callSiteOf(frames: readonly string[], capability: number): CallSite {
  const noise = noiseOf(frames, capability);
  const own = frames.filter((frame) => !COMMON.test(frame));
  const call = own.findLast((frame) => SYSTEM_CALL.test(frame));
  const parts = [own[0], call].filter((part) => part !== undefined).map(plain);
  return { text: [...new Set(parts)].join(', '), ...(noise && { noise }) };
}

/** The name of a function. A system call gets its common name, such as `sys_chroot`. */
function plain(frame: string): string {
  return frame.replace(SYSTEM_CALL, 'sys_$1');
}

function noiseOf(frames: readonly string[], capability: number): Noise | undefined {
  if (frames.includes('security_vm_enough_memory_mm')) return 'MemoryOvercommit';
  if (frames.some((frame) => NON_AUDIT.test(frame))) return 'NonAudit';
  if (asksForMounter(frames)) return 'MountersCredentials';
  if (capability === SETPCAP && frames.includes('cap_capset')) return 'Capset';
  if (capability === FSETID) return 'SetIdBits';
  return undefined;
}

/**
 * Matches functions that make a check without an audit record. do_task_stat reads /proc/PID/stat, and
 * hides addresses from readers who may not trace the process.
 */
const NON_AUDIT = /_noaudit$|^(ptracer_capable|do_task_stat)$/;

/**
 * Whether overlayfs makes the check for the user who mounted overlayfs. overlayfs makes two checks. The first check is
 * for the process (ovl_permission → generic_permission). The second check is in overlayfs's own file systems, for the
 * user who mounted overlayfs (ovl_permission → inode_permission). In the stack, a function of the lower layer may be
 * between overlayfs and the check. In this case, the check belongs to the lower layer.
 */
function asksForMounter(frames: readonly string[]): boolean {
  const inner = frames.filter((frame) => !COMMON.test(frame));
  const overlay = inner.findIndex((frame) => frame.startsWith('ovl_'));
  if (overlay === -1) return false;
  return overlay === 0 || inner.slice(0, overlay + 1).some((frame) => LOWER_LAYER.test(frame));
}

const LOWER_LAYER =
  /^(vfs_|ext4_|xfs_|btrfs_|shmem_|simple_|do_iter_|lookup_|notify_change$|iterate_dir$|file_modified|ovl_can_decode_fh$|xattr_permission$|may_delete|inode_permission$)/;
