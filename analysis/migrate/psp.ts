/** The fields of a PodSecurityPolicy that a migration reads (policy/v1beta1 of Kubernetes 1.24). */
import { anything, boolean, int32, integer, list, object, string, type ValueOf } from '../schema/typed.ts';
import { METADATA } from './metadata.ts';

export interface Psp {
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: PspSpec;
}

export const ANNOTATIONS = {
  allowedSeccomp: 'seccomp.security.alpha.kubernetes.io/allowedProfileNames',
  defaultSeccomp: 'seccomp.security.alpha.kubernetes.io/defaultProfileName',
  allowedAppArmor: 'apparmor.security.beta.kubernetes.io/allowedProfileNames',
  defaultAppArmor: 'apparmor.security.beta.kubernetes.io/defaultProfileName',
} as const;

const range = object({ min: integer, max: integer });
const strategy = object({ rule: string, ranges: list(range) });
const seLinuxOptions = object({ user: string, role: string, type: string, level: string });

const SPEC = object({
  privileged: boolean,
  defaultAddCapabilities: list(string),
  requiredDropCapabilities: list(string),
  allowedCapabilities: list(string),
  volumes: list(string),
  hostNetwork: boolean,
  hostPorts: list(object({ min: int32, max: int32 })),
  hostPID: boolean,
  hostIPC: boolean,
  seLinux: object({ rule: string, seLinuxOptions }),
  runAsUser: strategy,
  runAsGroup: strategy,
  supplementalGroups: strategy,
  fsGroup: strategy,
  readOnlyRootFilesystem: boolean,
  defaultAllowPrivilegeEscalation: boolean,
  allowPrivilegeEscalation: boolean,
  allowedHostPaths: list(object({ pathPrefix: string, readOnly: boolean })),
  allowedFlexVolumes: list(object({ driver: string })),
  allowedCSIDrivers: list(object({ name: string })),
  allowedUnsafeSysctls: list(string),
  forbiddenSysctls: list(string),
  allowedProcMountTypes: list(string),
  runtimeClass: object({ allowedRuntimeClassNames: list(string), defaultRuntimeClassName: string }),
});

/** The schema of a whole PodSecurityPolicy. */
export const PSP_OBJECT = object({
  apiVersion: string,
  kind: string,
  metadata: METADATA,
  spec: SPEC,
  status: anything,
});

export type PspSpec = ValueOf<typeof SPEC>;
export type Strategy = ValueOf<typeof strategy>;
