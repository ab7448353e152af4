/** The fields of OpenShift's SecurityContextConstraints that a migration reads (security.openshift.io/v1). */
import { boolean, integer, list, object, string, type ValueOf } from '../schema/typed.ts';
import { METADATA } from './metadata.ts';

const group = object({ type: string, ranges: list(object({ min: integer, max: integer })) });

/** The schema of SecurityContextConstraints. As in OpenShift, a list that is null counts as absent. */
export const SCC_OBJECT = object({
  apiVersion: string,
  kind: string,
  metadata: METADATA,
  allowHostDirVolumePlugin: boolean,
  allowHostIPC: boolean,
  allowHostNetwork: boolean,
  allowHostPID: boolean,
  allowHostPorts: boolean,
  allowPrivilegeEscalation: boolean,
  allowPrivilegedContainer: boolean,
  allowedCapabilities: list(string),
  allowedFlexVolumes: list(object({ driver: string })),
  allowedUnsafeSysctls: list(string),
  defaultAddCapabilities: list(string),
  defaultAllowPrivilegeEscalation: boolean,
  forbiddenSysctls: list(string),
  fsGroup: group,
  groups: list(string),
  priority: integer,
  readOnlyRootFilesystem: boolean,
  requiredDropCapabilities: list(string),
  runAsUser: object({ type: string, uid: integer, uidRangeMin: integer, uidRangeMax: integer }),
  seLinuxContext: object({
    type: string,
    seLinuxOptions: object({ user: string, role: string, type: string, level: string }),
  }),
  seccompProfiles: list(string),
  supplementalGroups: group,
  userNamespaceLevel: string,
  users: list(string),
  volumes: list(string),
});

export type Scc = ValueOf<typeof SCC_OBJECT>;
export type SccGroup = ValueOf<typeof group>;
