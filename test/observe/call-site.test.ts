/** Tests analysis/observe/call-site.ts with stacks in the form of Linux 6.18. */
import assert from 'node:assert/strict';
import { callSiteOf } from '../../analysis/observe/call-site.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';

interface Row {
  readonly asks: string;
  readonly frames: string;
  readonly text: string;
  readonly noise?: string;
}

const CAPABLE = 'security_capable < ns_capable';
const INODE = 'security_capable < capable_wrt_inode_uidgid';
const OPEN = 'inode_permission < path_openat < do_filp_open < do_sys_openat2 < __x64_sys_openat';
const CHOWN = 'notify_change < chown_common < do_fchownat < __x64_sys_fchownat';

const ROWS: Readonly<Record<string, Row>> = {
  'a raw socket': {
    asks: 'NET_RAW',
    frames: `${CAPABLE} < inet_create < __sock_create < __sys_socket < __x64_sys_socket`,
    text: 'inet_create, sys_socket',
  },
  'a mount': {
    asks: 'SYS_ADMIN',
    frames: `${CAPABLE} < path_mount < __x64_sys_mount`,
    text: 'path_mount, sys_mount',
  },
  'another root directory': { asks: 'SYS_CHROOT', frames: `${CAPABLE} < __x64_sys_chroot`, text: 'sys_chroot' },
  'another user ID': {
    asks: 'SETUID',
    frames: 'security_capable < ns_capable_setid < __sys_setresuid',
    text: 'sys_setresuid',
  },
  'tracing a process': {
    asks: 'SYS_PTRACE',
    frames: `${CAPABLE} < __ptrace_may_access < ptrace_attach < __x64_sys_ptrace`,
    text: '__ptrace_may_access, sys_ptrace',
  },
  'a file of another owner, on overlayfs': {
    asks: 'DAC_OVERRIDE',
    frames: `${INODE} < generic_permission < ovl_permission < ${OPEN}`,
    text: 'generic_permission, sys_openat',
  },
  'the same question for the mounter': {
    asks: 'DAC_OVERRIDE',
    frames: `${INODE} < generic_permission < inode_permission < ovl_permission < ${OPEN}`,
    text: 'generic_permission, sys_openat',
    noise: 'MountersCredentials',
  },
  'another owner, on overlayfs': {
    asks: 'CHOWN',
    frames: `${INODE} < setattr_prepare < ovl_setattr < ${CHOWN}`,
    text: 'setattr_prepare, sys_fchownat',
  },
  'another owner, for the mounter': {
    asks: 'CHOWN',
    frames: `${INODE} < setattr_prepare < ext4_setattr < notify_change < ovl_setattr < ${CHOWN}`,
    text: 'setattr_prepare, sys_fchownat',
    noise: 'MountersCredentials',
  },
  'the memory of a fork': {
    asks: 'SYS_ADMIN',
    frames: 'security_vm_enough_memory_mm < dup_mmap < copy_process < kernel_clone < __do_sys_clone',
    text: 'security_vm_enough_memory_mm, sys_clone',
    noise: 'MemoryOvercommit',
  },
  'a question without audit': {
    asks: 'SYS_ADMIN',
    frames: 'security_capable < ns_capable_noaudit < pid_table_root_permissions < proc_sys_call_handler < ksys_read',
    text: 'pid_table_root_permissions, sys_read',
    noise: 'NonAudit',
  },
  'the state of a process in /proc': {
    asks: 'SYS_PTRACE',
    frames: `${CAPABLE} < __ptrace_may_access < ptrace_may_access < do_task_stat < proc_single_show < ksys_read`,
    text: '__ptrace_may_access, sys_read',
    noise: 'NonAudit',
  },
  capset: {
    asks: 'SETPCAP',
    frames: 'cap_capset < security_capset < __do_sys_capset',
    text: 'cap_capset, sys_capset',
    noise: 'Capset',
  },
  'a capability dropped from the bounding set': {
    asks: 'SETPCAP',
    frames: `${CAPABLE} < cap_task_prctl < security_task_prctl < __do_sys_prctl`,
    text: 'cap_task_prctl, sys_prctl',
  },
  'a write to a set-user-ID file': {
    asks: 'FSETID',
    frames: 'security_capable < capable < setattr_should_drop_suidgid < file_modified < vfs_write < ksys_write',
    text: 'setattr_should_drop_suidgid, sys_write',
    noise: 'SetIdBits',
  },
  'no stack': { asks: 'NET_RAW', frames: '', text: '' },
};

describe('the call site of a capability check', () => {
  for (const [title, { asks, frames, text, noise }] of Object.entries(ROWS)) {
    it(title, () => {
      const found = callSiteOf(frames.split(' < ').filter(Boolean), CAPABILITIES.indexOf(asks));
      assert.deepEqual(found, { text, ...(noise && { noise }) });
    });
  }
});
