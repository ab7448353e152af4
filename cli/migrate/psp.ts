/** A PodSecurityPolicy (policy/v1beta1 of Kubernetes 1.24) as it is read. */
import { fields, flag, int32, integer, list, type Reader, text } from './shape.ts';

export interface Psp {
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: PspSpec;
}

export const ANNOTATIONS = {
  allowedSeccomp: 'seccomp.security.alpha.kubernetes.io/allowedProfileNames',
  defaultSeccomp: 'seccomp.security.alpha.kubernetes.io/defaultProfileName',
  allowedAppArmor: 'apparmor.security.beta.kubernetes.io/allowedProfileNames',
  defaultAppArmor: 'apparmor.security.beta.kubernetes.io/defaultProfileName',
} as const;

const range = fields({ min: integer, max: integer });
const strategy = fields({ rule: text, ranges: list(range) });
const seLinuxOptions = fields({ user: text, role: text, type: text, level: text });

const SPEC = fields({
  privileged: flag,
  defaultAddCapabilities: list(text),
  requiredDropCapabilities: list(text),
  allowedCapabilities: list(text),
  volumes: list(text),
  hostNetwork: flag,
  hostPorts: list(fields({ min: int32, max: int32 })),
  hostPID: flag,
  hostIPC: flag,
  seLinux: fields({ rule: text, seLinuxOptions }),
  runAsUser: strategy,
  runAsGroup: strategy,
  supplementalGroups: strategy,
  fsGroup: strategy,
  readOnlyRootFilesystem: flag,
  defaultAllowPrivilegeEscalation: flag,
  allowPrivilegeEscalation: flag,
  allowedHostPaths: list(fields({ pathPrefix: text, readOnly: flag })),
  allowedFlexVolumes: list(fields({ driver: text })),
  allowedCSIDrivers: list(fields({ name: text })),
  allowedUnsafeSysctls: list(text),
  forbiddenSysctls: list(text),
  allowedProcMountTypes: list(text),
  runtimeClass: fields({ allowedRuntimeClassNames: list(text), defaultRuntimeClassName: text }),
});

export type PspSpec = ReturnType<typeof SPEC>;
export type Strategy = ReturnType<typeof strategy>;

export const readPspSpec: Reader<PspSpec> = (value, path) => SPEC(value ?? {}, path);
