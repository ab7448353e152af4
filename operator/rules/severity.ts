/** Which of several broken rules is worst: the more of the node a pod gets by it, the worse. */

/** The rules' ids. Rules of one line open the same. */
const WORST_FIRST: readonly (readonly string[])[] = [
  // All of the node.
  ['privileged', 'hostProcess'],
  ['hostPaths', 'volumes', 'hostPID'],
  // Part of its kernel, by name.
  ['capabilities', 'capabilities.allowedBounding'],
  ['hostNetwork', 'hostIPC'],
  ['procMount', 'seLinux', 'appArmor', 'seccomp', 'sysctls'],
  ['flexVolumeDrivers', 'csiDrivers', 'runtimeClasses', 'hostPorts', 'hostProbes'],
  // What a process may become inside its container.
  ['allowPrivilegeEscalation', 'defaultAllowPrivilegeEscalation', 'runAsNonRoot', 'runAsUser'],
  ['runAsGroup', 'supplementalGroups', 'fsGroup', 'readOnlyRootFilesystem'],
];

const RANKS = new Map(WORST_FIRST.flatMap((ids, rank) => ids.map((id) => [id, rank] as const)));

/** Ascending from the worst. What is no rule of a pod, such as the right to use a policy, comes last. */
export function severityRank(rule: string): number {
  return RANKS.get(rule) ?? WORST_FIRST.length;
}

/** The ids that have a rank. */
export const RANKED: readonly string[] = [...RANKS.keys()];
