/** Migrates the lists of sysctls that PodSecurityPolicy and SecurityContextConstraints share. */
import { distinct, inexact, type MigratedField, stated, withRoom } from './migrated-field.ts';

const MOST_SYSCTLS = 64;

export interface Sysctls {
  readonly allowedUnsafeSysctls?: readonly string[];
  readonly forbiddenSysctls?: readonly string[];
}

/**
 * The safe sysctls of Kubernetes 1.24 (k8s.io/kubernetes@v1.24.17 pkg/security/podsecuritypolicy/sysctl
 * SafeSysctlAllowlist).
 */
export const SAFE_SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
];

/**
 * @param prefix the prefix of the field names, which is `spec.` or empty
 * @param safe the sysctls that are allowed if no list forbids them
 */
export function sysctls(
  prefix: string,
  { allowedUnsafeSysctls: unsafe, forbiddenSysctls = [] }: Sysctls,
  safe: readonly string[],
): MigratedField {
  const allowedField = `${prefix}allowedUnsafeSysctls`;
  const forbiddenField = `${prefix}forbiddenSysctls`;
  const forbidden = distinct(forbiddenSysctls);
  if (forbidden.length > MOST_SYSCTLS) {
    const text = `the list can have ${MOST_SYSCTLS} entries, so no sysctl is admitted at all`;
    return {
      statements: [stated('sysctls.allowed', [], forbiddenField)],
      remarks: [inexact(forbiddenField, forbiddenSysctls, text)],
    };
  }
  const any = unsafe?.includes('*') ?? false;
  const wanted = any ? ['*'] : distinct([...safe, ...(unsafe ?? [])]);
  const { kept, remarks } = withRoom(
    allowedField,
    wanted.filter((name) => !forbidden.includes(name)),
    MOST_SYSCTLS,
  );
  const safeOnes = unsafe ? ', and the safe ones' : ', unset: the safe ones';
  return {
    statements: [
      stated('sysctls.allowed', kept, any ? allowedField : allowedField + safeOnes),
      ...(forbidden.length > 0 ? [stated('sysctls.forbidden', forbidden, forbiddenField)] : []),
    ],
    remarks,
  };
}
