/** OpenShift's SecurityContextConstraints (security.openshift.io/v1) as they are read. */
import { fields, flag, integer, list, text } from './shape.ts';

const group = fields({ type: text, ranges: list(fields({ min: integer, max: integer })) });

/** All but apiVersion, kind and metadata; null lists count as absent, as in OpenShift. */
export const readScc = fields({
  allowHostDirVolumePlugin: flag,
  allowHostIPC: flag,
  allowHostNetwork: flag,
  allowHostPID: flag,
  allowHostPorts: flag,
  allowPrivilegeEscalation: flag,
  allowPrivilegedContainer: flag,
  allowedCapabilities: list(text),
  allowedFlexVolumes: list(fields({ driver: text })),
  allowedUnsafeSysctls: list(text),
  defaultAddCapabilities: list(text),
  defaultAllowPrivilegeEscalation: flag,
  forbiddenSysctls: list(text),
  fsGroup: group,
  groups: list(text),
  priority: integer,
  readOnlyRootFilesystem: flag,
  requiredDropCapabilities: list(text),
  runAsUser: fields({ type: text, uid: integer, uidRangeMin: integer, uidRangeMax: integer }),
  seLinuxContext: fields({
    type: text,
    seLinuxOptions: fields({ user: text, role: text, type: text, level: text }),
  }),
  seccompProfiles: list(text),
  supplementalGroups: group,
  userNamespaceLevel: text,
  users: list(text),
  volumes: list(text),
});

export type Scc = ReturnType<typeof readScc>;
export type SccGroup = ReturnType<typeof group>;
