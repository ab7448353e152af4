/** The rules, in the order of the API's fields. Messages list violations in the order of the rules. */
import { allowPrivilegeEscalation } from './allow-privilege-escalation.ts';
import { allowedBounding } from './allowed-bounding.ts';
import { appArmor } from './app-armor.ts';
import { capabilities } from './capabilities.ts';
import { defaultAllowPrivilegeEscalation } from './default-allow-privilege-escalation.ts';
import { fsGroup } from './fs-group.ts';
import { hostIPC, hostNetwork, hostPID } from './host-namespaces.ts';
import { hostPaths } from './host-paths.ts';
import { hostPorts } from './host-ports.ts';
import { hostProbes } from './host-probes.ts';
import { hostProcess } from './host-process.ts';
import { privileged } from './privileged.ts';
import { procMount } from './proc-mount.ts';
import { readOnlyRootFilesystem } from './read-only-root-filesystem.ts';
import type { Rule } from './rule.ts';
import { runAsGroup } from './run-as-group.ts';
import { runAsNonRoot } from './run-as-non-root.ts';
import { runAsUser } from './run-as-user.ts';
import { runtimeClasses } from './runtime-classes.ts';
import { seLinux } from './se-linux.ts';
import { seccomp } from './seccomp.ts';
import { serviceAccountToken } from './service-account-token.ts';
import { supplementalGroups } from './supplemental-groups.ts';
import { supplementalGroupsPolicy } from './supplemental-groups-policy.ts';
import { sysctls } from './sysctls.ts';
import { unknownFields, unrefusedUnknownFields } from './unknown-fields.ts';
import { userNamespaces } from './user-namespaces.ts';
import { csiDrivers, flexVolumeDrivers } from './volume-drivers.ts';
import { volumes } from './volumes.ts';

export const RULES: readonly Rule[] = [
  capabilities,
  allowedBounding,
  privileged,
  allowPrivilegeEscalation,
  defaultAllowPrivilegeEscalation,
  hostNetwork,
  hostPID,
  hostIPC,
  hostProcess,
  hostProbes,
  hostPorts,
  volumes,
  serviceAccountToken,
  hostPaths,
  flexVolumeDrivers,
  csiDrivers,
  runAsNonRoot,
  runAsUser,
  runAsGroup,
  supplementalGroups,
  supplementalGroupsPolicy,
  fsGroup,
  seccomp,
  appArmor,
  seLinux,
  procMount,
  sysctls,
  readOnlyRootFilesystem,
  runtimeClasses,
  userNamespaces,
  unknownFields,
];

/**
 * The rules that warn and never refuse. A separate program contains these rules. For each of these rules, RULES has a
 * rule with the same ID and the same columns.
 */
export const WARNING_RULES: readonly Rule[] = [unrefusedUnknownFields];
