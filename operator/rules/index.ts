/** The rules, in the order of the API's fields: messages name them in this order. */
import { allowPrivilegeEscalation } from './allow-privilege-escalation.ts';
import { allowedBounding } from './allowed-bounding.ts';
import { appArmor } from './app-armor.ts';
import { capabilities } from './capabilities.ts';
import { hostIPC, hostNetwork, hostPID } from './host-namespaces.ts';
import { hostPorts } from './host-ports.ts';
import { hostProbes } from './host-probes.ts';
import { hostProcess } from './host-process.ts';
import { privileged } from './privileged.ts';
import { procMount } from './proc-mount.ts';
import type { Rule } from './rule.ts';
import { runAsNonRoot } from './run-as-non-root.ts';
import { runAsUser } from './run-as-user.ts';
import { seLinux } from './se-linux.ts';
import { seccomp } from './seccomp.ts';
import { sysctls } from './sysctls.ts';
import { volumes } from './volumes.ts';

export const RULES: readonly Rule[] = [
  capabilities,
  allowedBounding,
  privileged,
  allowPrivilegeEscalation,
  hostNetwork,
  hostPID,
  hostIPC,
  hostProcess,
  hostProbes,
  hostPorts,
  volumes,
  runAsNonRoot,
  runAsUser,
  seccomp,
  appArmor,
  seLinux,
  procMount,
  sysctls,
];
